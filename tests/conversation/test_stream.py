"""What a provider yields is looked at before anything is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from agno_shell.contracts import Provider
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.stream import BEHIND, Stream
from agno_shell.events import (
    Failed,
    Finished,
    MessageSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    Request,
    SpeakerChanged,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, ToolCall, Usage, new_id, now

CALL = ToolCall("1", "search", "{}")
REQUEST = Request("model-x", (Message(new_id(), "user", "Hi", now()),))


async def run(engine: Engine, text: str = "Hi") -> list[Any]:
    return await events_of(engine.turn(text))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (None, "NoneType where an event must be"),
        (b"bytes", "bytes where an event must be"),
        (TextDelta(None), "NoneType as TextDelta.text"),  # type: ignore[arg-type]
        (ToolCall("id", "noon", {"a": 1}), "dict as ToolCall.arguments"),  # type: ignore[arg-type]
        (ProviderToolStarted("x"), "str as ProviderToolStarted.call"),  # type: ignore[arg-type]
        (ProviderToolStarted(ToolCall("1", "x", None)), "NoneType as ToolCall.arguments"),  # type: ignore[arg-type]
        (ProviderToolFinished(CALL, b"x"), "bytes as ProviderToolFinished.result"),  # type: ignore[arg-type]
        (ProviderToolFinished(CALL, "x", "done"), "'done' as the status of a tool"),  # type: ignore[arg-type]
        (SpeakerChanged(7), "int as SpeakerChanged.name"),  # type: ignore[arg-type]
        (UsageReported({"cost": 1}), "dict as UsageReported.usage"),  # type: ignore[arg-type]
        (Finished(None), "NoneType as Finished.reason"),  # type: ignore[arg-type]
        (Finished(provider_data=["x"]), "list as Finished.provider_data"),  # type: ignore[arg-type]
        (Failed("server", "Busy.", retry_after="7"), "str as Failed.retry_after"),  # type: ignore[arg-type]
        (Failed("server", ValueError("x")), "ValueError as Failed.message"),  # type: ignore[arg-type]
    ],
)
async def test_what_is_no_event_ends_the_reply_and_keeps_what_was_shown(
    make_engine: Callable[..., Engine],
    provider: ScriptedProvider,
    event: Any,
    said: str,
) -> None:
    storage = MemoryStorage()
    engine = make_engine(storage)
    await engine.create("Test")
    provider.scripts.append(["Hel", "lo", event, "never"])
    events = await run(engine)
    (failed,) = [each for each in events if isinstance(each, Failed)]
    assert failed.message.startswith("The provider 'scripted' failed: TypeError: it yielded ")
    assert said in failed.message
    reply = storage.tree(engine.session.session_id)[-1]
    assert (reply.content, reply.status) == ("Hello", "incomplete")
    assert isinstance((await run(engine))[-1], MessageSaved)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1, "7", 10**400])
async def test_figures_that_are_none_are_not_kept(
    engine: Engine, provider: ScriptedProvider, wrong: Any
) -> None:
    usage = Usage(3, wrong, wrong, 1.0, cost=wrong)  # type: ignore[arg-type]
    provider.scripts.append(["Hi", UsageReported(usage), Finished()])
    saved = (await run(engine))[-1]
    assert isinstance(saved, MessageSaved)
    assert saved.message.usage == Usage(3, None, None, 1)


class Leaving(ScriptedProvider):
    """A plugin that ends the program."""

    where = ""

    async def stream(self, request: Request) -> AsyncGenerator[Any, None]:
        if self.where == "stream":
            raise SystemExit(3)
        async for event in super().stream(request):
            yield event

    async def context_window(self, model: str) -> int | None:
        if self.where == "context_window":
            raise SystemExit(3)
        return None

    async def count_tokens(self, *arguments: Any) -> Any:
        if self.where == "count_tokens":
            raise SystemExit(3)
        return await super().count_tokens(*arguments)

    async def current_window(self, *arguments: Any) -> int | None:
        if self.where == "current_window":
            raise SystemExit(3)
        return None

    async def input_price(self, model: str) -> float | None:
        if self.where == "input_price":
            raise SystemExit(3)
        return None


@pytest.mark.parametrize(
    "where", ["stream", "context_window", "current_window", "count_tokens", "input_price"]
)
async def test_a_provider_that_calls_sys_exit_costs_one_reply_at_most(
    make_engine: Callable[..., Engine],
    monkeypatch: pytest.MonkeyPatch,
    provider: ScriptedProvider,
    where: str,
) -> None:
    monkeypatch.setattr(provider, "__class__", Leaving)
    monkeypatch.setattr(provider, "where", where, raising=False)
    engine = make_engine(window=5, values={"provider.max_cost_per_session": 1.0})
    await engine.create("Test")
    endings = [each for each in await run(engine) if isinstance(each, Failed | Finished)]
    is_needed = where in ("stream", "context_window")
    assert [type(each) for each in endings] == [Failed if is_needed else Finished]
    assert not is_needed or "SystemExit: 3" in str(endings[0])


class Stubborn(Provider):
    """Cannot be cancelled, and never ends."""

    name = "stubborn"

    def __init__(self) -> None:
        self.yielded = 0
        self.ended = asyncio.Event()

    async def stream(self, request: Request) -> AsyncGenerator[Any, None]:
        try:
            while True:
                self.yielded += 1
                yield TextDelta("more ")
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    continue
        finally:
            self.ended.set()


async def test_a_provider_that_cannot_be_cancelled_is_not_listened_to_for_ever() -> None:
    provider = Stubborn()
    stream = Stream(provider, REQUEST)

    def watch(event: TurnEvent) -> None:
        stream.stop()

    await events_of(stream, watch)
    async with asyncio.timeout(20):
        await provider.ended.wait()
    assert provider.yielded < 2 * BEHIND


class ClosesSlowly(Provider):
    """Closing its connection takes a few steps of the loop."""

    name = "slow"

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.closed = asyncio.Event()

    async def stream(self, request: Request) -> AsyncGenerator[Any, None]:
        try:
            self.begun.set()
            yield TextDelta("Half a ")
            await asyncio.Event().wait()
        finally:
            for _step in range(5):
                await asyncio.sleep(0)
            self.closed.set()


async def test_a_stop_lets_the_provider_close_its_connection() -> None:
    provider = ClosesSlowly()
    stream = Stream(provider, REQUEST)
    reading = asyncio.ensure_future(_all(stream))
    await provider.begun.wait()
    await asyncio.sleep(0)
    stream.stop()
    await reading
    async with asyncio.timeout(20):
        await provider.closed.wait()


async def _all(stream: Stream) -> list[Any]:
    return await events_of(stream)
