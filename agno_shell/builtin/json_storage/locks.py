"""Locks that several shells share.

They are taken on files of their own, below ``.locks``, that are never removed: a
lock on a file that another process removes protects nothing. The kernel releases them
when their holder dies. The order is session, then index; none is held while anyone
waits for a model or a user.

filelock's descriptor locks are used because they cost 2 µs and contend with its
path locks, which cost 90: half of a durable append.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from filelock import lock_descriptor, unlock_descriptor

from agno_shell.builtin.json_storage import disk
from agno_shell.errors import StorageError

FOLDER = ".locks"
PATIENCE = 5.0
"""Seconds for which another shell is waited for."""
_POLL = 0.01
_ROOM = 4 if disk.STAYS_OPEN else 0
"""Descriptors that stay open between two uses: a lock that is taken again costs 3 µs then,
and opening its file as much again."""


class Lock:
    """A lock that is held until :meth:`release`, or to the end of a ``with``."""

    def __init__(self, give_back: Callable[[str, int], None], name: str, fd: int) -> None:
        self._give_back = give_back
        self._name = name
        self._fd = fd

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._give_back(self._name, fd)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        self.release()


class Locks:
    """The locks of one store. Taking one raises ``OSError`` where it cannot be made, and
    ``StorageError`` when another program does not let go of it."""

    def __init__(self, root: str) -> None:
        self._folder = f"{root}/{FOLDER}"
        self._is_there = False
        self._kept: dict[str, int] = {}
        self._room = _ROOM
        self._process = os.getpid()

    def session(self, session_id: str) -> Lock:
        """Keep every other shell from writing to this session."""
        return self._take(session_id) or self._wait(session_id, f"session {session_id}")

    def try_session(self, session_id: str) -> Lock | None:
        """The same, or None while another shell writes to it."""
        return self._take(session_id)

    def session_if_made(self, session_id: str) -> Lock | None:
        """The same where the lock was ever taken; elsewhere None, and nothing is made."""
        return self.session(session_id) if disk.status(self._path(session_id)) else None

    def index(self) -> Lock:
        """Keep every other shell from writing ``sessions.json``."""
        return self._take("sessions") or self._wait("sessions", "the list of sessions")

    def try_reply(self, session_id: str, slot: int) -> Lock | None:
        """The lock of one place for a running reply, or None while its writer lives."""
        return self._take(f"{session_id}.reply-{slot}")

    def is_held(self, name: str) -> bool:
        """Whether somebody holds the lock of this name now: a session's id, one with
        ``.reply-N`` behind it, or ``sessions``. Makes nothing on the disk."""
        try:
            fd = disk.open_to_write(self._path(name))
        except FileNotFoundError:
            return False
        try:
            return not lock_descriptor(fd, blocking=False)
        finally:
            disk.close(fd)

    def close(self) -> None:
        """Keep no descriptor open from now on."""
        self._room = 0
        self._close_kept()

    def __del__(self) -> None:
        self._close_kept()

    def _wait(self, name: str, what: str) -> Lock:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            time.sleep(_POLL)
            held = self._take(name)
            if held is not None:
                return held
        raise StorageError(
            f"Nothing was saved: {what} has been locked by another program for"
            f" {PATIENCE:.0f} seconds ({self._path(name)}).",
            hint="Look for a stopped agno-shell, let it go on or end it, and try again.",
        )

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}.lock"

    def _require_folder(self) -> None:
        try:
            disk.require_folder(self._folder)
        except FileNotFoundError:
            disk.ensure_folder(self._folder)
        self._is_there = True

    def _take(self, name: str) -> Lock | None:
        fd = self._take_kept(name)
        if fd < 0:
            fd = self._open(name)
        try:
            if lock_descriptor(fd, blocking=False):
                return Lock(self._give_back, name, fd)
        except BaseException:
            disk.close(fd)
            raise
        disk.close(fd)
        return None

    def _open(self, name: str) -> int:
        if not self._is_there:
            self._require_folder()
        try:
            return disk.open_lock(self._path(name))
        except FileNotFoundError:
            self._require_folder()
            return disk.open_lock(self._path(name))

    # Descriptors that stay open ----------------------------------------------------------

    def _take_kept(self, name: str) -> int:
        """A kept descriptor, which is nobody else's until it is given back; or -1."""
        if self._process != os.getpid():
            # A forked process shares its parent's locks as long as it has its descriptors.
            self._process = os.getpid()
            self._close_kept()
        fd = self._kept.pop(name, -1)
        if fd >= 0 and disk.status_of(fd).st_nlink == 0:
            # Somebody has cleared the folder; a lock on a removed file protects nothing.
            disk.close(fd)
            return -1
        return fd

    def _give_back(self, name: str, fd: int) -> None:
        if not self._room or name in self._kept:
            disk.close(fd)  # the kernel drops the lock with its last descriptor
            return
        try:
            unlock_descriptor(fd)
        except BaseException:
            disk.close(fd)
            raise
        self._kept[name] = fd
        while len(self._kept) > self._room:
            disk.close(self._kept.pop(next(iter(self._kept))))

    def _close_kept(self) -> None:
        while self._kept:
            disk.close(self._kept.popitem()[1])
