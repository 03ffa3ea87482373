"""How a user's wish to stop reaches whatever a turn is waiting for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """What was waited for was given up because the user stopped the turn."""


class Stop:
    """A switch that is thrown once."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []
        self.is_set = False

    def set(self) -> None:
        """Stop everything that is under way, and everything that is begun later."""
        self.is_set = True
        for call in tuple(self._calls):
            call()

    @contextmanager
    def calling(self, call: Callable[[], object]) -> Iterator[None]:
        """Call ``call`` when the switch is thrown in this block, or at once if it was."""
        if self.is_set:
            call()
        self._calls.append(call)
        try:
            yield
        finally:
            self._calls.remove(call)

    async def guard(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns, or raises; :class:`StoppedError` as soon as the switch is
        thrown: ``work`` is cancelled then, and not waited for."""
        if self.is_set:
            work.close()
            raise StoppedError
        task = asyncio.ensure_future(work)
        stopped = asyncio.get_running_loop().create_future()

        def give_up() -> None:
            if not stopped.done():
                stopped.set_result(None)

        with self.calling(give_up):
            try:
                await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                task.cancel()
                raise
        if task.done() and not task.cancelled():
            return task.result()
        task.cancel()
        task.add_done_callback(_take_no_notice)
        if self.is_set:
            raise StoppedError
        raise asyncio.CancelledError  # somebody cancelled the work itself


def _take_no_notice(task: asyncio.Future[Any]) -> None:
    """Look at an error that nobody waits for, so that nobody is told of it."""
    if not task.cancelled():
        task.exception()
