"""The end of the program, whatever plugins have left running.

``asyncio.run`` waits for tasks that refuse to be cancelled, and the interpreter for threads
that are no daemons and for what was registered with ``atexit``: possibly for ever.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

TASKS_SECONDS = 0.5
"""How long tasks may take to end once they were cancelled."""

SECONDS = 1.0
"""How long the interpreter may take to end; then it is ended."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """``asyncio.run``, which leaves behind what does not end."""
    import asyncio

    runner = asyncio.Runner()
    try:
        return runner.run(main)
    finally:
        loop = runner.get_loop()
        # No user is there any more to see a report.
        loop.set_exception_handler(lambda _loop, _context: None)
        if runner.run(_settled()):
            runner.close()


async def _settled() -> bool:
    """Whether all that runs has ended, tasks and the threads of the loop."""
    import asyncio

    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    loop = asyncio.get_running_loop()
    threads = asyncio.ensure_future(loop.shutdown_default_executor())
    done, running = await asyncio.wait([*tasks, threads], timeout=TASKS_SECONDS)
    for task in done:
        if not task.cancelled():
            task.exception()
    return not running


def end_in_time(status: int) -> None:
    """End the process with ``status`` soon, even if a thread or an ``atexit`` function keeps
    it; called last. What keeps it is named on standard error."""
    # A daemon runs until the interpreter is torn down, so also while that waits for others.
    threading.Thread(target=_end, args=(status,), name="ending", daemon=True).start()


def _end(status: int) -> None:
    time.sleep(SECONDS)
    with suppress(Exception):
        print(f"agno-shell: {_what_keeps_it()}", file=sys.stderr, flush=True)  # noqa: T201
        sys.stdout.flush()
    os._exit(status)


def _what_keeps_it() -> str:
    frames = sys._current_frames()
    places = [
        f"thread {each.name!r}{_place(frames.get(each.ident or 0))}"
        for each in threading.enumerate()
        if not each.daemon and each is not threading.main_thread()
    ] or [f"something{_place(frames.get(threading.main_thread().ident or 0))}"]
    return f"{places[0]} did not end; it was left behind. A plugin may have started it."


def _place(frame: Any) -> str:
    """Where a thread is: the innermost frame that is not the standard library's."""
    library = os.path.dirname(os.__file__)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((library + os.sep, "<")) or "site-packages" in file:
            return f" ({file}, line {frame.f_lineno})"
        frame = frame.f_back
    return ""
