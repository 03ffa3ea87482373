"""The context that hooks get, which are called in a thread of their plugin."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from agno_shell.contracts import CommandContext
from agno_shell.toolkit.guarding import reason_of

ANSWER_SECONDS = 5.0
"""How long a hook waits for the shell, which may be held up by another plugin."""


class HookContext:
    """A :class:`~agno_shell.contracts.CommandContext` for another thread than the shell's.

    Functions run in the shell's loop, and what they return, or raise, comes back. Coroutine
    functions are started there and return a ``concurrent.futures.Future``, as a plain function
    cannot await.
    """

    def __init__(self, context: CommandContext, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._loop = loop
        self._home = threading.current_thread()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._context, name)
        if not inspect.ismethod(value) or threading.current_thread() is self._home:
            return value
        if inspect.iscoroutinefunction(value):
            return partial(self._start, value)
        return partial(self._call, value)

    def _start(self, function: Callable[..., Any], *given: Any, **named: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(function(*given, **named), self._loop)

    def _call(self, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(function(*given, **named))
            except Exception as error:
                answer.set_exception(error)
            except BaseException as error:  # an iterable of the plugin's may raise anything
                answer.set_exception(RuntimeError(reason_of(error)))

        self._loop.call_soon_threadsafe(run)
        return answer.result(ANSWER_SECONDS)
