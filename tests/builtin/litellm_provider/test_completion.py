"""What of a completion can be seen without a network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider import http_guard
from agno_shell.builtin.litellm_provider.completion import Completion
from agno_shell.builtin.litellm_provider.http_guard import Policy
from agno_shell.builtin.litellm_provider.model_catalog import ModelCatalog
from agno_shell.builtin.litellm_provider.protocol import request_record
from agno_shell.builtin.litellm_provider.requests import CompletionRequest
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.limits import Limits
from agno_shell.builtin.model_services.target import Target
from agno_shell.events import (
    Event,
    Finished,
    ProviderToolFinished,
    ProviderToolStarted,
    Request,
    TextDelta,
)
from agno_shell.types import ToolCall


def record(model: str) -> dict[str, Any]:
    """A request without anything in it."""
    return request_record(Request(model, ()))


async def test_a_stream_that_never_waits_still_lets_others_have_their_turn() -> None:
    came: list[Event] = []
    turns = 0

    async def greedy() -> AsyncGenerator[Any, None]:
        for number in range(40):
            time.sleep(0.001)  # work, not waiting
            delta = SimpleNamespace(content=f"{number} ", tool_calls=None)
            finish = "stop" if number == 39 else None
            yield SimpleNamespace(choices=[SimpleNamespace(delta=delta, finish_reason=finish)])

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    goal = Destination("m", "here", None)
    completion = Completion(record("m"), ModelCatalog(), Limits(), came.append)
    completion._target = Target(goal, "openai", "m")
    completion._asked = CompletionRequest({}, None)
    completion._wrapper = greedy()
    beside = asyncio.create_task(other())
    await asyncio.sleep(0)
    before = turns
    async with asyncio.timeout(30) as clock:
        await completion._read(goal, clock)
    beside.cancel()
    assert turns > before
    assert "".join(event.text for event in came if isinstance(event, TextDelta)).endswith("39 ")
    assert came[-1] == Finished("stop")


async def test_a_tool_that_the_service_runs_may_take_as_long_as_the_reply() -> None:
    came: list[Event] = []
    completion = Completion(record("m"), ModelCatalog(), Limits(between_tokens=5.0), came.append)
    now = asyncio.get_running_loop().time()
    completion._deadline = now + 500.0
    call = ToolCall("1", "search", "{}")
    async with asyncio.timeout(100) as completion._clock:
        assert completion._clock is not None
        completion._emit_tool(ProviderToolStarted(call))
        assert completion._clock.when() == completion._deadline
        completion._emit_tool(ProviderToolFinished(call, "found"))
        until = completion._clock.when()
        assert until is not None
        assert until < now + 100
        completion._clock.reschedule(None)
        completion._emit_tool(ProviderToolStarted(call))
        assert completion._clock.when() is None
    assert [type(event) for event in came].count(ProviderToolStarted) == 2
    assert completion._bytes > 0


async def test_a_request_to_one_service_runs_under_its_own_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Policy | None] = []

    async def open_connection(completion: Completion, goal: Destination) -> None:
        seen.append(http_guard._policy.get())
        raise ConnectionRefusedError

    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    monkeypatch.setattr(Completion, "_open", open_connection)
    goal = Destination("cerebras/x", "cerebras", None)
    monkeypatch.setattr(ModelCatalog, "destination", lambda *_arguments: goal)
    monkeypatch.setattr(ModelCatalog, "target", lambda _self, goal: Target(goal, "cerebras", "x"))
    await Completion(record("cerebras/x"), ModelCatalog(), Limits(), lambda _event: None).run()
    (policy,) = seen
    assert policy is not None
    assert policy.provider == "cerebras"
    assert policy.foreign["sk-fake-0000"] == "OPENAI_API_KEY"
