"""Pieces of tool calls, thinking blocks and token counts, put together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agno_shell.builtin.litellm_provider.deltas import ThinkingBlocks, ToolCalls, usage_record
from agno_shell.events import ToolCall
from agno_shell.types import Usage


def piece(index: int, arguments: str = "", **known: Any) -> SimpleNamespace:
    function = SimpleNamespace(name=known.get("name"), arguments=arguments)
    return SimpleNamespace(index=index, id=known.get("id"), function=function)


def test_interleaved_calls_are_told_apart_by_index() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, id="a", name="add"), piece(1, id="b", name="sub")])
    assert calls.feed([piece(1, "{2"), piece(0, "{1")]) == 4
    calls.feed([piece(0, "}"), piece(1, "}")])
    assert list(calls.events()) == [ToolCall("a", "add", "{1}"), ToolCall("b", "sub", "{2}")]
    assert calls.as_fields()[1]["function"] == {"name": "sub", "arguments": "{2}"}


def test_no_calls_make_no_events() -> None:
    calls = ToolCalls()
    assert calls.feed(None) == 0
    assert list(calls.events()) == []


def test_a_thought_ends_with_its_signature() -> None:
    thinking = ThinkingBlocks()
    for text, signature in (("One ", ""), ("thought.", ""), ("", "sig-1"), ("Another.", "sig-2")):
        thinking.feed([{"type": "thinking", "thinking": text, "signature": signature}])
    thinking.feed([{"type": "redacted_thinking", "data": "x"}])
    assert thinking.blocks == [
        {"type": "thinking", "thinking": "One thought.", "signature": "sig-1"},
        {"type": "thinking", "thinking": "Another.", "signature": "sig-2"},
        {"type": "redacted_thinking", "data": "x"},
    ]


def test_counts_that_were_not_sent_are_unknown_and_not_zero() -> None:
    assert usage_record({"prompt_tokens": 3}, None) == Usage(input_tokens=3)
    details = SimpleNamespace(cached_tokens=2)
    assert usage_record({"prompt_tokens_details": details}, 0.1) == Usage(cached_tokens=2, cost=0.1)


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, "{", id="a", name="f"), piece(0, "{", id="b", name="g")])
    calls.feed([piece(0, "}")])
    assert list(calls.events()) == [ToolCall("a", "f", "{"), ToolCall("b", "g", "{}")]
