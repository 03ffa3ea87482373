"""Requests and replies in the form of each service: what comes back is kept, and goes back to
the same model in the form in which it wants it, and to no other."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.model_services.services import BY_PREFIX
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Event, Finished, Request, TextDelta, UsageReported
from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, ToolCall, ToolSchema, new_id, now

ADD = ToolSchema("add", "Adds two numbers.", {"type": "object", "properties": {}})

MODELS = {
    "anthropic": "anthropic/claude-sonnet-4-5",
    "gemini": "gemini/gemini-2.5-flash",
    "ollama": "ollama_chat/qwen3",
    "responses": "openai/gpt-5.4-mini",
}
"""A model of each protocol that has private fields."""

Talk = Callable[..., Awaitable[list[Event]]]


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.forget()
    return running


@pytest.fixture
async def provider(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DirectProvider]:
    """Every service is where the server is."""
    url = server.base_url.removesuffix("/v1")
    for prefix, service in list(BY_PREFIX.items()):
        path = "/v1" if service.wire == "openai" else ""
        # As if that were the address of the service itself.
        monkeypatch.setitem(BY_PREFIX, prefix, service._replace(url=url + path))
        for variable in service.address_variables:
            monkeypatch.delenv(variable, raising=False)
        for variable in service.key_variables:
            monkeypatch.setenv(variable, f"sk-fake-{service.stem.lower()}-0000")
    made = DirectProvider(ProviderOptions())
    yield made
    await made.close()


@pytest.fixture
def talk(provider: DirectProvider, server: ModelServer, samples: Any) -> Talk:
    """Asks a service that is played by the server; thinks, and has a tool."""

    async def ask(name: str, *messages: Message, **fields: Any) -> list[Event]:
        async def behave(exchange: Exchange) -> None:
            exchange.begin_stream()
            for event in samples[name].events:
                exchange.send(event)
            await exchange.end_stream()

        server.plan(behave)
        asked = {"reasoning": "low", "tools": (ADD,), **fields}
        model = asked.pop("model", MODELS.get(name, "openai/test-model"))
        return [event async for event in provider.stream(Request(model, messages, **asked))]

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
        provider_data={"direct": dict(ended.provider_data)},
    )


def result(reply: Message) -> Message:
    return Message(new_id(), "tool", "3", now(), tool_call_id=reply.tool_calls[0].id)


# Private fields ---------------------------------------------------------------------------

GIVEN_BACK = {
    "anthropic": {"signed-by-claude", "Add them."},
    "gemini": {"signed-by-g"},
    "ollama": {"Add them."},
    "responses": {"encrypted-by-openai", "Add them."},
}


def private_words(body: Any) -> set[str]:
    words = ("signed-by-claude", "signed-by-g", "encrypted-by-openai", "Add them.")
    return {word for word in words if word in json.dumps(body)}


@pytest.mark.parametrize("to", MODELS)
@pytest.mark.parametrize("given", MODELS)
async def test_private_fields_go_back_to_the_model_that_gave_them_and_to_no_other(
    talk: Talk, server: ModelServer, given: str, to: str
) -> None:
    asked = question()
    reply = answer(await talk(given, asked))
    events = await talk(to, asked, reply, result(reply))
    assert isinstance(events[-1], Finished), "the loop of tools goes on with any model"
    expected = GIVEN_BACK[given] if to == given else set()
    assert private_words(server.requests[-1].body) == expected


@pytest.mark.parametrize("given", MODELS)
async def test_a_model_that_is_not_to_think_is_told_no_thoughts(
    talk: Talk, server: ModelServer, given: str
) -> None:
    asked = question()
    reply = answer(await talk(given, asked))
    # Without thoughts, OpenAI's older protocol will do.
    name = "openai" if given == "responses" else given
    model = MODELS[given]
    events = await talk(name, asked, reply, result(reply), reasoning="off", model=model)
    assert isinstance(events[-1], Finished)
    assert not private_words(server.requests[-1].body)


async def test_claudes_thoughts_stand_before_its_call(talk: Talk, server: ModelServer) -> None:
    asked = question()
    reply = answer(await talk("anthropic", asked))
    await talk("anthropic", asked, reply, result(reply))
    said = server.requests[-1].body["messages"][1]["content"]
    assert [block["type"] for block in said] == ["thinking", "text", "tool_use"]


async def test_claude_does_not_begin_to_think_between_the_calls_of_another_model(
    talk: Talk, server: ModelServer
) -> None:
    asked = question()
    reply = answer(await talk("gemini", asked))
    await talk("anthropic", asked, reply, result(reply))
    assert "thinking" not in server.requests[-1].body
    await talk("anthropic", asked, reply, result(reply), question("And 3 + 4?"))
    assert server.requests[-1].body["thinking"]["type"] == "enabled", "the next turn is its own"


async def test_nothing_stays_with_openai_for_its_thoughts(talk: Talk, server: ModelServer) -> None:
    await talk("responses", question())
    body = server.requests[0].body
    assert server.requests[0].path == "/v1/responses"
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"]["effort"] == "low"


async def test_the_price_takes_into_account_what_was_cached(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.direct_provider import provider

    # The server that plays Anthropic is on this machine, where nothing costs anything.
    monkeypatch.setattr(provider, "is_loopback", lambda _host: False)
    events = await talk("anthropic", question())
    (report,) = [event.usage for event in events if isinstance(event, UsageReported)]
    # Per million: 3 $ what is read, 0.3 $ what is read from the cache, 15 $ what is said.
    assert report.cost == pytest.approx((10 * 3 + 90 * 0.3 + 20 * 15) / 1e6)


async def test_a_server_on_this_machine_has_no_price(talk: Talk) -> None:
    events = await talk("anthropic", question())
    (report,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert report.cost is None


# Keys -------------------------------------------------------------------------------------

KEY_HEADERS = {
    "anthropic": ("x-api-key", "sk-fake-anthropic-0000"),
    "gemini": ("x-goog-api-key", "sk-fake-gemini-0000"),
    "ollama": ("authorization", "Bearer sk-fake-ollama-0000"),
    "responses": ("authorization", "Bearer sk-fake-openai-0000"),
}


@pytest.mark.parametrize("name", MODELS)
async def test_only_the_services_own_key_is_sent(
    talk: Talk, server: ModelServer, name: str
) -> None:
    await talk(name, question())
    (request,) = server.requests
    header, value = KEY_HEADERS[name]
    assert request.headers[header] == value
    sent = [text for text in request.headers.values() if "sk-fake" in text]
    assert sent == [value]
    assert b"sk-fake" not in request.raw
    assert "sk-fake" not in request.path


# What every service takes -----------------------------------------------------------------


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
        say("user", "Again? \ud83d"),
        say("assistant", "Once more.", tool_calls=(twin,)),
        say("tool", "3", tool_call_id="call_0"),
        say("tool", "of nobody", tool_call_id="gone"),
        say("user", "And now?"),
    ]


async def sent(talk: Talk, server: ModelServer, name: str, **fields: Any) -> Any:
    assert isinstance((await talk(name, *ugly_history(), **fields))[-1], Finished)
    return server.requests[-1].body


def names_are_valid(names: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)


async def test_anthropic_takes_any_history(talk: Talk, server: ModelServer) -> None:
    body = await sent(talk, server, "anthropic")
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
    assert body["max_tokens"] > body["thinking"]["budget_tokens"]
    assert body["tools"][-1]["cache_control"] == {"type": "ephemeral"}


async def test_google_takes_any_history(talk: Talk, server: ModelServer) -> None:
    body = await sent(talk, server, "gemini")
    contents = body["contents"]
    assert [one["role"] for one in contents] == ["user", "model"] * 3 + ["user"]
    assert all(one["parts"] for one in contents)
    for said, answered in itertools.pairwise(contents):
        calls = [part["functionCall"] for part in said["parts"] if "functionCall" in part]
        results = [p["functionResponse"] for p in answered["parts"] if "functionResponse" in p]
        assert [one["name"] for one in calls] == [one["name"] for one in results]
        assert names_are_valid(one["name"] for one in calls)
    assert all(part.get("text") != "" for one in contents for part in one["parts"])
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert "key" not in server.requests[-1].path


async def test_ollama_takes_any_history(talk: Talk, server: ModelServer) -> None:
    messages = (await sent(talk, server, "ollama"))["messages"]
    assert {one["role"] for one in messages} == {"system", "user", "assistant", "tool"}
    for said, answered in itertools.pairwise(messages):
        assert answered["role"] != "tool" or said["role"] in ("assistant", "tool")
    calls = [call for one in messages for call in one.get("tool_calls", ())]
    assert [type(call["function"]["arguments"]) for call in calls] == [dict] * 3


async def test_the_responses_api_takes_any_history(talk: Talk, server: ModelServer) -> None:
    items = (await sent(talk, server, "responses"))["input"]
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert sorted(calls) == sorted(outputs)
    assert len(set(calls)) == 3
    assert all(item["content"] for item in items if "content" in item)
    replies = [item["content"] for item in items if item.get("role") == "assistant"]
    assert all(isinstance(reply, str) for reply in replies), "parts want the id that they came with"
    assert replies


@pytest.mark.parametrize("model", ["openai/test-model", "mistral/mistral-small-latest"])
async def test_openais_form_takes_any_history(talk: Talk, server: ModelServer, model: str) -> None:
    messages = (await sent(talk, server, "openai", model=model))["messages"]
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


PARAMETERS = {"temperature": 0.5, "max_tokens": 77, "stop": "END"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai", {"temperature": 0.5, "max_completion_tokens": 77, "stop": "END"}),
        ("anthropic", {"temperature": 0.5, "max_tokens": 77, "stop_sequences": ["END"]}),
        ("ollama", {"options": {"temperature": 0.5, "num_predict": 77, "stop": "END"}}),
    ],
)
async def test_parameters_have_the_names_of_each_protocol(
    talk: Talk, server: ModelServer, name: str, expected: dict[str, Any]
) -> None:
    await talk(name, question(), parameters=PARAMETERS, reasoning=None, tools=())
    body = server.requests[-1].body
    assert {key: body.get(key) for key in expected} == expected


async def test_googles_parameters_have_names_of_their_own(talk: Talk, server: ModelServer) -> None:
    await talk("gemini", question(), parameters=PARAMETERS, reasoning="off", tools=())
    configuration = server.requests[-1].body["generationConfig"]
    assert (configuration["maxOutputTokens"], configuration["stopSequences"]) == (77, ["END"])
    assert configuration["thinkingConfig"] == {"includeThoughts": False, "thinkingBudget": 0}
