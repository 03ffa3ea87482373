"""A file for what other programs, and libraries, print and nobody reads on a screen."""

from __future__ import annotations

import contextlib
import os
import stat

LARGEST = 1024 * 1024
"""Bytes; a log that grew longer begins anew when it is opened."""


def open_log(path: str | None) -> tuple[int, str | None]:
    """A descriptor to write to, and the path if that is a file, which is born private.

    A full or read-only disk costs the log and nothing else: what is written goes nowhere
    then, as without a path.
    """
    if path is not None:
        with contextlib.suppress(OSError):
            return _open(path), path
    return os.open(os.devnull, os.O_WRONLY), None


def _open(path: str) -> int:
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
    if found.st_size > LARGEST:
        os.ftruncate(descriptor, 0)
    return descriptor
