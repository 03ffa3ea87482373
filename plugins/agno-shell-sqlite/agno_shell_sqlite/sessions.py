"""The table ``sessions``: those in use and those in the trash.

Deleting a session marks its row, so that it costs the same however long the session is.
"""

# ruff: noqa: S608 - the pieces that statements are made of are constants

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agno_shell import Message, Session, SessionNotFoundError, StorageError, TrashedSession
from agno_shell.toolkit import json_records
from agno_shell.types import now
from agno_shell_sqlite import messages, rows
from agno_shell_sqlite.rows import SESSION_COLUMNS

_CURRENT = "current_session"
_SESSION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""``uuid.UUID()`` is no check: it takes ``urn:``, braces and digits of other scripts."""
_TRASH_TIME = "%Y%m%dT%H%M%S%fZ"


class SessionRow(NamedTuple):
    """A session and its row."""

    number: int
    session: Session
    size: int


# In use ----------------------------------------------------------------------------------


def listed(db: sqlite3.Connection) -> list[Session]:
    """The most recently updated first."""
    found = db.execute(
        f"SELECT {SESSION_COLUMNS} FROM sessions WHERE trash_id IS NULL"
        " ORDER BY updated_at DESC, session_id DESC"
    )
    return [rows.session_of(row) for row in found]


def find(db: sqlite3.Connection, session_id: str) -> SessionRow:
    """Raises ``SessionNotFoundError``."""
    row = None
    if isinstance(session_id, str):
        row = db.execute(
            f"SELECT number, size, {SESSION_COLUMNS} FROM sessions"
            " WHERE session_id = ? AND trash_id IS NULL",
            (rows.stored(session_id),),
        ).fetchone()
    if row is None:
        raise SessionNotFoundError(f"There is no session {str(session_id)[:80]!r}.")
    return SessionRow(row[0], rows.session_of(row[2:]), row[1])


def version(db: sqlite3.Connection, session_id: str) -> object:
    """Another value after any change. Raises ``SessionNotFoundError``."""
    row = db.execute(
        "SELECT number, revision, updated_at FROM sessions"
        " WHERE session_id = ? AND trash_id IS NULL",
        (rows.stored(session_id),),
    ).fetchone()
    return row if row is not None else find(db, session_id).number


def add(
    db: sqlite3.Connection, session: Session, size: int = 0, deleted_at: datetime | None = None
) -> int:
    """The number of the new row. ``StorageError`` if there is such a session."""
    trash_id = when = None
    if deleted_at is not None:
        trash_id = rows.stored(trash_id_of(session.session_id, deleted_at))
        when = json_records.stamp(deleted_at)
    try:
        number = db.execute(
            f"INSERT INTO sessions ({SESSION_COLUMNS}, size, revision, trash_id, deleted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
            (*rows.session_row(session), size, trash_id, when),
        ).lastrowid
    except sqlite3.IntegrityError as error:
        where = "There is" if trash_id is None else "The trash holds"
        raise StorageError(f"{where} a session {session.session_id[:80]!r} already.") from error
    if number is None:
        raise sqlite3.DatabaseError("the new row has no number")
    return number


def take_over(
    db: sqlite3.Connection,
    session: Session,
    saved: Sequence[Message],
    deleted_at: datetime | None,
) -> int:
    """Add a session of another storage, as it is, with all its messages; the number of its
    row. ``StorageError`` for what is no session id: every storage must be able to take it
    over from here."""
    if not (isinstance(session.session_id, str) and _SESSION_ID.fullmatch(session.session_id)):
        raise StorageError(
            f"{str(session.session_id)[:80]!r} is not a session id; it was not taken over."
        )
    number = add(db, session._replace(message_count=len(saved)), 0, deleted_at)
    size = 0
    for message in saved:
        prepared = messages.prepare(message)
        size += prepared.size
        try:
            messages.add(db, number, prepared)
        except sqlite3.IntegrityError as error:
            raise StorageError(
                f"Session {session.session_id[:80]!r} was not taken over: two of its messages"
                f" have the id {message.id[:80]!r}."
            ) from error
    grow(db, number, size)
    return number


def grow(db: sqlite3.Connection, number: int, size: int) -> None:
    """Count that many more bytes for a session."""
    db.execute("UPDATE sessions SET size = size + ? WHERE number = ?", (size, number))


def touch(db: sqlite3.Connection, number: int) -> None:
    """Something of a session has changed that its times do not show."""
    db.execute("UPDATE sessions SET revision = revision + 1 WHERE number = ?", (number,))


def change(db: sqlite3.Connection, kept: SessionRow, *, size: int = 0, **changes: Any) -> Session:
    """Change a session that was found in this transaction; ``size`` is added. The clock may
    have jumped: ``updated_at`` never goes back."""
    updated_at = max(now(), kept.session.updated_at)
    session = kept.session._replace(**changes, updated_at=updated_at)
    row = rows.session_row(session)
    assignments = ", ".join(f"{name} = ?" for name in SESSION_COLUMNS.split(", "))
    db.execute(
        f"UPDATE sessions SET {assignments}, size = size + ?, revision = revision + 1"
        " WHERE number = ?",
        (*row, size, kept.number),
    )
    # Read as the others will read it: a lone surrogate, or a time, is what was stored.
    return rows.session_of(row)


# The current one -------------------------------------------------------------------------


def current(db: sqlite3.Connection) -> str | None:
    """The session used last, if it is in use."""
    row = db.execute(
        "SELECT session_id FROM sessions JOIN facts ON session_id = value"
        " WHERE facts.name = ? AND trash_id IS NULL",
        (_CURRENT,),
    ).fetchone()
    return None if row is None else rows.text_of(row[0])


def set_current(db: sqlite3.Connection, session_id: str) -> None:
    """Raises ``SessionNotFoundError``."""
    find(db, session_id)
    db.execute("REPLACE INTO facts VALUES (?, ?)", (_CURRENT, rows.stored(session_id)))


# The trash -------------------------------------------------------------------------------


def trash_id_of(session_id: str, deleted_at: datetime) -> str:
    """A session's id and the moment of its deletion."""
    return f"{session_id}-{deleted_at.astimezone(UTC).strftime(_TRASH_TIME)}"


def trash(db: sqlite3.Connection) -> list[TrashedSession]:
    """The latest deleted first."""
    found = db.execute(
        f"SELECT trash_id, deleted_at, size, {SESSION_COLUMNS} FROM sessions"
        " WHERE trash_id IS NOT NULL ORDER BY deleted_at DESC, trash_id DESC"
    )
    return [_trashed(row) for row in found]


def find_trashed(db: sqlite3.Connection, trash_id: str) -> tuple[int, TrashedSession]:
    """The number and what is known of a deleted session. Raises ``SessionNotFoundError``."""
    row = None
    if isinstance(trash_id, str):
        row = db.execute(
            f"SELECT number, trash_id, deleted_at, size, {SESSION_COLUMNS} FROM sessions"
            " WHERE trash_id = ?",
            (rows.stored(trash_id),),
        ).fetchone()
    if row is None:
        raise SessionNotFoundError(f"The trash holds no {str(trash_id)[:80]!r}.")
    return row[0], _trashed(row[1:])


def throw_away(db: sqlite3.Connection, session_id: str) -> TrashedSession:
    """Mark a session as deleted; if it was the current one, the newest other becomes it."""
    kept = find(db, session_id)
    was_current = current(db) == session_id
    deleted_at = now()
    while _holds(db, trash_id_of(session_id, deleted_at)):
        deleted_at += timedelta(microseconds=1)
    trash_id = trash_id_of(session_id, deleted_at)
    db.execute(
        "UPDATE sessions SET trash_id = ?, deleted_at = ?, revision = revision + 1"
        " WHERE number = ?",
        (rows.stored(trash_id), json_records.stamp(deleted_at), kept.number),
    )
    if was_current:
        _hand_over(db)
    return TrashedSession(trash_id, kept.session, deleted_at, kept.size)


def restore(db: sqlite3.Connection, trash_id: str) -> Session:
    """``StorageError`` if a session of the same id is in use."""
    number, trashed = find_trashed(db, trash_id)
    try:
        db.execute(
            "UPDATE sessions SET trash_id = NULL, deleted_at = NULL, revision = revision + 1"
            " WHERE number = ?",
            (number,),
        )
    except sqlite3.IntegrityError as error:
        raise StorageError(
            f"Session {trashed.session.session_id} was not restored: a session with this id"
            " exists.",
            hint="Delete that one first; both stay in the trash until they are purged.",
        ) from error
    return trashed.session


def purge(db: sqlite3.Connection, trash_id: str) -> None:
    """Nothing of the session is left."""
    number, _trashed_session = find_trashed(db, trash_id)
    for table in ("running_replies", "memories", "attachments"):
        db.execute(f"DELETE FROM {table} WHERE session = ?", (number,))
    messages.remove_all(db, number)
    db.execute("DELETE FROM sessions WHERE number = ?", (number,))


def _trashed(row: tuple[Any, ...]) -> TrashedSession:
    trash_id, deleted_at, size, *session = row
    return TrashedSession(
        rows.text_of(trash_id), rows.session_of(tuple(session)), rows.moment(deleted_at), size
    )


def _holds(db: sqlite3.Connection, trash_id: str) -> bool:
    found = db.execute("SELECT 1 FROM sessions WHERE trash_id = ?", (rows.stored(trash_id),))
    return found.fetchone() is not None


def _hand_over(db: sqlite3.Connection) -> None:
    following = db.execute(
        "SELECT session_id FROM sessions WHERE trash_id IS NULL"
        " ORDER BY updated_at DESC, session_id DESC LIMIT 1"
    ).fetchone()
    if following is None:
        db.execute("DELETE FROM facts WHERE name = ?", (_CURRENT,))
    else:
        db.execute("REPLACE INTO facts VALUES (?, ?)", (_CURRENT, following[0]))
