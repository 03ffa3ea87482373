"""Ends the programs of servers when the shell is gone, however it went.

A small shell script waits at the end of a pipe that the shell holds open. At its end, also
after a kill -9, it ends the process groups that were added and not removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

SHELL = "/bin/sh"

_SCRIPT = """
groups=" "
while read -r what group; do
    if [ "$what" = + ]; then
        groups="$groups$group "
    else
        groups="${groups%% "$group" *} ${groups#* "$group" }"
    fi
done
for group in $groups; do kill -s TERM -- "-$group"; done
[ "$groups" = " " ] || sleep 1
for group in $groups; do kill -s KILL -- "-$group"; done
"""


class Reaper:
    """Knows the process groups that must not outlive this process. Does nothing where there
    is no POSIX shell."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """End this group with the shell."""
        if self._process is None:
            self._process = _start()
        self._say(f"+ {group}\n")

    def forget(self, group: int) -> None:
        """It has ended; its number may belong to another process soon."""
        self._say(f"- {group}\n")

    def close(self) -> None:
        """End what is left, and this. Does not wait."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)
        self._process = None

    def _say(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, ValueError):
                os.write(self._process.stdin.fileno(), line.encode())


def _start() -> subprocess.Popen[bytes] | None:
    if sys.platform == "win32":
        return None
    try:
        return subprocess.Popen(
            [SHELL, "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,
            env={"PATH": os.defpath},
            start_new_session=True,  # what ends the shell's own group leaves it alone
        )
    except OSError:
        return None
