"""A program in a real pseudo-terminal, and when what it draws arrives."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect

CURSOR_REQUEST, CURSOR_ANSWER = b"\x1b[6n", b"\x1b[1;1R"
ROWS, COLUMNS = 40, 100
PROMPT = "›".encode()

_SCHEDULED = 2
"""CPUCLOCK_SCHED of the kernel's posix-timers.h: the nanoseconds a process has run."""


class Terminal:
    """Starts a program and reads what it draws; times are ``time.monotonic()``.

    Like a real terminal it answers the request for the cursor's position, for which
    prompt_toolkit waits.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.began = time.monotonic()
        self._child = pexpect.spawn(
            command[0], list(command[1:]), env=dict(environ), dimensions=(ROWS, COLUMNS)
        )
        self._process: Any = self._child.ptyproc  # type: ignore[attr-defined] # not in the stubs
        self._new = b""
        """What was read behind the last mark."""

    @property
    def pid(self) -> int:
        return int(self._child.pid or 0)

    def type(self, text: str) -> float:
        """Send keys; returns the moment just before."""
        moment = time.monotonic()
        os.write(self._child.child_fd, text.encode())
        return moment

    def wait_for(self, mark: bytes | str, seconds: float = 30.0) -> float:
        """The moment at which ``mark`` was on its way to the screen.

        Only what comes behind the mark of the last call counts. Raises
        ``TimeoutError`` with the end of what was drawn instead.
        """
        wanted = mark.encode() if isinstance(mark, str) else mark
        deadline = time.monotonic() + seconds
        moment = time.monotonic()
        while (found := self._new.find(wanted)) < 0:
            # A mark may come in two pieces; nothing before them is searched again.
            self._new = self._new[-4096:]
            if not self._read(deadline - time.monotonic()):
                raise TimeoutError(f"{wanted!r} was not drawn, but {self._new[-500:]!r}")
            moment = time.monotonic()
        self._new = self._new[found + len(wanted) :]
        return moment

    def watch(self, seconds: float) -> None:
        """Let the time pass, reading what is drawn so that the program never waits."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)
        self._new = self._new[-4096:]

    def close(self) -> None:
        """End the program and what it started, at once and without a trace."""
        for pid in (self.pid, *children(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._child.wait()
        self._process.delayafterclose = 0
        self._child.close()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._child.child_fd], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self._child.child_fd, 1 << 16)
        except OSError:  # Linux reports the end of a terminal as EIO
            return False
        for _ in range(data.count(CURSOR_REQUEST)):
            os.write(self._child.child_fd, CURSOR_ANSWER)
        self._new += data
        return bool(data)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in the second field may itself hold spaces and parentheses.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def cpu_seconds(pid: int) -> float:
    """What a process has run, all of its threads, ended ones included, together.

    The same as utime + stime in ``/proc/PID/stat``, which counts in steps of 10 ms only.
    Source: clock_getcpuclockid(3).
    """
    return time.clock_gettime(~pid << 3 | _SCHEDULED)


def memory(pid: int) -> tuple[float, float]:
    """Resident and proportional set size, in MB of 1,000,000 bytes."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes, *_ = line.split()
        fields[name] = int(kilobytes) * 1024 / 1e6
    return fields["Rss:"], fields["Pss:"]
