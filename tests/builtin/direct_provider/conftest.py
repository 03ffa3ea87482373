"""One exchange of a protocol, over the real httpx client and a body that a test makes; and a
reply of each protocol: a thought, a text in two pieces, a call of a tool, and counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import httpx
import pytest

from agno_shell.builtin.direct_provider.client import Client
from agno_shell.builtin.direct_provider.endpoint import Endpoint
from agno_shell.builtin.direct_provider.exchange import Exchange
from agno_shell.builtin.direct_provider.refusals import Remembered
from agno_shell.builtin.direct_provider.services import COMPATIBLE
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import Case
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.wires import (
    anthropic,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from agno_shell.builtin.model_services.wires.wire import Post, Wire
from agno_shell.events import Event

Play = Callable[..., Awaitable[list[Event]]]


class Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes], error: Exception | None = None) -> None:
        self._pieces, self._error = pieces, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece
        if self._error:
            raise self._error


class Mocked:
    """A client that asks nobody."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        request = self._client.build_request("POST", url, content=content, headers=headers)
        return await self._client.send(request, stream=True)


async def played(
    wire: Wire,
    pieces: Sequence[bytes],
    *,
    error: Exception | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> list[Event]:
    """The events of a reply whose body arrives in these pieces, and then breaks with
    ``error`` if there is one."""

    async def answer(_request: httpx.Request) -> httpx.Response:
        given = {"content-type": "text/event-stream"} if headers is None else dict(headers)
        return httpx.Response(status, headers=given, stream=Body(pieces, error))

    url = "http://127.0.0.1:1/v1"
    goal = Destination("openai/m", "127.0.0.1:1", None, url)
    at = Endpoint(COMPATIBLE, "m", url, goal)
    case = Case(goal, "m", False, lambda text: text)
    post = Post("/path", {"model": "m"})

    def finish(_reader: Any) -> tuple[None, Mapping[str, Any]]:
        return None, {}

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        sender = cast("Client", Mocked(client))
        exchange = Exchange(sender, wire, post, at, case, Limits(), Remembered(), finish)
        events: list[Event] = []
        while not exchange.is_over:
            events += await exchange.more()
        await exchange.close()
    return events


@pytest.fixture
def play() -> Play:
    return played


ARGUMENTS = '{"a": 1}'


class Sample(NamedTuple):
    wire: Wire
    events: Sequence[bytes]
    """The pieces of a streamed body; the protocol's own end is in the last one, or in those
    from ``ends_at`` on."""
    ends_at: int
    whole: Mapping[str, Any]
    """The same reply from a server that does not stream."""


def sse(*values: Mapping[str, Any], named: bool = False) -> list[bytes]:
    def event(value: Mapping[str, Any]) -> bytes:
        name = f"event: {value['type']}\n" if named else ""
        return f"{name}data: {json.dumps(value)}\n\n".encode()

    return [event(value) for value in values]


def openai() -> Sample:
    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}

    call = {"index": 0, "id": "call_1", "type": "function"}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 90},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    events = sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Add them."}),
        chunk({"content": "I "}),
        chunk({"content": "add."}),
        chunk({"tool_calls": [call | {"function": {"name": "add", "arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
        chunk({}, "tool_calls"),
        {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage},
    )
    function = {"name": "add", "arguments": ARGUMENTS}
    message = {
        "role": "assistant",
        "reasoning_content": "Add them.",
        "content": "I add.",
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    whole = {"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage}
    return Sample(openai_chat.WIRE, [*events, b"data: [DONE]\n\n"], 6, whole)


def claude() -> Sample:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0}
    thinking = {"type": "thinking", "thinking": "Add them.", "signature": "signed-by-claude"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "add"}
    start = {"id": "m", "role": "assistant", "usage": usage | {"output_tokens": 1}}

    def begin(index: int, block: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": block}

    def delta(index: int, kind: str, name: str, value: str) -> dict[str, Any]:
        piece = {"type": kind, name: value}
        return {"type": "content_block_delta", "index": index, "delta": piece}

    def stop(index: int) -> dict[str, Any]:
        return {"type": "content_block_stop", "index": index}

    events = sse(
        {"type": "message_start", "message": start},
        {"type": "ping"},
        begin(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "thinking_delta", "thinking", "Add them."),
        delta(0, "signature_delta", "signature", "signed-by-claude"),
        stop(0),
        begin(1, {"type": "text", "text": ""}),
        delta(1, "text_delta", "text", "I "),
        delta(1, "text_delta", "text", "add."),
        stop(1),
        begin(2, use | {"input": {}}),
        delta(2, "input_json_delta", "partial_json", '{"a"'),
        delta(2, "input_json_delta", "partial_json", ": 1}"),
        stop(2),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
        named=True,
    )
    whole = {
        "type": "message",
        "role": "assistant",
        "content": [thinking, {"type": "text", "text": "I add."}, use | {"input": {"a": 1}}],
        "stop_reason": "tool_use",
        "usage": usage | {"output_tokens": 20},
    }
    return Sample(anthropic.WIRE, events, len(events) - 1, whole)


def google() -> Sample:
    call = {"functionCall": {"name": "add", "args": {"a": 1}}, "thoughtSignature": "signed-by-g"}
    parts: list[dict[str, Any]] = [
        {"text": "Add them.", "thought": True},
        {"text": "I "},
        {"text": "add."},
        call,
    ]
    # Counts come with every event, the reason only with the last.
    counts = {"promptTokenCount": 100, "cachedContentTokenCount": 90}

    def event(said: list[dict[str, Any]], tokens: int, **more: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": said}, "index": 0, **more}
        usage = counts | {"candidatesTokenCount": tokens, "thoughtsTokenCount": 5}
        return {"candidates": [candidate], "usageMetadata": usage}

    events = [event([part], 5 * number) for number, part in enumerate(parts)]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    whole = event(parts, 15, finishReason="STOP")
    return Sample(gemini.WIRE, sse(*events), len(events) - 1, whole)


def llama() -> Sample:
    call = {"function": {"name": "add", "arguments": {"a": 1}}}
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 100, "eval_count": 20}

    def line(**said: Any) -> dict[str, Any]:
        return {"model": "m", "message": {"role": "assistant", "content": "", **said}}

    lines = [
        line(thinking="Add them."),
        line(content="I "),
        line(content="add."),
        line(tool_calls=[call]),
        line() | counts,
    ]
    whole = line(thinking="Add them.", content="I add.", tool_calls=[call]) | counts
    events = [json.dumps(each).encode() + b"\n" for each in lines]
    return Sample(ollama.WIRE, events, len(events) - 1, whole)


def responses() -> Sample:
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Add them."}],
        "encrypted_content": "encrypted-by-openai",
    }
    said = {"type": "message", "content": [{"type": "output_text", "text": "I add."}]}
    call = {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": ARGUMENTS}
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 90},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
    }
    whole = {"status": "completed", "output": [thought, said, call], "usage": usage}
    events = sse(
        {"type": "response.created", "response": {"status": "in_progress"}},
        {"type": "response.reasoning_summary_text.delta", "delta": "Add them."},
        {"type": "response.output_item.done", "item": thought},
        {"type": "response.output_text.delta", "delta": "I "},
        {"type": "response.output_text.delta", "delta": "add."},
        {"type": "response.output_item.done", "item": said},
        {"type": "response.function_call_arguments.delta", "delta": ARGUMENTS},
        {"type": "response.output_item.done", "item": call},
        {"type": "response.completed", "response": whole},
        named=True,
    )
    return Sample(openai_responses.WIRE, events, len(events) - 1, whole)


SAMPLES = {
    "openai": openai(),
    "anthropic": claude(),
    "gemini": google(),
    "ollama": llama(),
    "responses": responses(),
}


@pytest.fixture(params=sorted(SAMPLES))
def name(request: pytest.FixtureRequest) -> str:
    """Of a protocol."""
    return str(request.param)


@pytest.fixture
def samples() -> Mapping[str, Sample]:
    return SAMPLES


@pytest.fixture
def sample(name: str) -> Sample:
    return SAMPLES[name]
