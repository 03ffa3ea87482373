"""An event loop in a thread of its own, in which everything runs that servers can slow down.

What a server sends is parsed here: the shell's loop, and so the keys, wait for none of it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

STOPPING_SECONDS = 1.0


class SideLoop:
    """Runs coroutines for other loops. The thread is a daemon: nothing waits for it at the
    end of the program."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mcp", daemon=True)
        self._thread.start()

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns, or raises; cancelling this cancels it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # What goes wrong between two calls is told with the next one.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._loop.run_forever()

    async def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STOPPING_SECONDS):
                await self(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, STOPPING_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


async def _cancel_the_rest() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
