"""No provider's reply takes longer, or grows larger, than the configuration allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest

from agno_shell.contracts import Provider
from agno_shell.conversation import limits
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.limits import ReplyLimits
from agno_shell.conversation.stream import BEHIND, Stream
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    Interrupted,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Request,
    SpeakerChanged,
    TextDelta,
)
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, ToolCall, new_id, now

REQUEST = Request("model-x", (Message(new_id(), "user", "Hi", now()),))
WIDE = ReplyLimits(60.0, 60.0, 60.0, 60.0, 1_000_000)
SHORT = 0.02


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STARTING", 0.0)
    monkeypatch.setattr(limits, "GRACE", 0.0)


class Silent(Provider):
    """Yields ``events``, then nothing more; it closes when it is told to."""

    name = "silent"

    def __init__(self, *events: Event, forever: Sequence[Event] = ()) -> None:
        self._events = events
        self._forever = forever
        self.closed = asyncio.Event()

    async def stream(self, _request: Request) -> AsyncGenerator[Event, None]:
        try:
            for event in self._events:
                yield event
            while self._forever:
                for event in self._forever:
                    yield event
                    await asyncio.sleep(0)
            await asyncio.Event().wait()
        finally:
            self.closed.set()


async def replied(provider: Provider, limits: ReplyLimits) -> list[Any]:
    stream = Stream(provider, REQUEST, limits=limits)
    events: list[Any] = []
    ending = await stream.run(events.append)
    return [*events, ending]


@pytest.mark.parametrize(
    ("came", "limits", "limit", "said"),
    [
        (
            [],
            WIDE._replace(connect=0.0, first_token=SHORT),
            "first_token",
            "model-x did not begin to answer within 0.02 seconds.",
        ),
        (
            [TextDelta("Hel")],
            WIDE._replace(between_tokens=SHORT),
            "between_tokens",
            "The reply was cut off: nothing came from model-x for 0.02 seconds.",
        ),
        (
            [HiddenDelta()],
            WIDE._replace(between_tokens=SHORT),
            "between_tokens",
            "The reply was cut off: nothing came from model-x for 0.02 seconds.",
        ),
        (
            [TextDelta("Hel")],
            WIDE._replace(whole_reply=SHORT),
            "whole_reply",
            "The reply was cut off: it took longer than 0.02 seconds.",
        ),
    ],
)
async def test_a_silent_provider_costs_one_reply(
    came: list[Event], limits: ReplyLimits, limit: str, said: str
) -> None:
    provider = Silent(*came)
    *before, failed = await replied(provider, limits)
    assert before == [event for event in came if not isinstance(event, HiddenDelta)]
    assert failed == Failed(
        "timeout",
        said,
        f"/retry asks again. [provider.limits] {limit} in the config file sets the limit.",
    )
    await provider.closed.wait()


async def test_progress_that_is_not_shown_keeps_a_reply_alive() -> None:
    """The whole reply ends it at last, and no silence before."""
    provider = Silent(forever=[HiddenDelta()])
    limits = ReplyLimits(0.0, SHORT, SHORT, 5 * SHORT, 1_000)
    (failed,) = await replied(provider, limits)
    assert "whole_reply" in failed.hint


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("é" * 40),
        ReasoningDelta("x" * 80),
        ToolCall("1", "noon", "x" * 80),
        ProviderToolStarted(ToolCall("1", "search", "x" * 70)),
        ProviderToolFinished(ToolCall("1", "search", "x" * 40), "é" * 15),
        SpeakerChanged("x" * 76),
    ],
    ids=["text", "reasoning", "call", "tool", "result", "speaker"],
)
async def test_a_reply_without_an_end_is_cut(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, of all that comes."""
    monkeypatch.setattr(limits, "RECORD_BYTES", 4)
    provider = Silent(forever=[event])
    *came, failed = await replied(provider, WIDE._replace(reply_bytes=800))
    assert len(came) == 10
    assert failed.message == "The reply was cut off: it is longer than 800 bytes."
    assert failed.hint == "[provider.limits] reply_bytes in the config file sets the limit."
    await provider.closed.wait()


async def test_a_tool_that_the_provider_runs_may_take_as_long_as_the_reply() -> None:
    call = ToolCall("1", "search", "{}")
    started, finished = ProviderToolStarted(call), ProviderToolFinished(call, "found")
    limits = WIDE._replace(between_tokens=SHORT, whole_reply=5 * SHORT)
    *_came, failed = await replied(Silent(started), limits)
    assert "whole_reply" in failed.hint
    *_came, failed = await replied(Silent(started, finished), limits)
    assert "between_tokens" in failed.hint


async def test_a_provider_that_waits_for_the_shell_is_not_silent() -> None:
    """What is slow is the disk on which its words are kept."""
    provider = Silent(*[TextDelta("x")] * (3 * BEHIND), Finished())
    waited = asyncio.get_running_loop().time() + 5 * SHORT

    async def take(_events: Sequence[Event]) -> None:
        while asyncio.get_running_loop().time() < waited:
            await asyncio.sleep(SHORT / 4)

    stream = Stream(provider, REQUEST, take, WIDE._replace(between_tokens=SHORT))
    came = await events_of(stream)
    assert came[-1] == Finished()


async def test_a_turn_keeps_the_limits_of_the_configuration(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    engine = make_engine(values={"provider.limits.reply_bytes": 5})
    await engine.create("Test")
    provider.scripts.append(["Hello", " World", Finished()])
    events = await events_of(engine.turn("Hi"))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert "longer than 5 bytes" in failed.message
    assert engine.history[-1].status == "incomplete"
    assert engine.history[-1].content == "Hello"


async def test_stopping_a_silent_provider_is_still_at_once(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    engine = make_engine(values={"provider.limits.first_token": 1000.0})
    await engine.create("Test")
    provider.scripts.append([asyncio.Event()])
    turn = engine.turn("Hi")
    asyncio.get_running_loop().call_soon(turn.stop)
    events = await events_of(turn)
    assert any(isinstance(event, Interrupted) for event in events)
