"""What is sent begins the same from turn to turn, and Anthropic is told up to where."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services import prompt_cache
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.target import Target
from agno_shell.events import Request
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, Role, ToolCall, ToolSchema, new_id, now

ENTRY = {"supports_prompt_caching": True}


def target(provider: str, name: str, entry: Any = ENTRY) -> Target:
    return Target(Destination(f"{provider}/{name}", "here", None), provider, name, entry)


@pytest.mark.parametrize("provider", ["anthropic", "bedrock", "vertex_ai"])
def test_marks_help_claude(provider: str) -> None:
    claude = target(provider, "claude-sonnet-4-5")
    assert prompt_cache.helps(claude, {})
    assert not prompt_cache.helps(claude, {"cache_control_injection_points": []})


@pytest.mark.parametrize(
    "other",
    [
        target("openai", "gpt-4o"),
        target("vertex_ai", "gemini-2.5-pro"),
        target("openrouter", "anthropic/claude-sonnet-4.5"),
        target("anthropic", "claude-nobody-knows", {}),
    ],
    ids=lambda target: target.name,
)
def test_marks_do_not_help_others(other: Target) -> None:
    assert not prompt_cache.helps(other, {})


def test_at_most_four_marks_stand_where_the_next_request_still_begins_the_same() -> None:
    roles = ["system", "user", "assistant", "user", "assistant", "tool", "tool", "assistant"]
    roles += ["user", "user"]
    messages: list[dict[str, Any]] = [{"role": role, "content": "x"} for role in roles]
    messages[-1]["content"] = [{"type": "image_url"}, {"type": "text", "text": "x"}]
    tools: list[dict[str, Any]] = [{"type": "function"}, {"type": "function"}]
    prompt_cache.mark(messages, tools)
    marked = [n for n, one in enumerate(messages) if "cache_control" in json.dumps(one)]
    assert marked == [0, 6, 9]
    assert "cache_control" in messages[9]["content"][-1]
    assert "cache_control" in tools[1]
    assert "cache_control" not in tools[0]


def test_a_request_without_anything_to_mark_stays_as_it_is() -> None:
    messages: list[dict[str, Any]] = []
    prompt_cache.mark(messages, [])
    assert messages == []
    messages = [{"role": "user", "content": ""}]
    prompt_cache.mark(messages, [])
    assert messages == [{"role": "user", "content": ""}]


def turns(count: int) -> list[Message]:
    """A conversation in which each question is answered with the help of a tool."""

    def say(role: Role, content: str, **fields: Any) -> Message:
        return Message(new_id(), role, content, now(), **fields)

    said = [say("system", "Be brief. ü")]
    for turn in range(count):
        call = ToolCall(f"call {turn}", "add", '{"b": 2, "a": 1}')
        said += [
            say("user", f"Question {turn}?"),
            say("assistant", "", tool_calls=(call,)),
            say("tool", "3", tool_call_id=call.id),
            say("assistant", f"Answer {turn}."),
        ]
    return [*said, say("user", "The last question?")]


def tools() -> tuple[ToolSchema, ...]:
    """The same tools, each time in another order."""
    named = [ToolSchema(name, "Adds.", {"type": "object"}) for name in ("add", "sub", "mul")]
    random.shuffle(named)
    return tuple(named)


@pytest.mark.asyncio(loop_scope="session")
async def test_openais_form_begins_byte_for_byte_the_same(
    litellm: LitellmProvider, server: ModelServer
) -> None:
    for count in (2, 3):
        messages = tuple(turns(count))
        request = Request("m", messages, {"seed": 1}, server.base_url, tools=tools())
        async for _event in litellm.stream(request):
            pass
    first, second = (request.raw for request in server.requests)
    question = b'{"role":"user","content":"The last question?"}'
    end = first.index(question)
    assert end > 600
    assert second.startswith(first[:end])
    # What follows the messages is the same too: the tools in one order, the parameters.
    assert first.partition(question)[2] == second.partition(question)[2]


def without_marks(value: Any) -> Any:
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    if isinstance(value, dict):
        return {k: without_marks(item) for k, item in value.items() if k != "cache_control"}
    return value


@pytest.mark.asyncio(loop_scope="session")
async def test_anthropics_form_begins_the_same_but_for_its_marks(
    litellm: LitellmProvider, server: ModelServer
) -> None:
    base = server.base_url.removesuffix("/v1")
    for count in (2, 3):
        server.status(400)
        messages = tuple(turns(count))
        request = Request("anthropic/claude-sonnet-4-5", messages, {}, base, tools=tools())
        async for _event in litellm.stream(request):
            pass
    bodies = [copy.deepcopy(request.body) for request in server.requests]
    assert [json.dumps(body).count("cache_control") for body in bodies] == [4, 4]
    marked = [body["messages"] for body in bodies]
    first, second = without_marks(bodies)
    for name in ("system", "tools", "thinking"):
        assert json.dumps(first.get(name)) == json.dumps(second.get(name))
    shared = len(first["messages"]) - 1
    assert json.dumps(first["messages"][:shared]) == json.dumps(second["messages"][:shared])
    # What the first request marked last but one is found by the second: it is the same there.
    assert "cache_control" in json.dumps(marked[0][shared - 2])
