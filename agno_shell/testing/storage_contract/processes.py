"""A forked process that works on a store until it is killed."""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Report = Callable[[str], None]
"""Reports one line to the parent."""

PATIENCE = 60.0
"""Seconds for which a process may report nothing, so that one that hangs fails a test
instead of the whole run."""
_FAILED = "failed "


class Child:
    """The process as its parent sees it."""

    def __init__(self, pid: int, pipe: int) -> None:
        self._pid = pid
        self._pipe = pipe
        self._rest = b""
        self._lines: list[str] = []
        self._ended = False

    def report(self) -> str:
        """The next line; ``AssertionError`` if the process failed or fell silent."""
        while not self._lines:
            if not self._listen():
                raise AssertionError("The other process has ended before it was killed.")
        return self._checked(self._lines.pop(0))

    def kill(self) -> list[str]:
        """End the process without a chance to tidy up; what it had reported by then."""
        self.end()
        while self._listen():
            pass
        lines, self._lines = self._lines, []
        return [self._checked(line) for line in lines]

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _listen(self) -> bool:
        """Read what the process has reported; False once it cannot report any more."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if not selector.select(PATIENCE):
                raise AssertionError(f"The other process hangs: no report for {PATIENCE:.0f} s.")
        data = os.read(self._pipe, 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += [line.decode("ascii") for line in lines]
        return bool(data)

    def _checked(self, line: str) -> str:
        if line.startswith(_FAILED):
            reason = json.loads(line.removeprefix(_FAILED))
            raise AssertionError(f"The other process has failed.\n{reason}")
        return line


@contextmanager
def forked(work: Callable[[Report], None]) -> Iterator[Child]:
    """Run ``work`` in a forked process, which is killed at the end of the block."""
    reading, writing = os.pipe()
    pid = _fork()
    if pid == 0:
        os.close(reading)
        _live(writing, work)
    os.close(writing)
    child = Child(pid, reading)
    try:
        yield child
    finally:
        child.end()
        os.close(reading)


def _fork() -> int:
    with warnings.catch_warnings():
        # From 3.12 on a fork of a process with several threads is warned of. The child
        # uses none of the others, and leaves by os._exit().
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _live(pipe: int, work: Callable[[Report], None]) -> None:
    """The life of the child, which never returns into the test."""

    def report(line: str) -> None:
        os.write(pipe, line.encode("ascii") + b"\n")

    try:
        gc.disable()  # what the parent has not yet thrown away is not the child's to close
        work(report)
    except BaseException:  # whatever it is: the parent reports it
        with suppress(OSError):
            report(_FAILED + json.dumps(traceback.format_exc()))
    finally:
        os._exit(0)
