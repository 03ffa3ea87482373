"""A reply of each protocol, a server that plays the services, and both providers that ask them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.services import BY_PREFIX
from agno_shell.builtin.model_services.wires import (
    anthropic,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from agno_shell.builtin.model_services.wires.wire import Wire
from agno_shell.contracts import Provider, ProviderOptions
from agno_shell.events import (
    Event,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReported,
)
from agno_shell.testing.model_replies import Behaviour, Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, ToolCall, ToolSchema, new_id, now

ARGUMENTS = '{"a": 1}'


class Sample(NamedTuple):
    """A thought, a text in two pieces, a call of a tool, and counts."""

    wire: Wire
    model: str
    """One that is asked by this protocol, and thinks where that has a form."""
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
        return common | {"choices": [choice]}

    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    call = {"index": 0, "id": "call_1", "type": "function"}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
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
        common | {"choices": [], "usage": usage},
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
    events.append(b"data: [DONE]\n\n")
    return Sample(openai_chat.WIRE, "openai/test-model", events, 6, whole)


def claude() -> Sample:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0}
    thinking = {"type": "thinking", "thinking": "Add them.", "signature": "signed-by-claude"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "add"}
    start = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": []}

    def begin(index: int, block: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": block}

    def delta(index: int, kind: str, name: str, value: str) -> dict[str, Any]:
        piece = {"type": kind, name: value}
        return {"type": "content_block_delta", "index": index, "delta": piece}

    def stop(index: int) -> dict[str, Any]:
        return {"type": "content_block_stop", "index": index}

    events = sse(
        {"type": "message_start", "message": start | {"usage": usage | {"output_tokens": 1}}},
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
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
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
    return Sample(anthropic.WIRE, "anthropic/claude-sonnet-4-5", events, len(events) - 1, whole)


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

    def event(parts: list[dict[str, Any]], tokens: int, **more: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **more}
        said = {"candidatesTokenCount": tokens, "thoughtsTokenCount": 5}
        usage = counts | said | {"totalTokenCount": 105 + tokens}
        return {"candidates": [candidate], "usageMetadata": usage}

    events = [event([part], 5 * number) for number, part in enumerate(parts)]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    whole = event(parts, 15, finishReason="STOP")
    return Sample(gemini.WIRE, "gemini/gemini-2.5-flash", sse(*events), len(events) - 1, whole)


def llama() -> Sample:
    call = {"function": {"name": "add", "arguments": {"a": 1}}}
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 100, "eval_count": 20}

    def line(**said: Any) -> dict[str, Any]:
        message = {"role": "assistant", "content": "", **said}
        return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message}

    lines = [
        line(thinking="Add them.") | {"done": False},
        line(content="I ") | {"done": False},
        line(content="add.") | {"done": False},
        line(tool_calls=[call]) | {"done": False},
        line() | counts,
    ]
    whole = line(thinking="Add them.", content="I add.", tool_calls=[call]) | counts
    events = [json.dumps(each).encode() + b"\n" for each in lines]
    return Sample(ollama.WIRE, "ollama_chat/qwen3", events, len(events) - 1, whole)


def responses() -> Sample:
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Add them."}],
        "encrypted_content": "encrypted-by-openai",
    }
    text = {"type": "output_text", "text": "I add.", "annotations": []}
    said = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    said["content"] = [text]  # type: ignore[assignment]
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add"}
    called = call | {"arguments": ARGUMENTS, "status": "completed"}
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 90},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }
    begun = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5.4-mini"}
    begun |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": []}
    whole = begun | {"status": "completed", "output": [thought, said, called], "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun | {"status": "in_progress"}},
        {"type": "response.reasoning_summary_text.delta", "delta": "Add them."},
        {"type": "response.output_item.done", "output_index": 0, "item": thought},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "I "},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "add."},
        {"type": "response.output_item.done", "output_index": 1, "item": said},
        {"type": "response.output_item.added", "item": call | {"arguments": ""}},
        {"type": "response.function_call_arguments.delta", "delta": ARGUMENTS},
        {"type": "response.output_item.done", "item": called},
        {"type": "response.completed", "response": whole},
    ]
    place = {"item_id": "item", "output_index": 2, "content_index": 0, "summary_index": 0}
    numbered = [place | {"sequence_number": n} | each for n, each in enumerate(events)]
    named = sse(*numbered, named=True)
    return Sample(openai_responses.WIRE, "openai/gpt-5.4-mini", named, len(named) - 1, whole)


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


# Who answers, and who asks -----------------------------------------------------------------

ADD = ToolSchema("add", "Adds two numbers.", {"type": "object", "properties": {}})

Talk = Callable[..., Awaitable[list[Event]]]


@pytest.fixture(scope="session")
def running_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def server(running_server: ModelServer) -> ModelServer:
    """The shared server, without anything planned or recorded."""
    running_server.forget()
    return running_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def litellm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LitellmProvider]:
    """One model process for all tests; importing litellm takes seconds."""
    log = str(tmp_path_factory.mktemp("litellm") / "litellm.log")
    provider = LitellmProvider(ProviderOptions(log=log))
    await provider.start()
    yield provider
    await provider.close()


@pytest_asyncio.fixture(loop_scope="session")
async def direct(
    running_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DirectProvider]:
    """Every service is where the server is, as if that were its own address: the responses API
    is asked nowhere else."""
    root = running_server.base_url.removesuffix("/v1")
    for prefix, service in list(BY_PREFIX.items()):
        path = "/v1" if service.wire == "openai" else ""
        monkeypatch.setitem(BY_PREFIX, prefix, service._replace(url=root + path))
        for variable in service.address_variables:
            monkeypatch.delenv(variable, raising=False)
        for variable in service.key_variables:
            monkeypatch.setenv(variable, f"sk-fake-{service.stem.lower()}-0000")
    provider = DirectProvider(ProviderOptions())
    yield provider
    await provider.close()


@pytest.fixture(params=["direct", "litellm"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """What :func:`talk` asks: each provider in turn."""
    chosen: Provider = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def talk(provider: Provider, server: ModelServer) -> Talk:
    """Asks the server that plays a service, by the protocol of a sample; the model thinks, and
    has a tool. The answer is that of the sample, or ``answer``; ``see`` sees each event as it
    comes."""
    root = server.base_url.removesuffix("/v1")

    async def ask(
        sample: Sample,
        *messages: Message,
        answer: Behaviour | None = None,
        see: Callable[[Event], None] = lambda _event: None,
        **fields: Any,
    ) -> list[Event]:
        server.plan(answer or streamed(sample.events))
        asked = {"model": sample.model, "reasoning": "low", "tools": (ADD,), **fields}
        if provider.name == "litellm":
            is_at_v1 = sample.wire in (openai_chat.WIRE, openai_responses.WIRE)
            asked.setdefault("api_base", server.base_url if is_at_v1 else root)
        request = Request(messages=messages or (said(),), **asked)
        events = []
        async for event in provider.stream(request):
            see(event)
            events.append(event)
        return events

    return ask


def streamed(pieces: Sequence[bytes]) -> Behaviour:
    """A behaviour that sends a body in these pieces, and ends it well."""

    async def behave(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in pieces:
            exchange.send(piece)
        await exchange.end_stream()

    return behave


def said(text: str = "1 + 2?") -> Message:
    return Message(new_id(), "user", text, now())


@pytest.fixture
def question() -> Callable[..., Message]:
    return said


@pytest.fixture
def kept(provider: Provider) -> Callable[[list[Event]], Message]:
    """What the engine would keep of a reply."""

    def keep(events: list[Event]) -> Message:
        ended = events[-1]
        assert isinstance(ended, Finished), ended
        return Message(
            new_id(),
            "assistant",
            "".join(event.text for event in events if isinstance(event, TextDelta)),
            now(),
            tool_calls=tuple(event for event in events if isinstance(event, ToolCall)),
            provider_data={provider.name: dict(ended.provider_data)},
        )

    return keep


def whole_reply(events: list[Event], name: str, what: object = "") -> None:
    """These are the whole reply of a sample."""
    ended = events[-1]
    assert isinstance(ended, Finished), (ended, what)
    assert ended.reason == "tool_calls"
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    thoughts = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert (thoughts, text) == ("Add them.", "I add."), what
    (call,) = (event for event in events if isinstance(event, ToolCall))
    assert (call.name, json.loads(call.arguments)) == ("add", {"a": 1})
    assert call.id
    (report,) = (event for event in events if isinstance(event, UsageReported))
    assert (report.usage.input_tokens, report.usage.output_tokens) == (100, 20)
    if name != "ollama":
        assert report.usage.cached_tokens == 90


@pytest.fixture
def check_whole() -> Callable[..., None]:
    return whole_reply
