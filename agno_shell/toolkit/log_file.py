"""A file for what other programs, and libraries, print and nobody reads on a screen."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable
from errno import EINVAL

LARGEST = 1024 * 1024
"""Bytes of a log; before it would grow longer it becomes the older one, and a new one begins."""

OLDER = ".1"
"""Behind the name of a log: the one before it, which the next one replaces."""

BEGINNING = 80
"""Bytes of a log that are enough to know it again."""

_PIECE = 65536
_DRAINING = 1.0
"""Seconds that :meth:`Log.drain` waits for a program that keeps its end of the pipe open."""


class Log:
    """A pipe to write to, and a thread that keeps what comes out of it in a bounded file.

    A program is given ``descriptor`` as its error output. It cannot fill the disk, however
    much it prints and however long it runs: the file is bounded while it is written, and once
    the process that reads the pipe is gone, a program that writes to it gets an error.
    """

    def __init__(self, path: str | None) -> None:
        file = _opened(path)
        self.path = path if file is not None else None
        """None: what is printed goes nowhere."""
        self._reader: threading.Thread | None = None
        if file is None:
            self.descriptor = os.open(os.devnull, os.O_WRONLY)
            return
        source, self.descriptor = os.pipe()
        # A thread, because a flood would take the event loop's time; a daemon, because a
        # program that outlives the shell must not keep it.
        self._reader = threading.Thread(target=_copy, args=(source, file), name="log", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Write no more to it from here; programs that were given the descriptor still may."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def drain(self) -> None:
        """Close it and wait, for a second at most, until all that was printed is in the file.
        Blocks."""
        self.close()
        if self._reader is not None:
            self._reader.join(_DRAINING)


def appending(path: str | None) -> int | None:
    """A descriptor with which a program writes a few lines to the end of a log by itself, because
    it outlives every process that could read a pipe; None where the file cannot be opened."""
    file = _opened(path)
    return None if file is None else file.descriptor


def _copy(source: int, file: BoundedFile) -> None:
    """Everything from a pipe into a file, until all of its writers have closed it."""
    try:
        while piece := os.read(source, _PIECE):
            # A full disk costs what was printed and nothing else.
            with contextlib.suppress(OSError):
                file.write(piece)
    finally:
        os.close(source)
        file.close()


def _opened(path: str | None) -> BoundedFile | None:
    """A full or read-only disk costs the log and nothing else: None then."""
    if path is None:
        return None
    with contextlib.suppress(OSError):
        folder = os.path.dirname(path)
        for each in (os.path.dirname(folder), folder):  # makedirs gives its mode to the last
            os.makedirs(each, 0o700, exist_ok=True)
        return BoundedFile.open(path)
    return None


class BoundedFile:
    """A log that only this user reads. Other processes may write to the same one, and replace
    it as well."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self.descriptor = descriptor

    @classmethod
    def open(
        cls, path: str, accept: Callable[[bytes], bool] = lambda _beginning: True
    ) -> BoundedFile:
        """Open a log, or begin one. ``accept`` gets the first bytes of what is there; raises
        ``FileExistsError`` where it does not take them, and ``OSError`` where there is no way."""
        descriptor = _open(path)
        if not accept(os.read(descriptor, BEGINNING)):
            os.close(descriptor)
            raise FileExistsError(f"{path} is another file")
        file = cls(path, descriptor)
        file._bound(0)
        return file

    def write(self, piece: bytes) -> None:
        self._bound(len(piece))
        data = memoryview(piece)
        while data:
            data = data[os.write(self.descriptor, data) :]

    def _bound(self, coming: int) -> None:
        """Begin a new file where this one is full, and another process has not done so."""
        if os.fstat(self.descriptor).st_size + coming <= LARGEST:
            return
        self._reopen()
        size = os.fstat(self.descriptor).st_size
        if size + coming <= LARGEST:
            return
        if size > LARGEST:  # written when nobody bounded it
            os.ftruncate(self.descriptor, LARGEST)
        try:
            os.replace(self._path, self._path + OLDER)
        except OSError:  # Windows replaces no file that is open; then the older one is lost
            os.ftruncate(self.descriptor, 0)
        else:
            self._reopen()

    def _reopen(self) -> None:
        found = _open(self._path)
        os.close(self.descriptor)
        self.descriptor = found

    def close(self) -> None:
        os.close(self.descriptor)


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    # Opening a FIFO would wait for its reader.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise OSError(EINVAL, "it is no regular file", path)
    if stat.S_IMODE(mode) != 0o600 and hasattr(os, "fchmod"):
        # Made by another program, or under a umask that left nothing; it may be another user's.
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o600)
    return descriptor
