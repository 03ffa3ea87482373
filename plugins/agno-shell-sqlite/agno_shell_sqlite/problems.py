"""Reports for the user: one sentence for what failed, and what to do next."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable

from agno_shell import StorageError
from agno_shell.toolkit.json_records import UnwritableError

PATIENCE = 5.0
"""Seconds for which another program that is writing is waited for."""

Failure = sqlite3.Error | OSError | UnwritableError
FAILURES = (sqlite3.Error, OSError, UnwritableError)

_PRIMARY = 0xFF
"""The low byte of a result code says what, the others which kind of it
(https://sqlite.org/rescode.html#primary_result_codes_versus_extended_result_codes)."""

_KNOWN = {
    sqlite3.SQLITE_FULL: (
        "there is no space left",
        "Free some space on the disk and try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "it cannot be written",
        "Check who may write this file and its folder, or choose another place with"
        " [storage] path.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened",
        "Check who may read and write this file and its folder.",
    ),
    sqlite3.SQLITE_PERM: (
        "access is not permitted",
        "Check who may read and write this file and its folder.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "it is not an SQLite database",
        "It was left as it is; move it away, or choose another place with [storage] path.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "it is damaged",
        "Copy it aside, then run 'agno-shell doctor'.",
    ),
    sqlite3.SQLITE_BUSY: ("another program has locked it", ""),
    sqlite3.SQLITE_INTERRUPT: ("the storage was closed meanwhile", ""),
}

_OF_ERRNO = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
}


class Notices:
    """Lines for the user; what stays true is reported once."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._shown: set[str] = set()

    def once(self, line: str) -> None:
        if line not in self._shown:
            self._shown.add(line)
            self._show(line)


def not_saved(what: str, path: str, error: Failure) -> StorageError:
    """``what`` is a noun with its article, such as ``The message``."""
    return _failed(f"{what} was not saved", path, error)


def not_read(path: str, error: Failure) -> StorageError:
    return _failed("The sessions could not be read", path, error)


def is_of_kind(error: BaseException, *codes: int) -> bool:
    """Whether SQLite gave one of these primary result codes."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY in codes


def reason(error: Failure) -> str:
    """Why, without a full stop."""
    return _explain(error)[0]


def _failed(what: str, path: str, error: Failure) -> StorageError:
    if is_of_kind(error, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(
            f"{what}: the sessions have been locked by another program for"
            f" {PATIENCE:.0f} seconds ({path}).",
            hint="Look for a stopped agno-shell, or another program that has this file open,"
            " let it go on or end it, and try again.",
        )
    why, hint = _explain(error)
    return StorageError(f"{what}: {path}: {why}.", hint=hint)


def _explain(error: Failure) -> tuple[str, str]:
    if isinstance(error, OSError):
        known = _KNOWN[_OF_ERRNO.get(error.errno or 0, sqlite3.SQLITE_CANTOPEN)]
        return str(error.strerror or error), known[1]
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return str(error), ""
    if code & _PRIMARY == sqlite3.SQLITE_IOERR:
        return (
            f"the disk reported an error ({getattr(error, 'sqlite_errorname', code)})",
            "The disk may be full or failing; copy the file elsewhere.",
        )
    return _KNOWN.get(code & _PRIMARY, (str(error), ""))
