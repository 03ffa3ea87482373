"""The socket of a server: made once however many start at once, and removed by the process that
made it."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

from filelock import FileLock

from agno_shell.builtin.litellm_provider.warm.socket_path import SocketPath

_LOCKED_SECONDS = 5.0
_ANSWER_SECONDS = 1.0
_WAITING = 128
"""Connections that may wait to be accepted."""


class Socket:
    """A socket in the file system that listens."""

    def __init__(self, place: SocketPath, listener: socket.socket) -> None:
        self._place = place
        self.listener = listener
        """It does not block."""
        self._made = _file(place.socket)

    @classmethod
    def listen(cls, place: SocketPath) -> Socket | None:
        """Make it, in the place of one at which nobody listens any more; None where another
        process does. Raises ``OSError``."""
        with _locked(place):
            if _is_answered(place.socket):
                return None
            with suppress(FileNotFoundError):
                if not stat.S_ISSOCK(os.lstat(place.socket).st_mode):
                    raise FileExistsError(f"{place.socket} is no socket")
                os.unlink(place.socket)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(place.socket)
            listener.listen(_WAITING)
            listener.setblocking(False)
            return cls(place, listener)

    def remove(self) -> None:
        """Accept no new connections; those that are made already may still be accepted."""
        with suppress(OSError), _locked(self._place):
            if _file(self._place.socket) == self._made:
                os.unlink(self._place.socket)


def _locked(place: SocketPath) -> FileLock:
    # Held for no longer than this file needs it.
    return FileLock(place.lock, mode=0o600, timeout=_LOCKED_SECONDS, poll_interval=0.01)


def _file(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_answered(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(_ANSWER_SECONDS)
        try:
            asking.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True  # too many are waiting, or it is stopped
        return True
