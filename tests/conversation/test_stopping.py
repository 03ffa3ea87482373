from __future__ import annotations

import asyncio

import pytest

from agno_shell.conversation.stopping import Stop, StoppedError


async def value() -> int:
    return 7


async def test_what_is_guarded_returns_what_it_returns() -> None:
    assert await Stop().guard(value()) == 7


async def test_what_is_guarded_raises_what_it_raises() -> None:
    async def fail() -> None:
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        await Stop().guard(fail())


async def test_stopping_gives_up_at_once_and_cancels_what_was_waited_for() -> None:
    stop, cancelled = Stop(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
            # Whatever this takes, nobody waits for it.
            await asyncio.Event().wait()

    task = asyncio.create_task(stop.guard(stubborn()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(StoppedError):
        await task
    await cancelled.wait()


async def test_nothing_is_begun_once_it_was_stopped() -> None:
    stop = Stop()
    stop.set()
    begun = []

    async def begin() -> None:
        begun.append(1)

    with pytest.raises(StoppedError):
        await stop.guard(begin())
    assert begun == []


async def test_what_was_finished_in_the_same_moment_counts() -> None:
    stop = Stop()

    async def last_moment() -> int:
        stop.set()
        return 1

    assert await stop.guard(last_moment()) == 1


async def test_cancelling_the_waiting_task_cancels_what_it_waits_for() -> None:
    stop, cancelled = Stop(), asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = asyncio.create_task(stop.guard(wait()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cancelled.wait()


async def test_a_call_is_made_when_it_is_stopped_or_at_once_if_it_was() -> None:
    stop, calls = Stop(), []
    with stop.calling(lambda: calls.append("past")):
        pass
    with stop.calling(lambda: calls.append("now")):
        stop.set()
    with stop.calling(lambda: calls.append("late")):
        pass
    assert calls == ["now", "late"]
