from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agno_shell.conversation.attempts import BACK_OFF, Attempts, RetryPolicy
from agno_shell.conversation.models import Choice
from agno_shell.conversation.stopping import Stop
from agno_shell.errors import ProviderError
from agno_shell.events import (
    Failed,
    FellBack,
    Finished,
    Interrupted,
    Receipt,
    Request,
    RequestPrepared,
    Retrying,
    TextDelta,
    TurnEvent,
)
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, new_id, now

BUSY = Failed("rate_limited", "Too much is asked.", temporary=True, retry_after=7.0)
DOWN = Failed("unreachable", "Nobody there.", temporary=True)
SLOW = Failed("timeout", "It did not begin to answer.")
WRONG_KEY = Failed("authentication", "The key is not accepted.")

QUESTION = Message(new_id(), "user", "Hi", now())
RECEIPT = Receipt((), (), 0, 1000, True, 250, True)


class Lab:
    """One asking, and what became of it."""

    def __init__(self, *models: str, tries: int = 3, retry_after: float = 60.0) -> None:
        self.provider = ScriptedProvider()
        self.choices = [Choice("scripted", model) for model in models or ("first",)]
        self.stop = Stop()
        self.waited: list[float] = []
        self.begun: list[str] = []
        self.retry_policy = RetryPolicy(tries, retry_after, self.wait)
        self.broken: dict[str, Exception] = {}

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def prepare(self, choice: Choice) -> RequestPrepared:
        if choice.model in self.broken:
            raise self.broken[choice.model]
        return RequestPrepared(Request(choice.model, (QUESTION,)), RECEIPT)

    async def ask(self, *scripts: Sequence[Any]) -> list[TurnEvent]:
        self.provider.scripts.extend(scripts)
        asking = Attempts(
            self.choices,
            lambda _choice: self.provider,
            self.prepare,
            lambda choice, _prepared: self.begun.append(choice.model),
            self.retry_policy,
            self.stop,
        )
        return await events_of(asking)


def kinds(events: Sequence[TurnEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_an_answer_is_passed_on() -> None:
    lab = Lab()
    events = await lab.ask(["Hello", Finished()])
    assert kinds(events) == ["RequestPrepared", "TextDelta", "Finished"]
    assert lab.begun == ["first"]


async def test_what_is_temporary_is_tried_again_after_what_the_server_asks_for() -> None:
    lab = Lab()
    events = await lab.ask([BUSY], ["Hello", Finished()])
    assert events[1] == Retrying(BUSY, 7.0, 2, 3)
    assert kinds(events) == ["RequestPrepared", "Retrying", "TextDelta", "Finished"]
    assert lab.waited == [7.0]
    assert lab.begun == ["first", "first"]


async def test_three_tries_are_all_and_the_last_failure_is_the_end() -> None:
    lab = Lab()
    events = await lab.ask([DOWN], [DOWN], [DOWN], ["never", Finished()])
    assert kinds(events) == ["RequestPrepared", "Retrying", "Retrying", "Failed"]
    assert lab.waited == list(BACK_OFF)
    assert len(lab.provider.requests) == 3


@pytest.mark.parametrize("failed", [WRONG_KEY, SLOW, Failed("overflow", "Too long.")])
async def test_what_is_not_temporary_is_not_tried_again(failed: Failed) -> None:
    lab = Lab()
    assert (await lab.ask([failed]))[-1] == failed
    assert lab.waited == []


async def test_nothing_is_tried_again_once_something_of_the_reply_was_shown() -> None:
    lab = Lab("first", "second")
    events = await lab.ask(["Hel", DOWN])
    assert kinds(events) == ["RequestPrepared", "TextDelta", "Failed"]


async def test_who_wants_to_be_left_alone_for_long_is_not_asked_again() -> None:
    lab = Lab(retry_after=6.9)
    failed = (await lab.ask([BUSY]))[-1]
    assert isinstance(failed, Failed)
    assert (failed.message, failed.retry_after) == (BUSY.message, 7.0)
    assert "longer than [provider.limits] retry_after, 6.9 seconds" in failed.hint
    assert lab.waited == []


async def test_a_model_that_is_down_is_not_waited_for_while_there_is_another() -> None:
    lab = Lab("first", "second")
    events = await lab.ask([BUSY], ["Hello", Finished()])
    assert events[1] == FellBack(BUSY, "first", "second")
    assert kinds(events[2:]) == ["RequestPrepared", "TextDelta", "Finished"]
    assert [request.model for request in lab.provider.requests] == ["first", "second"]
    assert lab.waited == []


async def test_the_last_model_gets_all_the_tries() -> None:
    lab = Lab("first", "second", "third", tries=2)
    events = await lab.ask([DOWN], [SLOW], [DOWN], [DOWN])
    assert kinds(events) == [
        "RequestPrepared",
        "FellBack",
        "RequestPrepared",
        "FellBack",
        "RequestPrepared",
        "Retrying",
        "Failed",
    ]


async def test_another_model_is_no_remedy_for_a_wrong_request() -> None:
    lab = Lab("first", "second")
    assert kinds(await lab.ask([WRONG_KEY])) == ["RequestPrepared", "Failed"]


async def test_stopping_ends_the_wait_for_the_next_try() -> None:
    lab = Lab()

    async def stopped(seconds: float) -> None:
        lab.stop.set()
        await asyncio.Event().wait()

    lab.retry_policy = RetryPolicy(3, 60.0, stopped)
    events = await lab.ask([BUSY])
    assert kinds(events) == ["RequestPrepared", "Retrying", "Interrupted"]


async def test_stopping_before_the_request_sends_nothing() -> None:
    lab = Lab()
    lab.stop.set()
    assert await lab.ask() == [Interrupted()]
    assert lab.provider.requests == []


async def test_stopping_in_the_middle_of_the_reply() -> None:
    lab = Lab("first", "second")
    lab.provider.scripts.append(["Hel", DOWN])
    asking = Attempts(
        lab.choices,
        lambda _choice: lab.provider,
        lab.prepare,
        lambda *_about: None,
        lab.retry_policy,
        lab.stop,
    )

    def watch(event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            lab.stop.set()

    events = await events_of(asking, watch)
    assert kinds(events) == ["RequestPrepared", "TextDelta", "Interrupted"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderError("No key.", kind="authentication"), "authentication"),
        (RuntimeError("a bug"), "other"),
    ],
)
async def test_a_request_that_cannot_be_made_is_a_failure(error: Exception, kind: str) -> None:
    lab = Lab()
    lab.broken["first"] = error
    (failed,) = await lab.ask()
    assert isinstance(failed, Failed)
    assert failed.kind == kind
    assert lab.provider.requests == []
