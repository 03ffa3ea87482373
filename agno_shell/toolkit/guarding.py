"""What foreign code may raise, and how it is kept from ending the shell.

A plugin may raise anything: ``SystemExit``, ``KeyboardInterrupt``, ``GeneratorExit``, a
``CancelledError`` that nobody asked for, an error whose text cannot be made. Every guard
around foreign code catches ``BaseException`` and lets only :func:`let_through` decide what
is not the plugin's::

    try:
        await provider.close()
    except BaseException as error:
        let_through(error)
        report(reason_of(error))

Not for a block that yields: there ``GeneratorExit`` is the caller's wish to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


class PluginStuckError(BaseException):
    """Raised inside a plugin's own frames to break off a call that has stopped the keys.

    No ``Exception``: a plugin that catches those must not catch this one.
    """


class ForeignError(RuntimeError):
    """Stands for what no future takes, such as ``SystemExit``; its text says what it was."""


def let_through(error: BaseException) -> None:
    """Raise ``error`` again if it is the cancellation of the task that runs here, or Ctrl-C
    before there is a loop that could take it."""
    from asyncio import CancelledError, current_task

    if not isinstance(error, CancelledError | KeyboardInterrupt):
        return
    try:
        task = current_task()
    except RuntimeError:  # no loop runs in this thread, so nothing is ever cancelled in it
        if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
            raise error from None
        return
    if isinstance(error, CancelledError) and task is not None and task.cancelling():
        raise error


@contextmanager
def quiet() -> Iterator[None]:
    """Runs foreign code whose errors are reported to nobody."""
    try:
        yield
    except BaseException as error:
        let_through(error)


def reason_of(error: BaseException) -> str:
    """The kind of an error and what it says, in one line; also of one that cannot say it."""
    kind, text = type(error).__name__, text_of(error)
    if isinstance(error, ForeignError):
        return text
    return f"{kind}: {text}" if text else kind


def text_of(error: BaseException) -> str:
    """What an error says, in one line; empty where that cannot be had."""
    try:
        return " ".join(str(error).split())
    except BaseException:
        return ""
