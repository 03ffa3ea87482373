"""The context that hooks get, which are called in a thread of their plugin."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from agno_shell.toolkit.guarding import reason_of

ANSWER_SECONDS = 5.0
"""How long a hook waits for the shell, which may be held up by another plugin."""


PARTS = frozenset(("engine", "ui", "storage", "app", "messages", "attachments", "tools"))
"""Attributes that have methods of their own."""


class HookContext:
    """A :class:`~agno_shell.contracts.CommandContext` for another thread than the shell's.

    Functions run in the shell's loop, and what they return, or raise, comes back. Coroutine
    functions are started there and return a ``concurrent.futures.Future``, as a plain function
    cannot await.
    """

    def __init__(
        self, context: Any, loop: asyncio.AbstractEventLoop, home: threading.Thread | None = None
    ) -> None:
        self._context = context
        self._loop = loop
        self._home = home or threading.current_thread()

    def __call__(self, *given: Any, **named: Any) -> Any:
        """A part that is called itself, as the storage is."""
        if threading.current_thread() is self._home:
            return self._context(*given, **named)
        return self._start(self._context.__call__, *given, **named)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._context, name)
        if name in PARTS:
            return HookContext(value, self._loop, self._home)
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
