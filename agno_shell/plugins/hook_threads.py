"""A thread for each plugin in which its hooks run, so that a hook that takes long, or never
comes back, holds up neither the keys nor anything else."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread, current_thread
from typing import NamedTuple

from agno_shell.toolkit.guarding import quiet


class OverdueHook(NamedTuple):
    """A hook that has been running for too long."""

    hook: str
    seconds: float


class _Work(NamedTuple):
    hook: str
    run: Callable[[], None]


class HookThread:
    """Runs the hooks of one plugin, one at a time and in the order in which they were asked
    for. The thread is a daemon: the end of the program does not wait for it."""

    def __init__(self, plugin: str) -> None:
        self._name = f"plugin {plugin}"
        self._queue: SimpleQueue[_Work] = SimpleQueue()
        self._thread: Thread | None = None
        self._current: tuple[str, float] | None = None
        """The hook that runs, and since when."""
        self._asked = 0
        self._done = 0

    def submit(self, hook: str, run: Callable[[], None]) -> None:
        """Run it later; nobody waits for it."""
        self._asked += 1
        self._queue.put(_Work(hook, run))
        if self._thread is None:
            self._thread = Thread(
                target=self._work, args=(self._queue,), name=self._name, daemon=True
            )
            self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was asked for is done."""
        return self._asked == self._done

    def late(self, seconds: float) -> OverdueHook | None:
        """The hook that has been running for longer than that, if there is one."""
        current = self._current
        if current is None or (taken := time.monotonic() - current[1]) < seconds:
            return None
        return OverdueHook(current[0], taken)

    def abandon(self, *, all_of_it: bool = False) -> None:
        """Leave the thread behind with the hook that runs in it, and go on with what waits
        in another one; with ``all_of_it`` without what waits for the same hook."""
        current, self._current = self._current, None
        waiting, self._queue, self._thread = self._queue, SimpleQueue(), None
        self._asked, self._done = 0, 0
        with suppress(Empty):
            while True:
                work = waiting.get_nowait()
                if not (all_of_it and current and work.hook == current[0]):
                    self.submit(*work)

    def _work(self, queue: SimpleQueue[_Work]) -> None:
        while True:
            hook, run = queue.get()
            if queue is not self._queue:  # abandoned just now, and this came behind it
                self.submit(hook, run)
                return
            self._current = hook, time.monotonic()
            with quiet():  # what it raises is for `run` to report
                run()
            if self._thread is not current_thread():  # it came back after it was given up
                return
            self._current = None
            self._done += 1
