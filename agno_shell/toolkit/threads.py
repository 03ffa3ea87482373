"""Work in threads that the end of the program does not wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import TYPE_CHECKING, Any

from agno_shell.toolkit.guarding import ForeignError, reason_of

if TYPE_CHECKING:
    import asyncio


def in_thread(
    work: Callable[[], Any], *, start: Callable[[Callable[[], None]], object] | None = None
) -> Awaitable[Any]:
    """What ``work`` returns, or raises, in a thread: one of its own unless ``start`` has
    another. Those of ``asyncio.to_thread`` would be waited for at the end."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def run() -> None:
        if future.done():  # nobody waits for it any more, and it has not begun
            return
        result, failure = None, None
        try:
            result = context.run(work)
        except BaseException as error:
            failure = _for_a_future(error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, future, result, failure)

    context = copy_context()
    (start or _start)(run)
    return future


def _start(run: Callable[[], None]) -> None:
    Thread(target=run, name="work", daemon=True).start()


def _for_a_future(error: BaseException) -> Exception:
    """An error that a future takes, and that does not end the loop that waits for it."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return ForeignError(reason_of(error))


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
