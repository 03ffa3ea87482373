"""A real terminal for tests: a program in a pty, and what a user would see of it.

Needs pyte (the extra ``test``) and a POSIX system::

    with Terminal() as terminal:
        terminal.start(["agno-shell"], {"AGNO_SHELL_HOME": folder, "PATH": …})
        terminal.expect("agno-shell")
        terminal.type("hello\\r")

The program is started through ``sh`` and not by a fork of this process, which may have
threads, such as that of the model server.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

ENTER, TAB, ESCAPE, BACKSPACE = "\r", "\t", "\x1b", "\x7f"
CTRL_C, CTRL_D, CTRL_R = "\x03", "\x04", "\x12"
UP, DOWN = "\x1b[A", "\x1b[B"
ALT_ENTER = "\x1b\r"

PATIENCE = 20.0
"""Seconds; how long the slowest machine may take for one step."""

CPU_SECONDS = 600
FILE_BLOCKS = 2 * 1024 * 1024
"""Of 512 bytes: no file that a program writes grows beyond 1 GiB."""

MOST_WRITTEN = 256 * 1024 * 1024
"""Bytes; a program that writes more to its terminal is one that does not end."""

_TAKE_TERMINAL = (
    f'ulimit -t {CPU_SECONDS} -f {FILE_BLOCKS}; exec "$@" <>"$TERMINAL_IN_USE" >&0 2>&0'
)
"""The leader of a new session gets the first terminal that it opens (POSIX 11.1.3). The
limits hold for it and its children, also when the process that runs the test is gone."""


def paste(text: str) -> str:
    """``text`` as a terminal sends it that knows bracketed paste."""
    return f"\x1b[200~{text}\x1b[201~"


class Terminal:
    """A screen of ``columns`` by ``rows`` with all of its scrollback; one program at a time."""

    def __init__(self, columns: int = 100, rows: int = 30) -> None:
        import pyte

        class Screen(pyte.HistoryScreen):  # type: ignore[misc]  # pyte has no types
            def write_process_input(screen, data: str) -> None:  # noqa: N805
                """Answers of the terminal, such as the position of the cursor."""
                self.type(data)

        self._master, self._slave = os.openpty()
        self.buffer: Any = Screen(columns, rows, history=100_000, ratio=0.5)
        """The ``pyte.HistoryScreen``."""
        self._stream = pyte.ByteStream(self.buffer)
        self.process: subprocess.Popen[bytes] | None = None
        self._written = bytearray()
        self.resize(columns, rows)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    # The program --------------------------------------------------------------------------

    def start(
        self, argv: Sequence[str], environ: Mapping[str, str], cwd: str | Path | None = None
    ) -> None:
        """Start a program with the pty as its controlling terminal."""
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", _TAKE_TERMINAL, "sh", *argv],
            env={**environ, "TERMINAL_IN_USE": os.ttyname(self._slave)},
            cwd=cwd,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self, seconds: float = PATIENCE) -> int:
        """The program's exit status once it has ended (negative: the signal)."""
        process = self._running()
        self.until(lambda: process.poll() is not None, seconds, "The program has not ended.")
        self._pump_all()
        return process.wait()

    def kill(self) -> None:
        """End the program, and what it has started in its process group, without a chance
        to tidy up."""
        process = self._running()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError("no program was started")
        return self.process

    # The user -----------------------------------------------------------------------------

    def type(self, keys: str) -> None:
        """Press keys; text is typed as it stands, ``\\r`` is Enter."""
        data = memoryview(keys.encode())
        end = time.monotonic() + PATIENCE
        while data:
            if time.monotonic() > end:
                raise AssertionError(f"The program does not read. It shows:\n{self.text()}")
            # A program that writes before it reads must not block the test.
            self._pump(0.0)
            if select.select([], [self._master], [], 0.05)[1]:
                data = data[os.write(self._master, data[:1024]) :]

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window. Unlike some terminals, this one does not wrap
        its lines again: a narrower window cuts the lines, a lower one drops the upper."""
        self.buffer.resize(rows, columns)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def written(self) -> bytes:
        """Everything that programs have written, byte by byte."""
        return bytes(self._written)

    def written_from(self, start: int) -> bytes:
        """The same, without the first ``start`` bytes."""
        return bytes(self._written[start:])

    def settings(self) -> list[Any]:
        """The terminal's modes and special characters, as ``tcgetattr`` gives them."""
        return termios.tcgetattr(self._slave)

    # What is seen -------------------------------------------------------------------------

    def screen(self) -> list[str]:
        """The lines of the screen, without trailing blanks."""
        return [line.rstrip() for line in self.buffer.display]

    def lines(self) -> list[str]:
        """The scrollback and the screen, without the empty lines at its end."""
        columns = range(self.buffer.columns)
        above = [
            "".join(row[column].data for column in columns).rstrip()
            for row in self.buffer.history.top
        ]
        return "\n".join([*above, *self.screen()]).rstrip("\n").split("\n")

    def text(self) -> str:
        """:meth:`lines` as one text."""
        return "\n".join(self.lines())

    def sees(self, text: str) -> bool:
        """Whether ``text`` is on the screen or in the scrollback now."""
        self._pump_all()
        return text in self.text()

    def expect(self, text: str, seconds: float = PATIENCE, *, times: int = 1) -> None:
        """Wait until ``text`` is seen, ``times`` times; AssertionError shows the screen."""
        self.until(lambda: self.text().count(text) >= times, seconds, f"{text!r} was not seen.")

    def expect_screen(self, text: str, seconds: float = PATIENCE) -> None:
        """Like :meth:`expect`, for the screen without the scrollback."""
        self.until(
            lambda: text in "\n".join(self.screen()), seconds, f"{text!r} is not on the screen."
        )

    def until(
        self,
        true: Callable[[], bool],
        seconds: float = PATIENCE,
        otherwise: str = "It took too long.",
    ) -> None:
        """Read what the program writes until ``true()``."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"{otherwise} The terminal shows:\n{self.text()}")
            self._pump(0.05)

    def _pump_all(self) -> None:
        """Take what the program has written by now, however fast it writes."""
        end = time.monotonic() + PATIENCE
        while self._pump(0.0):
            if time.monotonic() > end:
                raise AssertionError("The program does not stop writing.")

    def _pump(self, seconds: float) -> bool:
        """Take what the program has written; whether there was anything."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        data = os.read(self._master, 65536)
        self._written += data
        if len(self._written) > MOST_WRITTEN:
            raise AssertionError("The program has written too much.")
        self._stream.feed(data)
        return True
