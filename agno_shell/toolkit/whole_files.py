"""Files that are there whole or not at all, for one user only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from errno import EEXIST


def write_whole(path: str, pieces: Iterable[bytes], *, replace: bool) -> int:
    """Write a file that only its owner can read, durable on return; the bytes written.

    Readers that open ``path`` meanwhile get the old content. ``replace``: whether it replaces a
    file, or a symbolic link, that exists; without it, that is a ``FileExistsError``, also where
    the file appeared while this one was written. An error of ``pieces`` leaves nothing behind.
    Raises ``OSError``.
    """
    if not replace and os.path.lexists(path):  # soon, before all is made
        raise FileExistsError(EEXIST, os.strerror(EEXIST), path)
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".agno-shell-{os.urandom(6).hex()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            os.chmod(temporary, 0o600)  # a strange umask took even our own rights
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
            size = os.fstat(stream.fileno()).st_size
        if replace:
            os.replace(temporary, path)
        else:
            _place(temporary, path)
    except BaseException:
        with suppress(OSError):  # the error that led here is the one to report
            os.unlink(temporary)
        raise
    _sync_folder(folder)
    return size


def _place(temporary: str, target: str) -> None:
    """Give a file its name unless there is something by now, which no rename can do."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        if os.path.lexists(target):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), target) from None
        os.replace(temporary, target)
    else:
        os.unlink(temporary)


def _sync_folder(path: str) -> None:
    """Return when the name survives a power cut, where the disk can promise it."""
    try:
        descriptor = os.open(path or os.curdir, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        with suppress(OSError):  # the file can be read; this disk promises no more
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
