"""How far a long command has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from agno_shell.cli.output import terminal_width
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import pad, shorten, text_width

QUIET = 1.0
"""Seconds after which a user begins to wonder."""
REDRAWN = 0.1
"""Seconds between two states of the line on a terminal."""
REPEATED = 10.0
"""Seconds between two lines where there is no terminal, as in the log of a job."""


class ProgressLine:
    """One line on ``err``, rewritten in place on a terminal; elsewhere a line now and then.
    What is done soon shows nothing."""

    def __init__(
        self, err: TextIO, clock: Callable[[], float] = time.monotonic, quiet: float = QUIET
    ) -> None:
        self._err = err
        self._clock = clock
        self._width = terminal_width(err)
        self._next = clock() + (quiet if self._width else REPEATED)
        self._drawn = 0
        """Columns of the line that stands on the terminal."""

    def at(self, text: str) -> None:
        """This is being done now; most calls show nothing and cost nothing."""
        if self._clock() < self._next:
            return
        if self._width:
            self._draw(text)
            self._next = self._clock() + REDRAWN
        else:
            self._write(f"{clean_line(text)}\n")
            self._next = self._clock() + REPEATED

    def say(self, line: str) -> None:
        """A line that stays."""
        self.end()
        self._write(f"{clean_line(line, 1000)}\n")

    def end(self) -> None:
        """Leave nothing behind on the terminal."""
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _draw(self, text: str) -> None:
        # One column is left: a full line would put the cursor on the next one.
        line = shorten(clean_line(text), self._width - 1)
        self._write("\r" + pad(line, self._drawn))
        self._drawn = max(self._drawn, text_width(line))

    def _write(self, text: str) -> None:
        with suppress(OSError):  # as in `output.say`
            self._err.write(text)
            self._err.flush()
