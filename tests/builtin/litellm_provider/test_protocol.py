"""The line protocol: both directions, and what of a message goes to which model."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.litellm_provider.protocol import (
    decode,
    encode,
    event_record,
    model_messages,
    record_event,
    sendable,
)
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    UsageReported,
)
from agno_shell.types import Message, Role, Usage, new_id, now

EVENTS: list[Event] = [
    TextDelta("text"),
    ReasoningDelta("thought"),
    ToolCall("1", "add", '{"a": 1}'),
    UsageReported(Usage(1, 2, None, 0, 0.5)),
    Finished("length", {"model": "m"}),
    Failed("server", "It broke.", "Again."),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert record_event(decode(encode({"id": 3, **event_record(event)}))) == event


@given(st.text(st.characters()))
def test_any_text_is_one_ascii_line(text: str) -> None:
    line = encode(event_record(TextDelta(text)))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert record_event(decode(line)) == TextDelta(text)


def test_a_lone_surrogate_survives() -> None:
    assert record_event(decode(encode({"text": "\ud83d"}))) == TextDelta("\ud83d")


@pytest.mark.parametrize("line", [b"[]\n", b"3\n", b"{\n", b"\xff\n"])
def test_a_line_that_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode(line)


def test_a_record_without_an_event_is_refused() -> None:
    with pytest.raises(ValueError, match="no event"):
        record_event({"id": 1})


def message(role: Role, content: str, **private: object) -> Message:
    return Message(new_id(), role, content, now(), provider_data=private)


def sent(*messages: Message, model: str = "m") -> list[dict[str, object]]:
    return json.loads(json.dumps(list(model_messages(messages, model))))


def test_empty_replies_are_not_sent() -> None:
    assert [m["role"] for m in sent(message("user", ""), message("assistant", ""))] == ["user"]


def test_private_fields_go_back_to_the_model_that_gave_them() -> None:
    private = {"model": "m", "thinking_blocks": ["signed"]}
    reply = message("assistant", "Hi", litellm=private, other={"secret": 1})
    assert sent(reply) == [{"role": "assistant", "content": "Hi", "thinking_blocks": ["signed"]}]
    assert sent(reply, model="n") == [{"role": "assistant", "content": "Hi"}]


def test_private_fields_cannot_change_what_was_said() -> None:
    reply = message("assistant", "Hi", litellm={"content": "No", "role": "system"})
    assert sent(reply) == [{"role": "assistant", "content": "Hi"}]


def test_private_fields_of_a_persons_message_are_not_sent() -> None:
    assert sent(message("user", "Hi", litellm={"x": 1})) == [{"role": "user", "content": "Hi"}]


def test_a_tool_call_without_its_answer_is_left_out() -> None:
    call = message("assistant", "", litellm={"tool_calls": [{"id": "1"}]})
    answer = message("tool", "3", litellm={"tool_call_id": "1"})
    assert sent(call, message("user", "Never mind.")) == [
        {"role": "user", "content": "Never mind."}
    ]
    assert sent(call, answer) == [
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "3", "tool_call_id": "1"},
    ]


def test_lone_surrogates_do_not_leave_wherever_they_are() -> None:
    said = [{"content": "a\ud800b", "calls": [{"arguments": "\udfff"}], "n": 1}, "🦉"]
    assert sendable(said) == [
        {"content": "a\ufffdb", "calls": [{"arguments": "\ufffd"}], "n": 1},
        "🦉",
    ]
