"""The table ``messages``: adding to it, and the path through a session's tree.

``session`` is always the number of a row of the table ``sessions``.
"""

# ruff: noqa: S608 - the pieces that statements are made of are constants

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agno_shell import Message
from agno_shell.toolkit import full_text
from agno_shell.types import ROOT
from agno_shell_sqlite import rows
from agno_shell_sqlite.rows import MESSAGE_COLUMNS, Value

_INSERT = f"INSERT INTO messages (session, {MESSAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT_WORDS = "INSERT INTO words (rowid, text) VALUES (?, ?)"

# A message is saved after the one that it follows. A parent that is not before its child
# is the end of the path, so that even a damaged file has no path without an end.
_PATH = f"""
WITH RECURSIVE path (number, parent) AS (
  SELECT number, parent FROM messages WHERE number = :head
  UNION ALL
  SELECT before.number, before.parent
  FROM path JOIN messages AS before
  ON before.session = :session AND before.id = path.parent AND before.number < path.number
  LIMIT :last
)
SELECT {MESSAGE_COLUMNS} FROM messages
WHERE number IN (SELECT number FROM path) ORDER BY number"""

_NO_LIMIT = -1
_MOST = 2**62


class PreparedMessage(NamedTuple):
    """A message ready to be added; making it takes longer than adding it."""

    row: tuple[Value, ...]
    words: str
    size: int
    """Bytes."""


def prepare(message: Message) -> PreparedMessage:
    """Raises ``UnwritableError``."""
    row = rows.message_row(message)
    return PreparedMessage(row, full_text.prepared(message.content), rows.size_of(row))


def add(db: sqlite3.Connection, session: int, prepared: PreparedMessage) -> None:
    """``IntegrityError`` if the session has a message of this id."""
    number = db.execute(_INSERT, (session, *prepared.row)).lastrowid
    db.execute(_INSERT_WORDS, (number, prepared.words))


def find(db: sqlite3.Connection, session: int, message_id: str) -> tuple[Value, ...] | None:
    """The row of a message."""
    found: tuple[Value, ...] | None = db.execute(
        f"SELECT {MESSAGE_COLUMNS} FROM messages WHERE session = ? AND id = ?",
        (session, rows.stored(message_id)),
    ).fetchone()
    return found


def path(
    db: sqlite3.Connection, session: int, head: str | None, last: int | None = None
) -> list[Message]:
    """The messages that lead to ``head``, oldest first, or the last of them; none to
    ``ROOT``."""
    if head == ROOT:
        return []
    number = _number(db, session, head) or _newest(db, session)
    if number is None or (last is not None and last <= 0):
        return []
    limit = _NO_LIMIT if last is None else min(last, _MOST)
    found = db.execute(_PATH, {"head": number, "session": session, "last": limit})
    return [rows.message_of(row) for row in found]


def tree(db: sqlite3.Connection, session: int) -> list[Message]:
    """All messages in the order of saving."""
    return [rows.message_of(row) for row in of_session(db, session)]


def of_session(db: sqlite3.Connection, session: int) -> Iterator[tuple[Value, ...]]:
    """All rows in the order of saving."""
    return db.execute(
        f"SELECT {MESSAGE_COLUMNS} FROM messages WHERE session = ? ORDER BY number",
        (session,),
    )


def remove_all(db: sqlite3.Connection, session: int) -> None:
    """Nothing is left of a session's messages, in the index neither."""
    found = db.execute("SELECT number, content FROM messages WHERE session = ?", (session,))
    db.executemany(
        "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
        _indexed(found),
    )
    db.execute("DELETE FROM messages WHERE session = ?", (session,))


def index_all(db: sqlite3.Connection) -> None:
    """Put every message into the index, which is empty."""
    found = db.execute("SELECT number, content FROM messages ORDER BY number")
    db.executemany(_INSERT_WORDS, _indexed(found))


def _indexed(found: Iterable[tuple[int, Value]]) -> Iterator[tuple[int, str]]:
    return ((number, full_text.prepared(rows.text_of(content))) for number, content in found)


def _number(db: sqlite3.Connection, session: int, message_id: str | None) -> int | None:
    if message_id is None:
        return None
    return _one(
        db.execute(
            "SELECT number FROM messages WHERE session = ? AND id = ?",
            (session, rows.stored(message_id)),
        )
    )


def _newest(db: sqlite3.Connection, session: int) -> int | None:
    return _one(
        db.execute(
            "SELECT number FROM messages WHERE session = ? ORDER BY number DESC LIMIT 1",
            (session,),
        )
    )


def _one(found: sqlite3.Cursor) -> int | None:
    row = found.fetchone()
    return None if row is None else int(row[0])
