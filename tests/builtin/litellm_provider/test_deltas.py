"""Pieces of tool calls, thinking blocks and token counts, put together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from agno_shell.builtin.litellm_provider.deltas import (
    ThinkingBlocks,
    Thoughts,
    ToolCalls,
    usage_record,
)
from agno_shell.types import ToolCall, Usage


def piece(index: int, arguments: str = "", **known: Any) -> SimpleNamespace:
    function = SimpleNamespace(name=known.get("name"), arguments=arguments)
    return SimpleNamespace(index=index, id=known.get("id"), function=function)


def test_interleaved_calls_are_told_apart_by_index() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, id="a", name="add"), piece(1, id="b", name="sub")])
    assert calls.feed([piece(1, "{2"), piece(0, "{1")]) == 4
    calls.feed([piece(0, "}"), piece(1, "}")])
    assert list(calls.events()) == [ToolCall("a", "add", "{1}"), ToolCall("b", "sub", "{2}")]


def test_what_the_service_has_run_itself_is_no_call() -> None:
    calls = ToolCalls()
    calls.feed(
        [piece(0, "{}", id="srvtoolu_1", name="web_search"), piece(1, "{}", id="b", name="f")]
    )
    calls.drop({"srvtoolu_1"})
    assert len(calls) == 1
    assert list(calls.events()) == [ToolCall("b", "f", "{}")]


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


def test_a_call_without_an_id_gets_one_of_its_own() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, "{}", name="f"), piece(1, "{}", name="g")])
    first, second = calls.events()
    assert first.id != second.id
    assert first.id.startswith("call_")


def test_a_signature_is_taken_out_of_the_id() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, "{}", id="call_1__thought__c2ln", name="f")])
    assert list(calls.events()) == [ToolCall("call_1", "f", "{}")]
    assert calls.signatures == {"call_1": "c2ln"}


def test_arguments_that_are_no_json_are_passed_on_as_they_came() -> None:
    calls = ToolCalls()
    calls.feed([piece(0, "not {json", id="a", name="f"), piece(1, "", id="b", name="g")])
    assert [call.arguments for call in calls.events()] == ["not {json", ""]


def test_thoughts_are_collected_in_every_form() -> None:
    thoughts = Thoughts()
    said = [
        SimpleNamespace(reasoning_content="One "),
        SimpleNamespace(reasoning_content="two.", reasoning_items=[{"id": "rs_1"}]),
        SimpleNamespace(thinking_blocks=[{"type": "thinking", "signature": "s"}]),
        SimpleNamespace(content="text"),
    ]
    assert [thoughts.feed(delta) for delta in said] == ["One ", "two.", "", ""]
    assert thoughts.text == "One two."
    assert thoughts.items == [{"id": "rs_1"}]
    assert thoughts.blocks == [{"type": "thinking", "thinking": "", "signature": "s"}]


def test_cached_tokens_are_found_under_each_of_their_names() -> None:
    for counts in (
        {"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 9},
        {"prompt_cache_hit_tokens": 9},
    ):
        assert usage_record(counts, None).cached_tokens == 9
