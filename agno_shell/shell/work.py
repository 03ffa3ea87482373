"""What is in work in front: a turn, a command, a question; one within the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


class Work:
    """Runs one thing, and what that waits for, and stops the innermost of them when the user
    interrupts."""

    def __init__(self) -> None:
        self._stop: Callable[[], object] | None = None
        """What an interrupt calls."""

    async def run(self, work: Awaitable[object]) -> bool:
        """Wait for ``work``; False when an interrupt ended it, which does not end the shell."""
        future = asyncio.ensure_future(work)
        with self.show(future.cancel):
            try:
                await future
            except asyncio.CancelledError:
                own = asyncio.current_task()
                if own is None or own.cancelling():  # it is the shell that is to end
                    raise
                return False
        return True

    @contextmanager
    def show(self, stop: Callable[[], object]) -> Iterator[None]:
        """Around what is in front from now on; an interrupt calls ``stop``."""
        before, self._stop = self._stop, stop
        try:
            yield
        finally:
            self._stop = before

    def interrupt(self) -> None:
        """The user wants what is in front to end."""
        if self._stop:
            self._stop()
