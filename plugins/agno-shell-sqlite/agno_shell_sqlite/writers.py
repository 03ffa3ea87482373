"""Which handles live, so that a running reply can be distinguished from a leftover.

Each handle that receives a reply holds a lock on a file of its own, which the kernel
releases when its process ends, however it ends. The name is random and never used
again: who finds no file, or one that can be locked, knows that its writer is gone, and
anybody may remove it.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress

from agno_shell_sqlite import place

_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_GUARDED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_TRIES = 100


class Writers:
    """The writers of one database. Everything raises ``OSError``."""

    def __init__(self, database: str) -> None:
        self._folder = f"{database}-writers"
        self._name = ""
        self._fd = -1

    @property
    def name(self) -> str:
        """This handle, if it has been a writer."""
        return self._name

    def enter(self) -> str:
        """Be a writer until :meth:`leave`; the name by which the others know it."""
        if self._fd < 0:
            self._sweep()
            for _try in range(_TRIES):
                if self._take(os.urandom(16).hex()):
                    break
            else:
                raise OSError(f"no lock file can be held in {self._folder}")
        return self._name

    def leave(self) -> None:
        """Whatever this handle was receiving is a leftover now."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
            self.forget(self._name)
        self._name = ""

    def lives(self, name: str) -> bool:
        """Whether the writer ``name`` is still there. A name that no writer has, read from
        a file, never becomes a path."""
        if name == self._name:
            return self._fd >= 0
        if not _NAME.fullmatch(name):
            return False
        try:
            fd = self._open(name, os.O_RDONLY)  # the disk may be one that cannot be written
        except FileNotFoundError:
            return False
        try:
            return not _locked(fd)
        finally:
            os.close(fd)

    def forget(self, name: str) -> None:
        """Remove the file of a writer that is gone."""
        if _NAME.fullmatch(name):
            with suppress(OSError):
                os.unlink(self._path(name))

    def _take(self, name: str) -> bool:
        try:
            fd = self._open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        # Someone who tidies up may have locked, and removed, what was not locked yet.
        if _locked(fd) and os.fstat(fd).st_nlink > 0:
            self._name, self._fd = name, fd
            return True
        os.close(fd)
        return False

    def _open(self, name: str, flags: int) -> int:
        fd = os.open(self._path(name), flags | _GUARDED, place.FILE_MODE)
        if flags & os.O_CREAT and hasattr(os, "fchmod"):
            os.fchmod(fd, place.FILE_MODE)
        return fd

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _sweep(self) -> None:
        """Make the folder, and remove what crashed shells have left in it."""
        place.make_folders(self._folder)
        if not stat.S_ISDIR(os.lstat(self._folder).st_mode):
            raise NotADirectoryError(f"{self._folder} is not a folder")
        for name in filter(_NAME.fullmatch, os.listdir(self._folder)):
            with suppress(OSError):
                self._remove_if_gone(name)

    def _remove_if_gone(self, name: str) -> None:
        fd = self._open(name, os.O_RDWR)
        try:
            # Under the lock: its writer may be about to take it.
            if _locked(fd):
                os.unlink(self._path(name))
        finally:
            os.close(fd)


def _locked(fd: int) -> bool:
    """Lock a file, unless another process has locked it."""
    from filelock import lock_descriptor  # a list of sessions is not to wait for it

    return bool(lock_descriptor(fd, blocking=False))
