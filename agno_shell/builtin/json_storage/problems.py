"""What the user is shown: sentences for what failed, one line for what was repaired."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from agno_shell.builtin.json_storage import ATTACHMENTS, MEMORY, MESSAGES, SESSION, disk
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.toolkit.json_records import UnwritableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_IN_SESSION = (SESSION, MESSAGES, MEMORY, ATTACHMENTS)

_HINTS = {
    errno.ENOSPC: "Free some space on the disk and try again.",
    errno.EDQUOT: "Free some of your space on the disk and try again.",
    errno.EROFS: "The disk cannot be written; choose another folder with [storage] path.",
    errno.EACCES: "Check who may read and write this folder.",
    errno.EPERM: "Check who may read and write this folder.",
    errno.EIO: "The disk may be failing; copy the folder elsewhere.",
    errno.ENOSYS: "This disk knows no locks; choose another folder with [storage] path.",
}


class Notices:
    """Lines for the user; what stays true is shown once."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._shown: set[str] = set()

    def __call__(self, line: str) -> None:
        self._show(line)

    def once(self, line: str) -> None:
        if line not in self._shown:
            self._shown.add(line)
            self._show(line)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What fails within becomes one sentence."""
    try:
        yield
    except OSError as error:
        raise not_read(path, error) from error


@contextmanager
def saving(what: str, path: str) -> Iterator[None]:
    """What fails within becomes one sentence; ``what`` is a noun with its article."""
    try:
        yield
    except (OSError, UnwritableError) as error:
        raise not_saved(what, path, error) from error


def not_saved(what: str, path: str, error: Exception) -> StorageError:
    """``what`` is a noun with its article, such as ``The message``."""
    session_folder, _, name = path.rpartition("/")
    if (
        isinstance(error, FileNotFoundError)
        and name in _IN_SESSION
        and not disk.status(session_folder)
    ):
        return SessionNotFoundError(f"{what} was not saved: {path} is gone.")
    return StorageError(f"{what} was not saved: {_place(path, error)}.", hint=_hint(error))


def not_read(path: str, error: OSError) -> StorageError:
    return StorageError(f"Could not be read: {_place(path, error)}.", hint=_hint(error))


def reason(error: Exception) -> str:
    """Why, in the words of the operating system where it has some."""
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _place(path: str, error: Exception) -> str:
    named = error.filename if isinstance(error, OSError) else None
    return f"{named if isinstance(named, str) else path}: {reason(error)}"


def _hint(error: Exception) -> str:
    return _HINTS.get(error.errno or 0, "") if isinstance(error, OSError) else ""
