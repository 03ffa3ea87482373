"""Locks that several shells share.

They are taken on files of their own, below ``.locks``, that are never removed: who
locks a file that another process removes locks nothing. The kernel releases them
when their holder dies. The order is session, then index; none is held while anyone
waits for a model or a person.

filelock's descriptor locks are used because they cost 2 µs and contend with its
path locks, which cost 90: half of a durable append.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import lock_descriptor

from agno_shell.builtin.json_storage import disk
from agno_shell.errors import StorageError

FOLDER = ".locks"
PATIENCE = 5.0
"""Seconds for which another shell is waited for."""
_POLL = 0.01


class Held:
    """A lock that is held until :meth:`release`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            disk.close(fd)  # the kernel drops the lock with its last descriptor


class Locks:
    """The locks of one store. Taking one raises ``OSError`` where it cannot be made."""

    def __init__(self, root: str) -> None:
        self._folder = f"{root}/{FOLDER}"
        self._is_there = False

    @contextmanager
    def session(self, session_id: str) -> Iterator[None]:
        """Keep every other shell from writing to this session."""
        with self._waiting(session_id, f"session {session_id}"):
            yield

    @contextmanager
    def index(self) -> Iterator[None]:
        """Keep every other shell from writing ``sessions.json``."""
        with self._waiting("sessions", "the list of sessions"):
            yield

    def try_reply(self, session_id: str, slot: int) -> Held | None:
        """The lock of one place for a running reply, or None while its writer lives."""
        return self._take(f"{session_id}.reply-{slot}")

    @contextmanager
    def _waiting(self, name: str, what: str) -> Iterator[None]:
        deadline = time.monotonic() + PATIENCE
        while (held := self._take(name)) is None:
            if time.monotonic() >= deadline:
                raise StorageError(
                    f"Nothing was saved: {what} has been locked by another program for"
                    f" {PATIENCE:.0f} seconds ({self._path(name)}).",
                    hint="Look for a stopped agno-shell, let it go on or end it, and try again.",
                )
            time.sleep(_POLL)
        try:
            yield
        finally:
            held.release()

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}.lock"

    def _require_folder(self) -> None:
        try:
            disk.require_folder(self._folder)
        except FileNotFoundError:
            disk.ensure_folder(self._folder)
        self._is_there = True

    def _take(self, name: str) -> Held | None:
        if not self._is_there:
            self._require_folder()
        try:
            fd = disk.open_lock(self._path(name))
        except FileNotFoundError:
            self._require_folder()
            fd = disk.open_lock(self._path(name))
        try:
            if lock_descriptor(fd, blocking=False):
                return Held(fd)
        except BaseException:
            disk.close(fd)
            raise
        disk.close(fd)
        return None
