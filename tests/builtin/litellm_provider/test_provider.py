"""The provider against a real server, through a real model process: what goes well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.contracts import Abilities, Provider, ProviderOptions
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReported,
)
from agno_shell.testing.model_server import ModelServer, Script
from agno_shell.testing.provider_contract import QUESTION, ProviderContract
from agno_shell.types import Message, ToolCall, ToolSchema, Usage, new_id, now

Ask = Callable[..., Coroutine[Any, Any, list[Event]]]

ADD = ToolSchema("add", "Adds two numbers.", {"type": "object", "properties": {}})

pytestmark = pytest.mark.asyncio(loop_scope="session")


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


class TestContract(ProviderContract):
    @pytest.fixture
    def provider(self, litellm: LitellmProvider) -> Provider:
        return litellm

    @pytest.fixture
    def make_provider(self) -> Callable[[], Provider]:
        return lambda: LitellmProvider(ProviderOptions())

    @pytest.fixture
    def model(self) -> str:
        return "test-model"

    @pytest.fixture
    def api_base(self, server: ModelServer) -> str:
        return server.base_url

    @pytest.fixture
    def expected_reply(self) -> str:
        return f"You said: {QUESTION} (1 messages)"

    @pytest.fixture
    def failing_request(self, make_request: Callable[..., Request]) -> Request:
        return make_request("Hello", model="no-such-model", api_base=None)


async def test_a_reply_its_usage_and_its_end_arrive(ask: Ask, server: ModelServer) -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    server.reply(["Hel", "lo", "!"], usage=usage)
    events = await ask()
    assert text_of(events) == "Hello!"
    assert events[-2:] == [UsageReported(Usage(7, 5, 2, 4, None)), Finished("stop")]


async def test_the_request_holds_the_conversation_and_the_parameters(
    ask: Ask, server: ModelServer
) -> None:
    await ask("One", "Two", "Three", parameters={"temperature": 0.25, "max_tokens": 9})
    body = server.requests[0].body
    assert [(m["role"], m["content"]) for m in body["messages"]] == [
        ("user", "One"),
        ("assistant", "Two"),
        ("user", "Three"),
    ]
    assert body["model"] == "test-model"
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert (body["temperature"], body["max_tokens"]) == (0.25, 9)


async def test_text_that_is_no_ascii_arrives_as_it_was_sent(ask: Ask, server: ModelServer) -> None:
    said = "naïve — 日本語 🦉 \x1b[31m \u202e \u2028"
    server.reply(list(said))
    assert text_of(await ask(said)) == said
    assert server.requests[0].body["messages"][0]["content"] == said


async def test_what_a_model_of_that_name_costs_at_another_server_nobody_knows(
    ask: Ask, server: ModelServer
) -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    server.reply("x", usage=usage)
    (report,) = [e for e in await ask(model="openai/gpt-4o-mini") if isinstance(e, UsageReported)]
    assert report.usage.cost is None


async def test_reasoning_is_told_apart_from_text(ask: Ask, server: ModelServer) -> None:
    server.reasoning(["First ", "think."], "Then say.")
    events = await ask()
    thoughts = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert thoughts == "First think."
    assert text_of(events) == "Then say."


async def test_a_tool_call_is_put_together_and_handed_back(
    ask: Ask, server: ModelServer, litellm: LitellmProvider
) -> None:
    server.tool_call("add", ['{"a": 1,', ' "b": 2}'])
    events = await ask()
    assert ToolCall("call_1", "add", '{"a": 1, "b": 2}') in events
    ended = events[-1]
    assert isinstance(ended, Finished)
    assert ended.reason == "tool_calls"

    asked = Message(
        *(new_id(), "assistant", "", now()),
        tool_calls=(ToolCall("call_1", "add", '{"a": 1, "b": 2}'),),
        provider_data={"litellm": ended.provider_data, "other": {"tool_calls": "not ours"}},
    )
    result = Message(new_id(), "tool", "3", now(), tool_call_id="call_1")
    messages = (Message(new_id(), "user", "1 + 2?", now()), asked, result)
    request = Request("test-model", messages, api_base=server.base_url, tools=(ADD,))
    assert isinstance([event async for event in litellm.stream(request)][-1], Finished)
    body = server.requests[-1].body
    _, sent, answer = body["messages"]
    assert sent["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1, "b": 2}'}
    assert answer["tool_call_id"] == sent["tool_calls"][0]["id"] == "call_1"
    assert body["tools"] == [{"type": "function", "function": ADD._asdict()}]


async def test_a_call_is_one_although_the_server_says_stop(ask: Ask, server: ModelServer) -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    server.script(Script([{"tool_calls": [call]}], "stop"))
    events = await ask(tools=(ADD,))
    assert ToolCall("c", "f", "") in events
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "tool_calls"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_other_finish_reasons_are_passed_on(
    ask: Ask, server: ModelServer, reason: str
) -> None:
    server.reply("Half", finish=reason)
    assert (await ask())[-1] == Finished(reason)


async def test_the_end_does_not_wait_long_for_the_usage(ask: Ask, server: ModelServer) -> None:
    server.reply("x", usage_delay=30)
    assert (await ask())[-1] == Finished("stop")


async def test_equal_pieces_are_no_endless_loop(ask: Ask, server: ModelServer) -> None:
    server.reply(["same "] * 300)
    assert text_of(await ask()) == "same " * 300


async def test_a_burst_arrives_whole_in_few_events(ask: Ask, server: ModelServer) -> None:
    pieces = [f"word{number} " for number in range(2000)]
    server.reply(pieces)
    events = await ask()
    assert text_of(events) == "".join(pieces)
    assert len(events) < 1000, "pieces of one network read travel together"


async def test_many_requests_share_one_connection_to_the_process(
    ask: Ask, server: ModelServer
) -> None:
    replies = await asyncio.gather(*(ask(f"number {n}") for n in range(8)))
    assert [text_of(events) for events in replies] == [
        f"You said: number {n} (1 messages)" for n in range(8)
    ]


async def test_closing_the_iterator_closes_the_connection(
    litellm: LitellmProvider, server: ModelServer, make_request: Callable[..., Request]
) -> None:
    server.stall(["a"])
    events = litellm.stream(make_request("Hello", api_base=server.base_url))
    assert await anext(events) == TextDelta("a")
    await events.aclose()
    assert await asyncio.to_thread(server.wait_for_disconnect)


async def test_cancelling_while_waiting_for_the_first_token_closes_the_connection(
    ask: Ask, server: ModelServer
) -> None:
    server.stall()
    asking = asyncio.create_task(ask())
    assert await asyncio.to_thread(server.wait_for_requests)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(server.wait_for_disconnect)


async def test_cancelling_a_burst_closes_the_connection(
    litellm: LitellmProvider, server: ModelServer, make_request: Callable[..., Request]
) -> None:
    server.reply([f"word{number} " for number in range(50_000)])
    events = litellm.stream(make_request("Hello", api_base=server.base_url))
    await anext(events)
    await events.aclose()
    assert await asyncio.to_thread(server.wait_for_disconnect)


@pytest.mark.parametrize(
    ("model", "window"), [("gpt-4o-mini", 128_000), ("test-model", None), ("ollama/llama3", None)]
)
async def test_the_context_window_comes_from_the_tables(
    litellm: LitellmProvider, model: str, window: int | None
) -> None:
    assert await litellm.context_window(model) == window


@pytest.mark.parametrize(
    ("model", "price"), [("gpt-4o-mini", 1.5e-07), ("test-model", None), ("ollama/llama3", 0.0)]
)
async def test_the_price_of_what_is_sent_comes_from_the_tables(
    litellm: LitellmProvider, model: str, price: float | None
) -> None:
    assert await litellm.input_price(model) == price


async def test_models_are_those_whose_keys_are_set(litellm: LitellmProvider) -> None:
    names = await litellm.models()
    assert "claude-haiku-4-5" in names
    assert not [name for name in names if name.startswith(("gpt-", "groq/", "mistral/"))]


async def test_tokens_are_counted_by_the_models_own_tokenizer(litellm: LitellmProvider) -> None:
    text = " ".join(["antidisestablishmentarianism"] * 20)
    message = Message(new_id(), "user", text, now())
    assert (await litellm.count_tokens("openai/gpt-4o", [message])).exact
    counted = await litellm.count_tokens("gpt-4o", [message])
    assert counted.tokens == [124]  # 6 a word, as tiktoken counts with o200k_base, and 4
    assert counted.exact


@pytest.mark.parametrize(
    "model", ["claude-sonnet-4-5", "ollama_chat/llama3.2", "openai/nobody-knows-it", "gpt-6-sol"]
)
async def test_an_estimate_is_called_one(litellm: LitellmProvider, model: str) -> None:
    counted = await litellm.count_tokens(model, [Message(new_id(), "user", "Hello", now())])
    assert not counted.exact
    assert counted.tokens[0] > 4


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4o", Abilities(images=True, pdf=True, tools=True, reasoning=False)),
        ("claude-sonnet-4-5", Abilities(images=True, pdf=True, tools=True, reasoning=True)),
        ("gpt-3.5-turbo", Abilities(images=False, pdf=False, tools=True, reasoning=False)),
        ("openai/nobody-knows-it", Abilities()),
        ("ollama_chat/nobody-knows-it", Abilities()),
    ],
)
async def test_abilities_come_from_the_tables(
    litellm: LitellmProvider, model: str, expected: Abilities
) -> None:
    assert await litellm.abilities(model) == expected


async def test_nobody_is_contacted_but_the_servers_that_were_asked(
    litellm: LitellmProvider, ask: Ask, surroundings: Any
) -> None:
    await ask()
    # Names that make litellm look for tokenizers, and for local servers, elsewhere.
    messages = [Message(new_id(), "user", "Hello there", now())]
    for model in ("meta-llama/llama-3-8b", "command-r", "replicate/x", "ollama/llama3"):
        await litellm.count_tokens(model, messages)
        await litellm.context_window(model)
        await litellm.abilities(model)
    await litellm.models()
    await litellm.check()
    assert surroundings.connections(), "connections are noted at all"
    foreign = [
        (event, address)
        for event, address in surroundings.connections()
        if "127.0.0.1" not in address and "localhost" not in address
    ]
    assert foreign == []


async def test_the_setup_is_checked(litellm: LitellmProvider, keyed: LitellmProvider) -> None:
    assert await litellm.check() == []
    assert await keyed.check() == []


async def test_an_unknown_model_is_answered_before_anything_is_sent(
    ask: Ask, surroundings: Any
) -> None:
    before = len(surroundings.connections())
    (failed,) = await ask(model="gpt-4o-minni", api_base=None)
    assert isinstance(failed, Failed)
    assert failed.kind == "unknown_model"
    assert "gpt-4o-mini" in failed.hint
    assert len(surroundings.connections()) == before


async def test_a_server_that_refuses_the_wish_for_usage_is_asked_without_it(
    ask: Ask, server: ModelServer
) -> None:
    server.status(400, "Unknown field: stream_options")
    events = await ask()
    assert events[-1] == Finished("stop")
    wishes = ["stream_options" in request.body for request in server.requests]
    assert wishes == [True, False]


async def test_a_lone_surrogate_does_not_stop_a_session(ask: Ask, server: ModelServer) -> None:
    events = await ask("Hello", "half a pair: \ud83d", "And now?")
    assert events[-1] == Finished("stop")
    assert server.requests[0].body["messages"][1]["content"] == "half a pair: \ufffd"


async def test_the_old_name_of_a_finish_reason_is_one_of_the_four(
    ask: Ask, server: ModelServer
) -> None:
    server.reply("x", finish="function_call")
    assert (await ask())[-1] == Finished("tool_calls")


@pytest.mark.parametrize("model", ["lm_studio/x", "hosted_vllm/x"])
async def test_a_local_servers_message_goes_nowhere_without_an_address(
    ask: Ask, surroundings: Any, model: str
) -> None:
    before = len(surroundings.connections())
    (failed,) = await ask(model=model, api_base=None)
    assert isinstance(failed, Failed)
    assert "no address is set" in failed.message
    assert len(surroundings.connections()) == before
