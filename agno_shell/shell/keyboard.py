"""The modes of the terminal from which keys are read."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any


class Keyboard:
    """The modes of the terminal from which keys are read; ``descriptor`` may be no terminal."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._found = self._modes()
        """As they were before the shell began."""
        self._raw: Any = None
        """As they were before :meth:`listen`."""

    def _modes(self) -> Any:
        if self._descriptor is None or sys.platform == "win32":
            return None
        import termios

        try:
            return termios.tcgetattr(self._descriptor)
        except (OSError, termios.error):
            return None

    def listen(self) -> None:
        """Make Ctrl-C a signal while the loop does not read it."""
        if self._raw is not None or (modes := self._modes()) is None:
            return
        import termios

        if modes[3] & termios.ISIG:
            return
        raw, self._raw = self._modes(), modes
        raw[3] |= termios.ISIG
        never = os.fpathconf(self._descriptor or 0, "PC_VDISABLE").to_bytes(1, "big")
        for key in (termios.VQUIT, termios.VSUSP):  # these would end or stop the shell
            raw[6][key] = never
        self._set(raw)

    def rest(self) -> None:
        """The loop reads keys again."""
        if self._raw is not None:
            raw, self._raw = self._raw, None
            self._set(raw)

    def restore(self) -> None:
        """The terminal as the shell found it."""
        if self._found is not None and self._descriptor is not None:
            self._set(self._found)
            with suppress(OSError):
                os.write(1, b"\x1b[?2004l\x1b[0m\x1b[?25h\r\n")

    def _set(self, modes: Any) -> None:
        import termios

        with suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor or 0, termios.TCSANOW, modes)
