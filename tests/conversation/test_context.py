from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.context import (
    OVERHEAD,
    reply_reserve,
    select,
    sendable,
    system_message,
    turns,
)
from agno_shell.types import Message, new_id, now


def message(role: str, content: str) -> Message:
    return Message(new_id(), role, content, now())  # type: ignore[arg-type]


async def words(messages: Sequence[Message]) -> list[int]:
    return [len(m.content.split()) for m in messages]


def dialogue(*pairs: tuple[str, str]) -> list[Message]:
    return [
        message(role, text)
        for question, answer in pairs
        for role, text in (("user", question), ("assistant", answer))
    ]


def contents(messages: Sequence[Message]) -> list[str]:
    return [m.content for m in messages]


async def test_everything_is_sent_when_it_fits() -> None:
    history = [*dialogue(("a", "b")), message("user", "c")]
    selection = await select(history, system=None, budget=1000, count=words)
    assert contents(selection.messages) == ["a", "b", "c"]
    assert selection.omitted == 0


async def test_counting_is_spared_when_everything_surely_fits() -> None:
    async def never(_messages: Sequence[Message]) -> list[int]:
        raise AssertionError("counted")

    selection = await select([message("user", "x" * 50)], system=None, budget=100, count=never)
    assert len(selection.messages) == 1


async def test_the_newest_turns_that_fit_are_sent_whole() -> None:
    long = " ".join(["word"] * 20)
    history = [*dialogue((long, long), ("short", long)), message("user", "now")]
    budget = 1 + OVERHEAD + 21 + 2 * OVERHEAD
    selection = await select(history, system=None, budget=budget, count=words)
    assert contents(selection.messages) == ["short", long, "now"]
    assert selection.omitted == 2
    selection = await select(history, system=None, budget=budget - 1, count=words)
    assert contents(selection.messages) == ["now"]
    assert selection.omitted == 4


async def test_the_system_text_and_pinned_turns_always_go() -> None:
    long = " ".join(["word"] * 20)
    history = [*dialogue(("pinned", "yes"), (long, long)), message("user", "now")]
    system = system_message("Be brief.", {})
    selection = await select(history, system=system, budget=40, count=words, pinned={history[1].id})
    assert contents(selection.messages) == ["Be brief.", "pinned", "yes", "now"]


async def test_a_question_that_is_too_large_is_sent_all_the_same() -> None:
    selection = await select([message("user", "word " * 99)], system=None, budget=10, count=words)
    assert len(selection.messages) == 1


async def test_empty_replies_are_never_sent() -> None:
    history = [message("user", "a"), message("assistant", " \n"), message("user", "b")]
    selection = await select(history, system=None, budget=1000, count=words)
    assert contents(selection.messages) == ["a", "b"]


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=30))),
    st.integers(0, 200),
)
async def test_what_is_sent_is_a_suffix_of_whole_turns(
    said: list[tuple[str, str]], budget: int
) -> None:
    history = [*(message(role, text) for role, text in said), message("user", "now")]
    selection = await select(history, system=None, budget=budget, count=words)
    sent = [m.id for m in selection.messages]
    every = [m.id for m in history if sendable(m)]
    assert every[len(every) - len(sent) :] == sent
    assert selection.omitted == len(every) - len(sent)
    starts = {group[0].id for group in turns([m for m in history if sendable(m)])}
    assert sent[0] in starts or sent == every


def test_facts_and_instructions_make_one_system_message() -> None:
    made = system_message(" Be exact. ", {"domain": "finance", "year": 2026, "tags": ["a"]})
    assert made is not None
    assert made.content == ('Be exact.\n\nFacts:\n- domain: finance\n- year: 2026\n- tags: ["a"]')
    assert system_message("", {}) is None


@pytest.mark.parametrize(
    ("parameters", "reserve"),
    [
        ({}, 1000),
        ({"max_tokens": 10}, 10),
        ({"max_tokens": 9999}, 1000),
        ({"max_tokens": "x"}, 1000),
    ],
)
def test_room_is_kept_for_the_reply(parameters: dict[str, object], reserve: int) -> None:
    assert reply_reserve(4000, parameters) == reserve
