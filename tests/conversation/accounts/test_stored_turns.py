from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agno_shell.contracts import Step
from agno_shell.conversation.accounts.stored_turns import (
    duration,
    step_of,
    turns_of,
    with_id,
)
from agno_shell.types import (
    NEXT_SPEAKER,
    Message,
    ProviderTool,
    Role,
    Timing,
    ToolCall,
    Usage,
)

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def message(role: Role, text: str, at: float, **fields: Any) -> Message:
    """Made ``at`` seconds after the beginning, with its text as its id."""
    return Message(text, role, text, BEGIN + timedelta(seconds=at), **fields)


def reply(text: str, at: float, first: float | None, total: float | None, **fields: Any) -> Message:
    return message("assistant", text, at, model="m", timing=Timing(first, total), **fields)


def steps(step: Step) -> list[tuple[str, str, float, float | None]]:
    found = []
    for each in step.steps:
        took = None if each.took is None else round(each.took, 3)
        found.append((each.name, each.detail, round(each.began, 3), took))
        found += steps(each)
    return found


def test_a_turn_is_a_question_and_all_that_follows() -> None:
    path = [
        message("assistant", "cut off", 0),
        message("user", "one", 1),
        message("summary", "sum", 2),
        message("assistant", "two", 3),
        message("user", "three", 4),
        message("user", "four", 5),
        message("assistant", "five", 6, status="interrupted"),
    ]
    turns = turns_of(path)
    assert [(each.asked, [one.content for one in each.answers]) for each in turns] == [
        ("one", ["two"]),
        ("three", []),
        ("four", ["five"]),
    ]
    assert [each.status for each in turns] == ["complete", "unanswered", "interrupted"]
    assert [each.asked for each in with_id(turns, "t")] == ["one", "three"]
    assert [each.asked for each in with_id(turns, "five")] == ["four"]


def test_the_steps_of_a_turn_with_a_tool() -> None:
    calls = (ToolCall("c1", "read", "{}"),)
    (turn,) = turns_of(
        [
            message("user", "q", 0),
            reply("r1", 1.5, 1.5, 2.0, tool_calls=calls, usage=Usage(10, 2, cost=0.5)),
            message("tool", "t", 3.0, tool_call_id="c1", status="failed"),
            reply("r2", 4.0, 1.0, 2.0),
        ]
    )
    assert steps(step_of(turn)) == [
        ("request", "m", 0.0, 2.0),
        ("first token", "", 1.5, None),
        ("tool call", "read", 2.0, None),
        ("usage", "10 tokens in · 2 out · $0.5000", 2.0, None),
        ("finish", "tool_calls", 2.0, None),
        ("tool", "read: failed", 3.0, None),
        ("request", "m", 3.0, 2.0),
        ("first token", "", 4.0, None),
        ("finish", "stop", 5.0, None),
    ]
    assert (step_of(turn).detail, duration(turn)) == ("m, complete", 5.0)


def test_who_spoke_and_what_the_provider_ran_is_within_the_request() -> None:
    tools = (
        ProviderTool("1", "search", "{}", seconds=0.5),
        ProviderTool("2", "run", status="failed"),
    )
    part: dict[str, Any] = {"extra": {"finish_reason": NEXT_SPEAKER}}
    path = [
        message("user", "q", 0),
        message("assistant", "p", 1.0, speaker="Ada", provider_tools=tools, **part),
        reply("r", 2.0, 1.0, 3.0),
    ]
    (turn,) = turns_of(path)
    assert steps(step_of(turn)) == [
        ("request", "m", 0.0, 3.0),
        ("first token", "", 1.0, None),
        ("speaker", "Ada", 1.0, None),
        ("provider tool", "search", 1.0, 0.5),
        ("provider tool", "run: failed", 1.0, None),
        ("speaker", "the model", 2.0, None),
        ("finish", "stop", 3.0, None),
    ]
    (cut,) = turns_of(path[:2])  # after a crash
    assert [each[:2] for each in steps(step_of(cut))][-1] == ("finish", NEXT_SPEAKER)


@pytest.mark.parametrize(
    ("made", "first", "total"),
    [
        # A reply's own time is that of its first text: long after its first token where it
        # thought before it wrote.
        (8.0, 1.0, 10.0),
        # The question was asked again the next day: its time says nothing.
        (86_401.0, 1.0, 10.0),
    ],
)
def test_when_a_request_was_sent(made: float, first: float, total: float) -> None:
    began = 0.0 if made < total else made - first
    (turn,) = turns_of(
        [
            message("user", "q", 0),
            reply("r", made, first, total, tool_calls=(ToolCall("c", "read", "{}"),)),
            message("tool", "t", began + 11.0, tool_call_id="c"),
            reply("r2", began + 12.0, 1.0, 2.0),
        ]
    )
    shown = steps(step_of(turn))
    assert shown[:2] == [("request", "m", 0.0, 10.0), ("first token", "", 1.0, None)]
    assert ("tool", "read", 11.0, None) in shown
    assert ("request", "m", 11.0, 2.0) in shown
    assert duration(turn) == 13.0


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({"extra": {"error": {"kind": "limit", "message": "Wait."}}}, "failed (limit): Wait."),
        ({"extra": {"finish_reason": "length"}, "status": "incomplete"}, "length"),
        ({"status": "interrupted"}, "stopped by you"),
        ({"status": "failed", "extra": {"error": "a text"}}, "failed"),
        ({}, "stop"),
    ],
)
def test_how_a_reply_ended(fields: dict[str, Any], ending: str) -> None:
    (turn,) = turns_of([message("user", "q", 0), reply("r", 1.0, 1.0, 1.0, **fields)])
    assert steps(step_of(turn))[-1][:2] == ("finish", ending)


@pytest.mark.parametrize(
    "answer",
    [
        message("assistant", "r", 5),
        reply("r", 5, None, None),
        reply("r", 5, 1e300, 1e300),
        reply("r", 5, -1.0, -1.0),
        reply("r", 5, float("nan"), float("nan")),
        Message("r", "assistant", "r", datetime(1, 1, 1, tzinfo=UTC), timing=Timing(9.0, 9.0)),
    ],
)
def test_what_another_program_wrote_is_no_end(answer: Message) -> None:
    (turn,) = turns_of([message("user", "q", 0), answer])
    assert step_of(turn).steps[0].name == "request"
