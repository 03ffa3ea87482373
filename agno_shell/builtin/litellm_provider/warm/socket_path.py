"""Where the sockets of servers lie: a folder that nobody else can enter."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from agno_shell.builtin.litellm_provider.warm.problems import NotWarmError
from agno_shell.toolkit.owners import user_name

_LONGEST = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path that the system takes."""

_ENDING = ".sock"
_NAME_LENGTH = 32
"""More than any name here has."""

_MODE = 0o700


class SocketPath(NamedTuple):
    """The place of one server."""

    folder: str
    name: str

    @property
    def socket(self) -> str:
        return os.path.join(self.folder, self.name + _ENDING)

    @property
    def lock(self) -> str:
        """The lock file of the process that makes or removes a socket; it stays."""
        return os.path.join(self.folder, "lock")


def folder_for(runtime_dir: str) -> str:
    """The folder, made if there is none: ``runtime_dir``, or one among the temporary files where
    that cannot be used or is too long. Raises :class:`NotWarmError`."""
    for folder in _candidates(runtime_dir):
        with suppress(FileNotFoundError):
            _inspect(folder)
            return folder
        with suppress(OSError):
            _make(folder)
            _inspect(folder)
            return folder
    raise NotWarmError("There is no folder in which a socket could be made.")


def places(runtime_dir: str) -> Iterator[SocketPath]:
    """Every server there may be, of any version; nothing is made. Raises
    :class:`NotWarmError` where a folder cannot be trusted."""
    for folder in _candidates(runtime_dir):
        with suppress(FileNotFoundError):
            _inspect(folder)
            for name in sorted(os.listdir(folder)):
                if name.endswith(_ENDING):
                    yield SocketPath(folder, name.removesuffix(_ENDING))


def _candidates(runtime_dir: str) -> Iterator[str]:
    # One for each, as each has servers of its own.
    which = hashlib.sha256(os.fsencode(runtime_dir)).hexdigest()[:8]
    short = os.path.join(tempfile.gettempdir(), f"agno-shell-{os.geteuid()}-{which}")
    for folder in (runtime_dir, short):
        if folder and len(os.fsencode(folder)) + 1 + _NAME_LENGTH <= _LONGEST:
            yield folder


def _inspect(folder: str) -> None:
    """Raises ``FileNotFoundError``, or :class:`NotWarmError` where somebody else may have a hand
    in it."""
    try:
        status = os.lstat(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(folder) from None
    except OSError as error:
        raise NotWarmError(f"{folder} cannot be looked at: {error.strerror}.") from None
    if stat.S_ISLNK(status.st_mode):
        raise NotWarmError(f"{folder} is a symbolic link, which is not followed.")
    if not stat.S_ISDIR(status.st_mode):
        raise NotWarmError(f"{folder} is no folder.")
    if status.st_uid != os.geteuid():
        raise NotWarmError(f"{folder} belongs to {user_name(status.st_uid)}.")
    if mode := stat.S_IMODE(status.st_mode) & ~_MODE:
        raise NotWarmError(f"{folder} is open to others (its rights have {mode:03o} too much).")


def _make(folder: str) -> None:
    """Raises ``OSError``."""
    above = os.path.dirname(folder)
    if not os.path.isdir(above):
        _make(above)
    status = os.stat(above)
    # What root makes in a user's folder, the user could not use later.
    if status.st_uid != os.geteuid() and not status.st_mode & stat.S_ISVTX:
        raise PermissionError(above)
    with suppress(FileExistsError):
        os.mkdir(folder, _MODE)
        os.chmod(folder, _MODE)  # after the umask
