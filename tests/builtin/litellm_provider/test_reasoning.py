"""How much a model is to think, in the words that each takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agno_shell.builtin.model_services import reasoning
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.target import Target
from agno_shell.events import Event, Failed, Finished
from agno_shell.testing.model_server import ModelServer

THINKS = {"supports_reasoning": True}
NONE = THINKS | {"supports_none_reasoning_effort": True}
MINIMAL = THINKS | {"supports_minimal_reasoning_effort": True}

Ask = Callable[..., Awaitable[list[Event]]]


def target(name: str, entry: dict[str, Any]) -> Target:
    provider, _, model = name.partition("/")
    return Target(Destination(name, "here", None), provider, model, entry)


@pytest.mark.parametrize(
    ("name", "entry", "expected"),
    [
        ("openai/gpt-5.4-mini", NONE, {"reasoning_effort": "none"}),
        ("openai/gpt-5", MINIMAL, {"reasoning_effort": "minimal"}),
        ("openai/o3", THINKS, {"reasoning_effort": "low"}),
        ("openai/gpt-4o", {"supports_vision": True}, {}),
        ("openai/nobody-knows-it", {}, {"reasoning_effort": "none"}),
        ("anthropic/claude-sonnet-4-5", THINKS, {"thinking": {"type": "disabled"}}),
        ("bedrock/anthropic.claude-opus-4-5", THINKS, {"thinking": {"type": "disabled"}}),
        ("gemini/gemini-2.5-flash", THINKS, {"reasoning_effort": "none"}),
        ("deepseek/deepseek-v4-flash", THINKS, {"reasoning_effort": "none"}),
        ("groq/openai/gpt-oss-120b", THINKS, {"reasoning_effort": "low"}),
        ("mistral/magistral-medium-latest", THINKS, {}),
    ],
)
def test_off_is_as_little_as_the_model_can(
    name: str, entry: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert reasoning.with_level({}, "off", target(name, entry)) == expected


@pytest.mark.parametrize("level", ["low", "medium", "high"])
def test_a_level_is_named_to_what_thinks_and_to_what_nobody_knows(level: str) -> None:
    for entry in (THINKS, {}):
        asked = reasoning.with_level({"seed": 1}, level, target("openai/m", entry))
        assert asked == {"seed": 1, "reasoning_effort": level}
    blind = target("openai/m", {"supports_vision": True})
    assert reasoning.with_level({"seed": 1}, level, blind) == {"seed": 1}


def test_without_a_level_the_agents_parameters_stay() -> None:
    parameters = {"reasoning_effort": "high"}
    assert reasoning.with_level(parameters, None, target("openai/m", {})) == parameters


def test_a_level_says_more_than_the_agents_parameters() -> None:
    parameters = {"thinking": {"type": "enabled", "budget_tokens": 9000}, "temperature": 0.1}
    claude = target("anthropic/claude-sonnet-4-5", THINKS)
    assert reasoning.with_level(parameters, "low", claude) == {"reasoning_effort": "low"}
    assert reasoning.with_level(parameters, "off", claude) == {
        "thinking": {"type": "disabled"},
        "temperature": 0.1,
    }


@pytest.mark.parametrize(
    ("level", "parameters", "on"),
    [
        ("low", {}, True),
        ("off", {"reasoning_effort": "high"}, False),
        (None, {}, None),
        (None, {"reasoning_effort": "none"}, False),
        (None, {"reasoning_effort": "low"}, True),
        (None, {"reasoning_effort": {"effort": "low", "summary": "auto"}}, True),
        (None, {"thinking": {"type": "disabled"}}, False),
        (None, {"thinking": {"type": "enabled", "budget_tokens": 1024}}, True),
    ],
)
def test_whether_a_model_is_asked_to_think(
    level: str | None, parameters: dict[str, Any], on: bool | None
) -> None:
    assert reasoning.is_on(level, parameters) is on


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "refusal",
    [
        "Unrecognized request argument supplied: reasoning_effort",
        '"test-model" does not support thinking',
    ],
)
async def test_a_server_that_refuses_the_level_is_asked_without_it(
    ask: Ask, server: ModelServer, refusal: str
) -> None:
    server.status(400, refusal)
    assert isinstance((await ask(reasoning="high"))[-1], Finished)
    sent = [request.body.get("reasoning_effort") for request in server.requests]
    assert sent == ["high", None]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_server_that_knows_neither_is_asked_for_neither(
    ask: Ask, server: ModelServer
) -> None:
    server.status(422, "Extra inputs: stream_options")
    server.status(422, "Extra inputs: reasoning_effort")
    assert isinstance((await ask(reasoning="low"))[-1], Finished)
    sent = [sorted(request.body.keys() & WISHES) for request in server.requests]
    assert sent == [["reasoning_effort", "stream_options"], ["reasoning_effort"], []]


WISHES = {"reasoning_effort", "stream_options"}


@pytest.mark.asyncio(loop_scope="session")
async def test_another_refusal_is_no_reason_to_ask_again(ask: Ask, server: ModelServer) -> None:
    server.status(400, "temperature is out of range")
    assert isinstance((await ask(reasoning="low"))[-1], Failed)
    assert len(server.requests) == 1


@pytest.mark.asyncio(loop_scope="session")
async def test_what_cannot_think_is_silently_not_asked_to(ask: Ask, server: ModelServer) -> None:
    assert isinstance((await ask(model="gpt-4o", reasoning="high"))[-1], Finished)
    assert not [name for name in server.requests[0].body if name in reasoning.PARAMETERS]


@pytest.mark.asyncio(loop_scope="session")
async def test_without_a_level_nothing_is_said_of_it(ask: Ask, server: ModelServer) -> None:
    await ask()
    assert "reasoning_effort" not in server.requests[0].body


@pytest.mark.asyncio(loop_scope="session")
async def test_a_refused_claude_gets_no_thoughts_back_either(ask: Ask, server: ModelServer) -> None:
    base = server.base_url.removesuffix("/v1")
    server.status(400, "thinking.budget_tokens: must be less than max_tokens")
    server.status(400, "No.")
    await ask(model="anthropic/claude-sonnet-4-5", api_base=base, reasoning="low")
    assert ["thinking" in request.body for request in server.requests] == [True, False]
