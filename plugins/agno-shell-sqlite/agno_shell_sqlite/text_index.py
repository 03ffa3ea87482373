"""The table ``words``: full-text search over every message.

It holds no text, only which word is where. FTS5 then takes a message out of it by the
very words that went in, and they depend on the Unicode tables of Python: which ones made
the index is written down, and one that was made by others is rebuilt when that matters.
"""

# ruff: noqa: S608 - the pieces that statements are made of are constants

from __future__ import annotations

import sqlite3
import unicodedata
from datetime import datetime
from typing import Any

from agno_shell import SearchHit
from agno_shell.toolkit import full_text, json_records
from agno_shell_sqlite import messages, rows, schema
from agno_shell_sqlite.rows import MESSAGE_COLUMNS, SESSION_COLUMNS

_FORM = "words_form"
_MIXED = "mixed"
_STEP_PAGES = 500


def form() -> str:
    """What the words of this program depend on."""
    return f"{unicodedata.unidata_version} {full_text.TOKENIZE} {full_text.VERSION}"


def note_form(db: sqlite3.Connection) -> None:
    """To be called in every transaction that adds words."""
    known = _known_form(db)
    if known is None:
        db.execute("INSERT INTO facts VALUES (?, ?)", (_FORM, form()))
    elif known not in (form(), _MIXED):
        db.execute("UPDATE facts SET value = ? WHERE name = ?", (_MIXED, _FORM))


def is_of_this_form(db: sqlite3.Connection) -> bool:
    """Whether all of the index was made by programs that see the same words as this one."""
    return _known_form(db) in (None, form())


def make_anew(db: sqlite3.Connection) -> None:
    """Build the index from the messages."""
    db.execute("DROP TABLE IF EXISTS words")
    db.execute(schema.WORDS)
    db.execute("REPLACE INTO facts VALUES (?, ?)", (_FORM, form()))
    messages.index_all(db)


def forget_removed(db: sqlite3.Connection) -> bool:
    """Do a part of what makes the words of purged messages disappear from the disk: until
    their part of the index is rewritten they are only marked. False when all is done."""
    before = db.total_changes
    db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (_STEP_PAGES,))
    return db.total_changes - before >= 2  # as https://sqlite.org/fts5.html#the_merge_command


def begin_forgetting(db: sqlite3.Connection) -> None:
    """Mark all of the index for :func:`forget_removed`."""
    db.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (-_STEP_PAGES,))


def _known_form(db: sqlite3.Connection) -> str | None:
    row = db.execute("SELECT value FROM facts WHERE name = ?", (_FORM,)).fetchone()
    return None if row is None else rows.text_of(row[0])


# Searching -------------------------------------------------------------------------------


def search(
    db: sqlite3.Connection,
    wanted: full_text.Query,
    *,
    session: int | None,
    role: str | None,
    since: datetime | None,
    limit: int,
) -> list[SearchHit]:
    """The best messages that hold all that is wanted; of equal ones the earlier first."""
    conditions = ["words MATCH :words", "sessions.trash_id IS NULL"]
    values: dict[str, Any] = {"words": wanted.expression(), "limit": limit}
    if session is not None:
        conditions.append("messages.session = :session")
        values["session"] = session
    if role is not None:
        conditions.append("messages.role = :role")
        values["role"] = role
    if since is not None:
        # All times are written alike, so that they compare as texts.
        conditions.append("messages.created_at >= :since")
        values["since"] = json_records.stamp(since)
    best = db.execute(
        "SELECT messages.number, sessions.number FROM words"
        " CROSS JOIN messages ON messages.number = words.rowid"
        " CROSS JOIN sessions ON sessions.number = messages.session"
        f" WHERE {' AND '.join(conditions)} ORDER BY words.rank, messages.number LIMIT :limit",
        values,
    ).fetchall()
    return [_hit(db, wanted, message, owner) for message, owner in best]


def _hit(db: sqlite3.Connection, wanted: full_text.Query, message: int, owner: int) -> SearchHit:
    message_row = db.execute(
        f"SELECT {MESSAGE_COLUMNS} FROM messages WHERE number = ?",
        (message,),
    ).fetchone()
    session_row = db.execute(
        f"SELECT {SESSION_COLUMNS} FROM sessions WHERE number = ?",
        (owner,),
    ).fetchone()
    found = rows.message_of(message_row)
    return SearchHit(rows.session_of(session_row), found, wanted.snippet(found.content))
