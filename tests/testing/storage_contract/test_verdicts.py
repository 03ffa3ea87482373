"""What is wrong with a store is reported in words, and briefly."""

from __future__ import annotations

import pytest

from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.storage_contract import message, say
from agno_shell.testing.storage_contract.verdicts import only, refuses, same, unchanged
from agno_shell.types import Finding, Message


def words(found: object, expected: object) -> str:
    with pytest.raises(AssertionError) as caught:
        same(found, expected, "it is so")
    return str(caught.value)


def test_equal_values_pass() -> None:
    same([1], [1], "it is so")
    assert only([1], "there is one") == 1
    with refuses(StorageError, "it"):
        raise SessionNotFoundError("no")
    with unchanged(MemoryStorage(), "nothing"):
        pass


def test_a_field_that_differs_is_named() -> None:
    one = message("hello")
    assert words(one._replace(role="tool"), one) == (
        "it is so, but role: it is 'tool' instead of 'user'."
    )
    assert words([one, one], [one, one._replace(content="hullo")]) == (
        "it is so, but number 2 of 2 differs: content: it is 'hello' instead of 'hullo'."
    )
    assert "a: it is 1 instead of 2" in words({"a": 1}, {"a": 2})


def test_other_records_are_known_by_what_they_say() -> None:
    one, other = message("hello"), message("goodbye")
    assert words(one, other) == (
        f"it is so, but it is the user message 'hello' ({one.id[:8]})"
        f" instead of the user message 'goodbye' ({other.id[:8]})."
    )


def test_lists_of_other_lengths_say_what_is_missing() -> None:
    one, other = message("hello"), message("goodbye")
    assert "there are 1 instead of 2, without the user message 'goodbye'" in words(
        [one], [one, other]
    )
    finding = Finding("here", "Something is wrong.")
    assert words([finding], []).endswith("there are 1 instead of 0, with 'Something is wrong.'.")
    with pytest.raises(AssertionError, match="there is one, but there are 2 instead of 1"):
        only([1, 2], "there is one")


def test_large_texts_are_shown_where_they_differ() -> None:
    large = "0123456789" * 400_000
    verdict = words([message(large)], [message(large)])
    assert len(verdict) < 600
    text: Message = message(large)
    verdict = words(text._replace(content=large[:-1] + "x"), text)
    assert "from character 3999999 on" in verdict
    assert len(verdict) < 300
    assert "(3999990 characters in all)" in words(large[:-10], large)


def test_what_should_be_refused_and_is_not() -> None:
    with (
        pytest.raises(AssertionError, match="open\\(\\) raises StorageError, but it raised not"),
        refuses(StorageError, "open()"),
    ):
        pass
    with (
        pytest.raises(AssertionError, match="raises StorageError, but it raised KeyError\\('x'\\)"),
        refuses(StorageError, "open()"),
    ):
        raise KeyError("x")


def test_what_changes_a_store_is_reported() -> None:
    store = MemoryStorage()
    session_id = store.create("first").session_id
    with (
        pytest.raises(
            AssertionError, match="reading changes nothing, but sessions\\(\\): number 1"
        ),
        unchanged(store, "reading"),
    ):
        say(store, session_id, "hello")
