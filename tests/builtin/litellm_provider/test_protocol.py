"""The line protocol: both directions."""

from __future__ import annotations

import io
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.litellm_provider.protocol import (
    decode,
    encode,
    event_record,
    list_files,
    read_files,
    record_event,
    request_record,
)
from agno_shell.builtin.model_services.sendable import message_record, sendable
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Request,
    SpeakerChanged,
    TextDelta,
    UsageReported,
)
from agno_shell.types import Attachment, Message, ToolCall, ToolSchema, Usage, new_id, now

EVENTS: list[Event] = [
    TextDelta("text"),
    ReasoningDelta("thought"),
    ToolCall("1", "add", '{"a": 1}'),
    ProviderToolStarted(ToolCall("1", "search", "")),
    ProviderToolFinished(ToolCall("1", "search", "{}"), "found", "failed"),
    SpeakerChanged("Ada"),
    SpeakerChanged(),
    HiddenDelta(),
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


def test_a_failure_keeps_whether_it_is_worth_another_try() -> None:
    failed = Failed("rate_limited", "Slowly.", temporary=True, retry_after=7.5)
    assert record_event(decode(encode(event_record(failed)))) == failed


def test_what_another_provider_kept_does_not_cross_the_pipe() -> None:
    kept = {"litellm": {"origin": "x"}, "other": {"secret": 1}}
    said = Message(new_id(), "assistant", "Hi", now(), provider_data=kept)
    assert message_record(said) == {
        "role": "assistant",
        "content": "Hi",
        "private": {"origin": "x"},
    }
    assert "private" not in message_record(said._replace(role="user"))


def test_a_request_is_json_with_all_that_it_holds() -> None:
    attachment = Attachment("cat.png", "image/png", "ab", 3)
    call = ToolCall("1", "add", "{}")
    messages = (
        Message(new_id(), "user", "See.", now(), attachments=(attachment,)),
        Message(new_id(), "assistant", "", now(), tool_calls=(call,)),
        Message(new_id(), "tool", "3", now(), tool_call_id="1"),
    )
    schema = MappingProxyType({"type": "object"})
    tool = ToolSchema("add", "Adds.", schema)
    request = Request("m", messages, {"seed": 1}, "http://x/v1", (tool,), "low", {"ab": b"cat"})
    record = decode(encode(request_record(request)))
    assert record == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "See.", "attachments": [attachment._asdict()]},
            {"role": "assistant", "content": "", "tool_calls": [call._asdict()]},
            {"role": "tool", "content": "3", "tool_call_id": "1"},
        ],
        "parameters": {"seed": 1},
        "api_base": "http://x/v1",
        "tools": [{"name": "add", "description": "Adds.", "parameters": {"type": "object"}}],
        "reasoning": "low",
    }


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="frozenset"):
        encode({"stop": frozenset({"x"})})


def test_files_follow_their_record() -> None:
    files = {"a": b"one\n", "b": b"", "c": bytes(range(256))}
    stream = io.BytesIO(b"".join(files.values()) + b"next")
    listed = decode(encode({"files": list_files(files)}))["files"]
    assert read_files(listed, stream) == files
    assert stream.read() == b"next"


def test_a_file_that_ends_too_early_is_no_file() -> None:
    with pytest.raises(EOFError):
        read_files([["a", 5]], io.BytesIO(b"1234"))


def test_lone_surrogates_do_not_leave_wherever_they_are() -> None:
    said = [{"content": "a\ud800b", "calls": [{"arguments": "\udfff"}], "n": 1}, "🦉"]
    assert sendable(said) == [
        {"content": "a\ufffdb", "calls": [{"arguments": "\ufffd"}], "n": 1},
        "🦉",
    ]
