"""Both providers, in the form of each service: what comes back is kept, and goes back to the
same model in the form in which it wants it, and to no other."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from agno_shell.contracts import Provider
from agno_shell.events import Event, Finished
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, ToolCall, new_id, now

pytestmark = pytest.mark.asyncio(loop_scope="session")

PRIVATE = ("anthropic", "gemini", "ollama", "responses")
"""The protocols that have private fields."""

GIVEN_BACK = {
    "anthropic": {"signed-by-claude", "Add them."},
    "gemini": {"signed-by-g"},
    "ollama": {"Add them."},
    "responses": {"encrypted-by-openai", "Add them."},
}

Keep = Callable[[list[Event]], Message]
Ask = Callable[..., Message]


def private_words(body: Any) -> set[str]:
    """What only the model that said it may be told again."""
    words = ("signed-by-claude", "signed-by-g", "encrypted-by-openai", "Add them.")
    return {word for word in words if word in json.dumps(body)}


def result(reply: Message) -> Message:
    return Message(new_id(), "tool", "3", now(), tool_call_id=reply.tool_calls[0].id)


# Private fields ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRIVATE)
async def test_what_a_model_thinks_and_signs_is_kept(
    talk: Any, samples: Any, kept: Keep, provider: Provider, name: str
) -> None:
    reply = kept(await talk(samples[name]))
    data = reply.provider_data[provider.name]
    assert data["reasoning"] == "Add them."
    assert private_words(data) == GIVEN_BACK[name] | {"Add them."}
    assert "signed" not in reply.tool_calls[0].id, "a signature is private to its model"


@pytest.mark.parametrize("to", PRIVATE)
@pytest.mark.parametrize("given", PRIVATE)
async def test_private_fields_go_back_to_the_model_that_gave_them_and_to_no_other(
    talk: Any, samples: Any, kept: Keep, question: Ask, server: ModelServer, given: str, to: str
) -> None:
    asked = question()
    reply = kept(await talk(samples[given], asked))
    events = await talk(samples[to], asked, reply, result(reply))
    assert isinstance(events[-1], Finished), "the loop of tools goes on with any model"
    expected = GIVEN_BACK[given] if to == given else set()
    assert private_words(server.requests[-1].body) == expected


@pytest.mark.parametrize("given", PRIVATE)
async def test_a_model_that_is_not_to_think_is_told_no_thoughts(
    talk: Any, samples: Any, kept: Keep, question: Ask, server: ModelServer, given: str
) -> None:
    asked = question()
    reply = kept(await talk(samples[given], asked))
    # Without thoughts, OpenAI's older protocol will do.
    sample = samples["openai" if given == "responses" else given]
    model = samples[given].model
    events = await talk(sample, asked, reply, result(reply), reasoning="off", model=model)
    assert isinstance(events[-1], Finished)
    assert not private_words(server.requests[-1].body)


async def test_claudes_thoughts_stand_before_its_call(
    talk: Any, samples: Any, kept: Keep, question: Ask, server: ModelServer
) -> None:
    asked, claude = question(), samples["anthropic"]
    reply = kept(await talk(claude, asked))
    await talk(claude, asked, reply, result(reply))
    said = server.requests[-1].body["messages"][1]["content"]
    assert [block["type"] for block in said] == ["thinking", "text", "tool_use"]
    assert said[0]["signature"] == "signed-by-claude"


async def test_claude_does_not_begin_to_think_between_the_calls_of_another_model(
    talk: Any, samples: Any, kept: Keep, question: Ask, server: ModelServer
) -> None:
    asked, claude = question(), samples["anthropic"]
    reply = kept(await talk(samples["gemini"], asked))
    await talk(claude, asked, reply, result(reply))
    assert "thinking" not in server.requests[-1].body
    await talk(claude, asked, reply, result(reply), question("And 3 + 4?"))
    assert server.requests[-1].body["thinking"]["type"] == "enabled", "the next turn is its own"


async def test_nothing_stays_with_openai_for_its_thoughts(
    talk: Any, samples: Any, server: ModelServer
) -> None:
    await talk(samples["responses"])
    body = server.requests[0].body
    assert server.requests[0].path == "/v1/responses"
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["reasoning"]["effort"] == "low"


async def test_thoughts_of_the_responses_api_do_not_reach_the_older_one(
    talk: Any, samples: Any, kept: Keep, question: Ask, server: ModelServer
) -> None:
    asked, model = question(), samples["responses"].model
    reply = kept(await talk(samples["responses"], asked))
    await talk(samples["openai"], asked, reply, result(reply), model=model, tools=())
    assert server.requests[-1].path == "/v1/chat/completions"
    assert not private_words(server.requests[-1].body)


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


@pytest.fixture
def sent(talk: Any, samples: Any, server: ModelServer) -> Callable[..., Any]:
    """The body of a request with that history to the model of a sample."""

    async def send(name: str, **fields: Any) -> Any:
        assert isinstance((await talk(samples[name], *ugly_history(), **fields))[-1], Finished)
        return server.requests[-1].body

    return send


def names_are_valid(names: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)


def found(parts: Iterable[Mapping[str, Any]], *names: str) -> list[Any]:
    """What stands in ``parts`` under any of these names."""
    return [part[name] for part in parts for name in names if name in part]


async def test_anthropic_takes_any_history(sent: Any) -> None:
    body = await sent("anthropic")
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
    assert "sanitised" not in json.dumps(body), "litellm had nothing to mend"


async def test_google_takes_any_history(sent: Any, server: ModelServer) -> None:
    body = await sent("gemini")
    contents = body["contents"]
    roles = [role for role, _run in itertools.groupby(one["role"] for one in contents)]
    assert roles == ["user", "model"] * 3 + ["user"]
    assert all(one["parts"] for one in contents)
    for said, answered in itertools.pairwise(contents):
        calls = found(said["parts"], "functionCall", "function_call")
        results = found(answered["parts"], "functionResponse", "function_response")
        assert [one["name"] for one in calls] == [one["name"] for one in results]
        assert names_are_valid(one["name"] for one in calls)
    assert all(part.get("text") != "" for one in contents for part in one["parts"])
    (system,) = found([body], "systemInstruction", "system_instruction")
    assert system["parts"] == [{"text": "Be brief."}]


async def test_ollama_takes_any_history(sent: Any) -> None:
    messages = (await sent("ollama"))["messages"]
    assert {one["role"] for one in messages} == {"system", "user", "assistant", "tool"}
    for said, answered in itertools.pairwise(messages):
        assert answered["role"] != "tool" or said["role"] in ("assistant", "tool")
    calls = [call for one in messages for call in one.get("tool_calls", ())]
    assert [type(call["function"]["arguments"]) for call in calls] == [dict] * 3


async def test_the_responses_api_takes_any_history(sent: Any, provider: Provider) -> None:
    items = (await sent("responses"))["input"]
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert sorted(calls) == sorted(outputs)
    assert len(set(calls)) == 3
    assert all(item["content"] for item in items if "content" in item)
    replies = [item["content"] for item in items if item.get("role") == "assistant"]
    assert replies
    if provider.name == "direct":  # litellm writes parts, as most servers take them as well
        assert all(isinstance(reply, str) for reply in replies), "parts want the id they came with"


@pytest.mark.parametrize("model", ["openai/test-model", "mistral/mistral-small-latest"])
async def test_openais_form_takes_any_history(sent: Any, model: str) -> None:
    messages = (await sent("openai", model=model))["messages"]
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
