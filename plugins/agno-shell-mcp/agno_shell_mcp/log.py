"""Where servers, and the library that speaks to them, print what nobody reads on a screen."""

from __future__ import annotations

import logging
import os
from typing import TextIO

from agno_shell.toolkit import log_file


class Log:
    """For the lines of all servers; a full or read-only disk costs the log alone."""

    def __init__(self, path: str | None) -> None:
        self._log = log_file.Log(path)
        self.path = self._log.path
        self.file: TextIO = os.fdopen(
            self._log.descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False
        )
        self._handler = logging.StreamHandler(self.file)
        self._handler.setLevel(logging.WARNING)
        logger = logging.getLogger("mcp")
        # Without a handler of its own it would print over the screen.
        logger.addHandler(self._handler)
        logger.propagate = False

    def close(self) -> None:
        """Wait, a second at most, until everything is in the file. Blocks."""
        logger = logging.getLogger("mcp")
        logger.removeHandler(self._handler)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        self.file.close()
        self._log.drain()
