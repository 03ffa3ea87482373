"""Tokens of messages with all that they hold, and no download for it."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.litellm_provider import counting
from agno_shell.builtin.litellm_provider.counting import Tokenizer, count_messages
from agno_shell.builtin.model_services.sendable import message_record
from agno_shell.types import Attachment, Message, ToolCall, new_id, now

WORDS = Tokenizer(lambda text: len(text.split()), exact=True)


def record(content: str = "", **fields: Any) -> dict[str, Any]:
    return message_record(Message(new_id(), "user", content, now(), **fields))


def count(*messages: dict[str, Any], tokenizer: Tokenizer = WORDS) -> tuple[list[int], bool]:
    return count_messages(tokenizer, messages)


def test_each_message_costs_its_text_and_its_ends() -> None:
    assert count(record("one two"), record("")) == ([2 + counting.PER_MESSAGE, 4], True)
    assert count() == ([], True)


def test_calls_of_tools_are_counted_with_names_and_arguments() -> None:
    calls = (ToolCall("1", "add", "1 2 3"), ToolCall("2", "add", ""))
    assert count(record("x", tool_calls=calls))[0] == [1 + 4 + 5 + 2 * counting.PER_CALL]


@pytest.mark.parametrize(
    ("media_type", "size", "tokens"),
    [
        ("image/png", 10, counting.PER_IMAGE),
        ("image/jpeg", 10**7, counting.PER_IMAGE),
        ("application/pdf", 10, counting.PER_PAGE),
        ("application/pdf", 150_000, 2 * counting.PER_PAGE),
        ("application/pdf", 10**9, 100 * counting.PER_PAGE),
    ],
)
def test_files_are_estimated(media_type: str, size: int, tokens: int) -> None:
    file = Attachment("x", media_type, "ab", size)
    assert count(record("x", attachments=(file,))) == ([5 + tokens], False)


def test_a_text_file_stands_in_the_message_already() -> None:
    file = Attachment("x.txt", "text/plain", "ab", 9000)
    assert count(record("x", attachments=(file,))) == ([5], True)


def test_a_giant_text_is_estimated_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_COUNTED_WHOLE", 100)
    assert count(record("ab cd " * 100)) == ([34 * 6 + 4], False)


class Table:
    """A tokenizer's table without the table."""

    @staticmethod
    def encode(text: str, *, disallowed_special: tuple[str, ...]) -> list[int]:
        assert disallowed_special == ()
        return [0] * len(text)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that tiktoken was asked for."""
    names: list[str] = []
    monkeypatch.setattr("tiktoken.get_encoding", lambda name: names.append(name) or Table())
    monkeypatch.setattr(counting, "_is_bundled", lambda name: name in ("o200k_base", "cl100k_base"))
    return names


@pytest.mark.parametrize(
    ("name", "provider", "table", "exact"),
    [
        ("gpt-4o", "openai", "o200k_base", True),
        ("gpt-5.4-mini", "azure", "o200k_base", True),
        ("gpt-4", "openai", "cl100k_base", True),
        ("gpt-6-sol", "openai", "cl100k_base", False),  # tiktoken does not know it yet
        ("gpt-4o", "openrouter", "cl100k_base", False),
        ("text-davinci-003", "openai", "cl100k_base", False),  # its table is not there
        ("claude-sonnet-4-5", "anthropic", "cl100k_base", False),
    ],
)
def test_only_openais_own_models_are_counted_exactly(
    asked: list[str], name: str, provider: str, table: str, exact: bool
) -> None:
    tokenizer = counting.tokenizer(name, {"litellm_provider": provider})
    assert asked == [table]
    assert tokenizer.exact is exact
    assert tokenizer.count("x" * 100) == (100 if exact else 111)


def test_without_a_tokenizer_it_is_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> bool:
        raise ImportError

    monkeypatch.setattr(counting, "_is_bundled", missing)
    tokenizer = counting.tokenizer("gpt-4o", {"litellm_provider": "openai"})
    assert tokenizer.count("x" * 400) == 111
    assert not tokenizer.exact


def test_a_table_that_is_not_there_is_never_downloaded(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_is_bundled", lambda _name: False)
    tokenizer = counting.tokenizer("gpt-4o", {"litellm_provider": "openai"})
    assert tokenizer.count("x" * 400) == 111
    assert not tokenizer.exact
    assert asked == []
