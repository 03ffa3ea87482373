"""Where servers, and the library that speaks to them, print what nobody reads on a screen."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from typing import TextIO

_LARGEST = 1024 * 1024


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
    descriptor = None
    if path is not None:
        with contextlib.suppress(OSError):
            descriptor = _descriptor(path)
    if descriptor is None:
        descriptor = os.open(os.devnull, os.O_WRONLY)
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")


def _descriptor(path: str) -> int:
    """The file, born private; a log that grew too long begins anew."""
    folder = os.path.dirname(path)
    for each in (os.path.dirname(folder), folder):  # makedirs gives its mode to the last only
        os.makedirs(each, 0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Opening a FIFO would wait for its reader.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no file")
    if found.st_size > _LARGEST:
        os.ftruncate(descriptor, 0)
    return descriptor
