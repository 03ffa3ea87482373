from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from agno_shell.toolkit.guarding import let_through, quiet, reason_of, text_of


class MuteError(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


RAISED = [
    ValueError("x"),
    SystemExit(3),
    GeneratorExit(),
    asyncio.CancelledError(),
    KeyboardInterrupt(),
    BaseException("odd"),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda each: type(each).__name__)
async def test_what_foreign_code_raises_is_kept_in(error: BaseException) -> None:
    with quiet():
        raise error


async def test_the_end_of_the_task_itself_is_let_through() -> None:
    reached = asyncio.Event()

    async def work() -> None:
        reached.set()
        with quiet():
            await asyncio.Event().wait()
        raise AssertionError("it went on")

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_cancellation_of_something_else_is_kept_in() -> None:
    async def foreign() -> None:
        await asyncio.Event().wait()

    inner = asyncio.ensure_future(foreign())
    asyncio.get_running_loop().call_soon(inner.cancel)
    with quiet():
        await inner


def test_ctrl_c_before_there_is_a_loop_is_let_through() -> None:
    with pytest.raises(KeyboardInterrupt), quiet():
        raise KeyboardInterrupt
    with quiet():
        raise asyncio.CancelledError


async def test_ctrl_c_is_kept_in_a_thread() -> None:
    def work() -> bool:
        with quiet():
            raise KeyboardInterrupt
        return True

    assert await asyncio.to_thread(work)


def test_reasons() -> None:
    assert reason_of(ValueError("two\nlines")) == "ValueError: two lines"
    assert reason_of(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert reason_of(MuteError()) == "MuteError"
    assert text_of(MuteError()) == ""
    with suppress(ValueError):
        let_through(ValueError())
