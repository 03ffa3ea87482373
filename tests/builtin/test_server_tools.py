"""Both providers tell of the tools that a service runs itself, and never of a call of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from agno_shell.events import Event, Finished, ProviderToolFinished, ProviderToolStarted, TextDelta
from agno_shell.types import ToolCall

pytestmark = pytest.mark.asyncio(loop_scope="session")


def sse(*values: Mapping[str, Any]) -> list[bytes]:
    return [
        f"{'event: ' + value['type'] + chr(10) if 'type' in value else ''}"
        f"data: {json.dumps(value)}\n\n".encode()
        for value in values
    ]


def claude() -> list[bytes]:
    def begin(index: int, block: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": block}

    def delta(index: int, piece: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": piece}

    def stop(index: int) -> dict[str, Any]:
        return {"type": "content_block_stop", "index": index}

    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {
        "type": "web_search_result",
        "title": "Tides",
        "url": "https://tides.example/",
        "encrypted_content": "c2VjcmV0",
    }
    result = {
        "type": "web_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": [found],
    }
    start = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": []}
    usage = {"input_tokens": 100, "output_tokens": 1}
    return sse(
        {"type": "message_start", "message": start | {"usage": usage}},
        begin(0, {"type": "text", "text": ""}),
        delta(0, {"type": "text_delta", "text": "I look."}),
        stop(0),
        begin(1, use),
        delta(1, {"type": "input_json_delta", "partial_json": '{"query": '}),
        delta(1, {"type": "input_json_delta", "partial_json": '"tides"}'}),
        stop(1),
        begin(2, result),
        stop(2),
        begin(3, {"type": "text", "text": ""}),
        delta(3, {"type": "text_delta", "text": " Noon."}),
        stop(3),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    )


def google() -> list[bytes]:
    def event(*parts: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
        if finish:
            candidate["finishReason"] = finish
        return {"candidates": [candidate], "responseId": "r"}

    code = {"language": "PYTHON", "code": "print(12)"}
    return sse(
        event({"text": "I look."}),
        event({"executableCode": code}),
        event({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "12\n"}}),
        event({"text": " Noon."}, finish="STOP"),
    )


CALLS = {
    "anthropic": (claude, ToolCall("srvtoolu_1", "web_search", '{"query": "tides"}')),
    "gemini": (
        google,
        ToolCall("tool_1", "code_execution", '{"language": "PYTHON", "code": "print(12)"}'),
    ),
}
RESULTS = {"anthropic": "Tides · https://tides.example/", "gemini": "12\n"}


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_a_tool_of_the_service_is_told_of_and_not_asked_for(
    talk: Any, samples: Any, name: str
) -> None:
    events, call = CALLS[name]
    replies: list[Event] = await talk(samples[name]._replace(events=events()))
    assert isinstance(replies[-1], Finished), replies[-1]
    assert replies[-1].reason == "stop"
    assert not any(isinstance(event, ToolCall) for event in replies)
    told = [e for e in replies if isinstance(e, ProviderToolStarted | ProviderToolFinished)]
    assert told == [ProviderToolStarted(call), ProviderToolFinished(call, RESULTS[name])]
    assert _text(replies[: replies.index(told[0])]) == "I look."
    assert _text(replies[replies.index(told[1]) :]) == " Noon."


def _text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))
