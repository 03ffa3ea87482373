"""The table ``memories``: what the model is to remember in a session.

``session`` is always the number of a row of the table ``sessions``.
"""

# ruff: noqa: S608 - the pieces that statements are made of are constants

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from agno_shell import Memory, StorageError
from agno_shell_sqlite import rows, schema, sessions
from agno_shell_sqlite.rows import MEMORY_COLUMNS

_INSERT = f"INSERT INTO memories (session, {MEMORY_COLUMNS}) VALUES (?, ?, ?, ?, ?)"


def listed(db: sqlite3.Connection, session: int) -> list[Memory]:
    """Oldest first."""
    if not schema.has(db, "memories"):
        return []
    found = db.execute(
        f"SELECT {MEMORY_COLUMNS} FROM memories WHERE session = ? ORDER BY number", (session,)
    )
    return [rows.memory_of(row) for row in found]


def add(db: sqlite3.Connection, session: int, memories: Iterable[Memory]) -> None:
    """``StorageError`` where two have the same id; raises ``UnwritableError``."""
    for memory in memories:
        try:
            db.execute(_INSERT, (session, *rows.memory_row(memory)))
        except sqlite3.IntegrityError as error:
            raise StorageError(
                f"Two things to remember have the id {memory.id[:80]!r}; nothing was saved."
            ) from error
    sessions.touch(db, session)


def take(db: sqlite3.Connection, session_id: str, memory_id: str) -> Memory:
    """Take one away. ``StorageError`` if there is none of this id."""
    session = sessions.find(db, session_id).number
    found = None
    if isinstance(memory_id, str):
        found = db.execute(
            f"SELECT number, {MEMORY_COLUMNS} FROM memories WHERE session = ? AND id = ?",
            (session, rows.stored(memory_id)),
        ).fetchone()
    if found is None:
        raise StorageError(
            f"Session {session_id} remembers nothing with the id {str(memory_id)[:80]!r}."
        )
    db.execute("DELETE FROM memories WHERE number = ?", (found[0],))
    sessions.touch(db, session)
    return rows.memory_of(found[1:])
