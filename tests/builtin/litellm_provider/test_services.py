"""Replies in the forms of other services, through real litellm: what comes back is kept, and
goes back to the same model in the form in which it wants it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.events import (
    Event,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
    UsageReported,
)
from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, ToolCall, ToolSchema, new_id, now

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = ToolSchema("add", "Adds two numbers.", {"type": "object", "properties": {}})
ARGUMENTS = '{"a": 1}'


def streamed(events: Iterable[Mapping[str, Any]], *, lines: bool = False) -> Any:
    """A behaviour that sends events: named ones as server-sent events, or JSON lines."""

    async def behave(exchange: Exchange) -> None:
        exchange.begin_stream()
        for event in events:
            data = json.dumps(event)
            name = f"event: {event['type']}\n" if "type" in event else ""
            exchange.send(f"{data}\n".encode() if lines else f"{name}data: {data}\n\n".encode())
        await exchange.end_stream()

    return behave


def anthropic_reply() -> Any:
    """A signed thought, a text, a call; 90 of 100 tokens read from the cache."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Add "},
                {"type": "thinking_delta", "thinking": "them."},
                {"type": "signature_delta", "signature": "signed-by-claude"},
            ],
        ),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "I add."}]),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}},
            [{"type": "input_json_delta", "partial_json": ARGUMENTS}],
        ),
    ]
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": message | {"model": "claude", "usage": usage | {"output_tokens": 1}},
        }
    ]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": "tool_use", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 20}})
    return streamed([*events, {"type": "message_stop"}])


def google_reply() -> Any:
    """A thought, a text, a call with its signature; 90 of 100 tokens read from the cache."""
    call = {"functionCall": {"name": "add", "args": {"a": 1}}, "thoughtSignature": "signed-by-g"}
    parts: list[dict[str, Any]] = [{"text": "Add them.", "thought": True}, {"text": "I add."}, call]
    usage = {
        "promptTokenCount": 100,
        "candidatesTokenCount": 20,
        "totalTokenCount": 120,
        "cachedContentTokenCount": 90,
    }
    events: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}
        for part in parts
    ]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    events[-1]["usageMetadata"] = usage
    return streamed(events)


def ollama_reply() -> Any:
    """A thought, a text, a call."""
    call = {"function": {"name": "add", "arguments": {"a": 1}}}
    said: list[dict[str, Any]] = [
        {"content": "", "thinking": "Add them."},
        {"content": "I add."},
        {"content": "", "tool_calls": [call]},
    ]
    common = {"model": "qwen3", "created_at": "2026-01-01T00:00:00Z", "done": False}
    events = [common | {"message": {"role": "assistant"} | one} for one in said]
    counts = {"done": True, "done_reason": "stop", "prompt_eval_count": 100, "eval_count": 20}
    end = common | {"message": {"role": "assistant", "content": ""}} | counts
    return streamed([*events, end], lines=True)


def responses_reply() -> Any:
    """An encrypted thought with its summary, a text, a call; 90 of 100 tokens cached."""
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Add them."}],
        "encrypted_content": "encrypted-by-openai",
    }
    text = {"type": "output_text", "text": "I add.", "annotations": []}
    said = {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
    said["status"] = "completed"
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_o", "name": "add"}
    called = call | {"arguments": ARGUMENTS, "status": "completed"}
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 90},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5.4-mini",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [],
        "status": "in_progress",
    }
    whole = response | {"status": "completed", "output": [thought, said, called], "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.reasoning_summary_text.delta", "delta": "Add them."},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "I add."},
        {"type": "response.output_item.added", "item": call | {"arguments": ""}},
        {"type": "response.function_call_arguments.delta", "delta": ARGUMENTS},
        {"type": "response.completed", "response": whole},
    ]
    place: dict[str, Any] = {"output_index": 2, "content_index": 0, "summary_index": 0}
    place["item_id"] = "item"
    return streamed([place | {"sequence_number": n} | one for n, one in enumerate(events)])


class Service(NamedTuple):
    model: str
    reply: Callable[[], Any]
    has_cache: bool = True
    v1: bool = False


SERVICES = [
    Service("anthropic/claude-sonnet-4-5", anthropic_reply),
    Service("gemini/gemini-2.5-flash", google_reply),
    Service("ollama_chat/qwen3", ollama_reply, has_cache=False),
    Service("openai/gpt-5.4-mini", responses_reply, v1=True),
]

Talk = Callable[..., Awaitable[list[Event]]]


@pytest.fixture
def talk(litellm: LitellmProvider, server: ModelServer) -> Talk:
    """Asks a service that is played by the shared server; thinks, and has a tool."""

    async def ask(service: Service, *messages: Message, **fields: Any) -> list[Event]:
        base = server.base_url if service.v1 else server.base_url.removesuffix("/v1")
        fields = {"reasoning": "low", "tools": (ADD,), "api_base": base} | fields
        request = Request(service.model, messages, **fields)
        return [event async for event in litellm.stream(request)]

    return ask


def question(text: str = "1 + 2?") -> Message:
    return Message(new_id(), "user", text, now())


def answer(events: list[Event]) -> Message:
    """What the engine would keep of a reply."""
    ended = events[-1]
    assert isinstance(ended, Finished), ended
    return Message(
        new_id(),
        "assistant",
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        now(),
        tool_calls=tuple(event for event in events if isinstance(event, ToolCall)),
        provider_data={"litellm": dict(ended.provider_data)},
    )


def result(reply: Message) -> Message:
    return Message(new_id(), "tool", "3", now(), tool_call_id=reply.tool_calls[0].id)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.model)
async def test_all_that_comes_back_is_kept(
    talk: Talk, server: ModelServer, service: Service
) -> None:
    server.plan(service.reply())
    events = await talk(service, question())
    thoughts = [event.text for event in events if isinstance(event, ReasoningDelta)]
    assert "".join(thoughts) == "Add them."
    reply = answer(events)
    assert reply.content == "I add."
    (call,) = reply.tool_calls
    assert call.name == "add"
    assert json.loads(call.arguments) == {"a": 1}
    assert "signed" not in call.id, "a signature is private to the model that gave it"
    assert reply.provider_data["litellm"]["reasoning"] == "Add them."
    ended = events[-1]
    assert isinstance(ended, Finished)
    assert ended.reason == "tool_calls"
    (report,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert (report.input_tokens, report.output_tokens) == (100, 20)
    assert report.cached_tokens == (90 if service.has_cache else None)


def private_words(body: Any) -> set[str]:
    """What only the model that said it may be told again."""
    words = ("signed-by-claude", "signed-by-g", "encrypted-by-openai", "Add them.")
    return {word for word in words if word in json.dumps(body)}


GIVEN_BACK = {
    "anthropic/claude-sonnet-4-5": {"signed-by-claude", "Add them."},
    "gemini/gemini-2.5-flash": {"signed-by-g"},
    "ollama_chat/qwen3": {"Add them."},
    "openai/gpt-5.4-mini": {"encrypted-by-openai", "Add them."},
}


@pytest.mark.parametrize("to", SERVICES, ids=lambda service: service.model)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.model)
async def test_private_fields_go_back_to_the_model_that_gave_them_and_to_no_other(
    talk: Talk, server: ModelServer, service: Service, to: Service
) -> None:
    server.plan(service.reply())
    asked = question()
    reply = answer(await talk(service, asked))
    server.plan(to.reply())
    events = await talk(to, asked, reply, result(reply))
    assert isinstance(events[-1], Finished), "the loop of tools goes on with any model"
    expected = GIVEN_BACK[service.model] if to == service else set()
    assert private_words(server.requests[-1].body) == expected


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.model)
async def test_a_model_that_is_not_to_think_is_told_no_thoughts(
    talk: Talk, server: ModelServer, service: Service
) -> None:
    server.plan(service.reply())
    asked = question()
    reply = answer(await talk(service, asked))
    if service.v1:
        server.reply("3")  # without thoughts, OpenAI's older protocol does
    else:
        server.plan(service.reply())
    events = await talk(service, asked, reply, result(reply), reasoning="off")
    assert isinstance(events[-1], Finished)
    assert not private_words(server.requests[-1].body)


async def test_claudes_thoughts_stand_before_its_call(talk: Talk, server: ModelServer) -> None:
    claude = SERVICES[0]
    server.plan(claude.reply())
    asked = question()
    reply = answer(await talk(claude, asked))
    server.plan(claude.reply())
    await talk(claude, asked, reply, result(reply))
    said = server.requests[-1].body["messages"][1]["content"]
    assert [block["type"] for block in said] == ["thinking", "text", "tool_use"]
    assert said[0]["signature"] == "signed-by-claude"


async def test_claude_does_not_begin_to_think_between_the_calls_of_another_model(
    talk: Talk, server: ModelServer
) -> None:
    claude, google = SERVICES[:2]
    server.plan(google.reply())
    asked = question()
    reply = answer(await talk(google, asked))
    server.plan(claude.reply())
    await talk(claude, asked, reply, result(reply))
    assert "thinking" not in server.requests[-1].body
    server.plan(claude.reply())
    await talk(claude, asked, reply, result(reply), question("And 3 + 4?"))
    assert server.requests[-1].body["thinking"]["type"] == "enabled", "the next turn is its own"


async def test_nothing_stays_with_openai_for_its_thoughts(talk: Talk, server: ModelServer) -> None:
    openai = SERVICES[3]
    server.plan(openai.reply())
    await talk(openai, question())
    body = server.requests[0].body
    assert server.requests[0].path == "/v1/responses"
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"] == {"effort": "low"}


async def test_thoughts_of_the_responses_api_do_not_reach_the_older_one(
    talk: Talk, server: ModelServer
) -> None:
    openai = SERVICES[3]
    server.plan(openai.reply())
    asked = question()
    reply = answer(await talk(openai, asked))
    server.reply("3")
    await talk(openai, asked, reply, result(reply), tools=())
    assert server.requests[-1].path == "/v1/chat/completions"
    assert not private_words(server.requests[-1].body)


# What every service takes ----------------------------------------------------------------


def ugly_history() -> list[Message]:
    """All that a conversation of many models, crashes and edits may hold."""

    def say(role: Any, content: str, **fields: Any) -> Message:
        return Message(new_id(), role, content, now(), **fields)

    odd = ToolCall("call/1 🦉" + "x" * 80, "functions.add now", "not json {")
    twin = ToolCall("call_0", "add", "")
    return [
        say("system", "Be brief."),
        say("summary", "They greeted each other."),
        say("assistant", "Hello."),
        say("user", "1 + 2?"),
        say("assistant", "", tool_calls=(odd, twin)),
        say("tool", "", tool_call_id="call_0"),
        say("assistant", "   "),
        say("user", "Again?"),
        say("assistant", "Once more.", tool_calls=(twin,)),
        say("tool", "3", tool_call_id="call_0"),
        say("tool", "of nobody", tool_call_id="gone"),
        say("user", "And now?"),
    ]


async def sent(talk: Talk, server: ModelServer, service: Service) -> Any:
    server.plan(service.reply())
    assert isinstance((await talk(service, *ugly_history()))[-1], Finished)
    return server.requests[-1].body


def names_are_valid(names: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)


async def test_anthropic_takes_any_history(talk: Talk, server: ModelServer) -> None:
    body = await sent(talk, server, SERVICES[0])
    messages = body["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant"] * 3 + ["user"]
    seen: list[str] = []
    for said, answered in itertools.pairwise(messages):
        calls = [block for block in said["content"] if block["type"] == "tool_use"]
        ids = [block["id"] for block in calls]
        results = [b["tool_use_id"] for b in answered["content"] if b["type"] == "tool_result"]
        assert results == ids
        assert names_are_valid([*ids, *(block["name"] for block in calls)])
        assert all(isinstance(block["input"], dict) for block in calls)
        seen += ids
    assert len(seen) == len(set(seen)) == 3
    blocks = [block for one in messages for block in one["content"]]
    assert all(block["text"].strip() for block in blocks if block["type"] == "text")
    assert all(block["content"] for block in blocks if block["type"] == "tool_result")
    assert "sanitised" not in json.dumps(body), "litellm had nothing to mend"


async def test_google_takes_any_history(talk: Talk, server: ModelServer) -> None:
    contents = (await sent(talk, server, SERVICES[1]))["contents"]
    assert [one["role"] for one in contents[:2]] == ["user", "model"]
    assert all(one["parts"] for one in contents)
    for said, answered in itertools.pairwise(contents):
        calls = [part["function_call"] for part in said["parts"] if "function_call" in part]
        results = [p["function_response"] for p in answered["parts"] if "function_response" in p]
        assert [one["name"] for one in calls] == [one["name"] for one in results]
        assert names_are_valid(one["name"] for one in calls)
    assert all(part.get("text") != "" for one in contents for part in one["parts"])


async def test_ollama_takes_any_history(talk: Talk, server: ModelServer) -> None:
    messages = (await sent(talk, server, SERVICES[2]))["messages"]
    assert {one["role"] for one in messages} == {"system", "user", "assistant", "tool"}
    for said, answered in itertools.pairwise(messages):
        assert answered["role"] != "tool" or said["role"] in ("assistant", "tool")
    calls = [call for one in messages for call in one.get("tool_calls", ())]
    assert [type(call["function"]["arguments"]) for call in calls] == [dict] * 3


@pytest.mark.parametrize("model", ["test-model", "mistral/mistral-small-latest"])
async def test_openais_form_takes_any_history(talk: Talk, server: ModelServer, model: str) -> None:
    server.reply("3")
    service = Service(model, dict, v1=True)
    assert isinstance((await talk(service, *ugly_history()))[-1], Finished)
    messages = server.requests[-1].body["messages"]
    waiting: list[str] = []
    for one in messages:
        if one["role"] == "tool":
            waiting.remove(one["tool_call_id"])
        else:
            assert not waiting, "results follow their calls at once"
        waiting += [call["id"] for call in one.get("tool_calls") or ()]
        assert one.get("content") or one.get("tool_calls")
    ids = [call["id"] for one in messages for call in one.get("tool_calls") or ()]
    assert len(ids) == len(set(ids)) == 3
    pattern = "[A-Za-z0-9]{9}" if "mistral" in model else "[A-Za-z0-9_-]{1,40}"
    assert all(re.fullmatch(pattern, one) for one in ids)
