"""A pytest plugin: whatever a test starts has a limit on its time and on what it writes, and
ends with the run.

Use it with ``-p agno_shell.testing.bounded_children``. A program that survives the signal
meant for it, or writes without an end, could otherwise hold up the run for hours and fill the
disk.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Any

import pytest

CPU_SECONDS = 300
"""Of each program that a test starts."""

LARGEST_FILE = 1 << 30
"""Bytes that the tests, and each program that they start, may write to one file."""


class _Children:
    """The programs that were started, by every way of the standard library: all of them
    go through ``Popen``."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[Any]] = []
        self._start = subprocess.Popen.__init__

    def watch(self) -> None:
        start, note = self._start, self._note

        def started(process: subprocess.Popen[Any], *arguments: Any, **options: Any) -> None:
            start(process, *arguments, **options)
            note(process)

        subprocess.Popen.__init__ = started  # type: ignore[method-assign, assignment]

    def unwatch(self) -> None:
        subprocess.Popen.__init__ = self._start  # type: ignore[method-assign]

    def _note(self, process: subprocess.Popen[Any]) -> None:
        _limit(process.pid)
        # Its status is known, so it has ended; the number may belong to another by now.
        self._running = [each for each in self._running if each.returncode is None]
        self._running.append(process)

    def end(self) -> None:
        """End what the tests have left. Not with each test: what a part starts that several
        tests share, such as the process of a provider, may have been started in one of them."""
        for process in self._running:
            if process.returncode is None:
                with contextlib.suppress(OSError):
                    leads = os.getpgid(process.pid) == process.pid
                    (os.killpg if leads else os.kill)(process.pid, signal.SIGKILL)
        self._running.clear()


def _limit(pid: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(pid, resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def _limit_files() -> None:
    """For this process, and so for all that it starts."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        if hard == resource.RLIM_INFINITY or hard > LARGEST_FILE:
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, hard))


_KEY = pytest.StashKey[_Children]()


def pytest_configure(config: pytest.Config) -> None:
    _limit_files()
    children = config.stash[_KEY] = _Children()
    children.watch()


def pytest_unconfigure(config: pytest.Config) -> None:
    if children := config.stash.get(_KEY, None):
        children.unwatch()
        children.end()
