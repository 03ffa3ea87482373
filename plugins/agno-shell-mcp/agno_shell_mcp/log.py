"""Where servers, and the library that speaks to them, print what nobody reads on a screen."""

from __future__ import annotations

import logging
import os
from typing import TextIO

from agno_shell.log_file import open_log


class Log:
    """A file for the lines of all servers; a full or read-only disk costs the log alone."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.file = _open(path)
        self._handler = logging.StreamHandler(self.file)
        self._handler.setLevel(logging.WARNING)
        logger = logging.getLogger("mcp")
        # Without a handler of its own it would print over the screen.
        logger.addHandler(self._handler)
        logger.propagate = False

    def close(self) -> None:
        logger = logging.getLogger("mcp")
        logger.removeHandler(self._handler)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        self.file.close()


def _open(path: str | None) -> TextIO:
    descriptor, _path = open_log(path)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
