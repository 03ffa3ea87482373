"""The form of the file: what version it has, and bringing it to this one.

``PRAGMA application_id`` says whose file it is, ``PRAGMA user_version`` which form it
has (https://sqlite.org/fileformat2.html#database_header). The comments below are kept by
SQLite and shown by the command ``.schema`` of its own tool.
"""

from __future__ import annotations

import sqlite3

from agno_shell import StorageError
from agno_shell.toolkit import full_text

APPLICATION_ID = 0x61677368
"""The letters ``agsh``."""

WORDS = f"CREATE VIRTUAL TABLE words USING fts5(text, content='', {full_text.TOKENIZE})"
"""The full-text index; its rowid is ``messages.number``."""

_FIRST = (
    """
CREATE TABLE sessions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  session_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at TEXT NOT NULL,       -- ISO 8601 in UTC, as all times here
  updated_at TEXT NOT NULL,
  message_count INTEGER NOT NULL,
  size INTEGER NOT NULL,          -- bytes of all its messages
  head TEXT,                      -- messages.id; NULL: the newest message
  more TEXT,                      -- a JSON object: model, api_base, agent, tags, pinned, extra
  revision INTEGER NOT NULL,      -- grows with every change
  trash_id TEXT UNIQUE,           -- NULL: not deleted
  deleted_at TEXT
)""",
    "CREATE UNIQUE INDEX sessions_in_use ON sessions (session_id) WHERE trash_id IS NULL",
    """
CREATE TABLE messages (
  number INTEGER PRIMARY KEY,     -- in the order of saving
  session INTEGER NOT NULL REFERENCES sessions (number),
  id TEXT NOT NULL,
  parent TEXT,                    -- messages.id in the same session; NULL: the first
  role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  content TEXT NOT NULL,          -- a BLOB where the text has no UTF-8 form
  more TEXT,                      -- a JSON object: status, model, usage, timing, attachments, ...
  UNIQUE (session, id)
)""",
    "CREATE INDEX messages_in_order ON messages (session)",
    """
CREATE TABLE running_replies (
  number INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES sessions (number),
  writer TEXT NOT NULL,           -- the lock file of the shell that receives it
  message_id TEXT NOT NULL,
  piece TEXT NOT NULL             -- JSON: the message, then [time, added text] again and again
)""",
    "CREATE INDEX running_replies_of_session ON running_replies (session)",
    """
CREATE TABLE facts (
  name TEXT PRIMARY KEY,          -- current_session, words_form
  value TEXT NOT NULL
) WITHOUT ROWID""",
    WORDS,
)

_SECOND = (
    """
CREATE TABLE memories (
  number INTEGER PRIMARY KEY,     -- in the order of saving
  session INTEGER NOT NULL REFERENCES sessions (number),
  id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  text TEXT NOT NULL,             -- a BLOB where the text has no UTF-8 form
  more TEXT,                      -- a JSON object: what is not known here
  UNIQUE (session, id)
)""",
    """
CREATE TABLE attachments (
  session INTEGER NOT NULL REFERENCES sessions (number),
  sha256 TEXT NOT NULL,           -- of the content, in hexadecimal digits
  content BLOB NOT NULL,
  UNIQUE (session, sha256)
)""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
"""The statements that lead from version 0, an empty file, to 1, from 1 to 2, and so on.
None of them is ever changed: there are files in each of these forms."""


def latest() -> int:
    """The version that this program writes."""
    return len(MIGRATIONS)


def version_of(connection: sqlite3.Connection, path: str) -> int:
    """The version of a database; 0 for an empty one. ``StorageError`` where it is another
    program's, or of a later version than is known here."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if owner == 0 and version == 0:
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            return 0
    elif owner == APPLICATION_ID:
        _refuse_later(version, path)
        return int(version)
    raise StorageError(
        f"{path} is a database of another program; it was left as it is.",
        hint="Choose another place with [storage] path.",
    )


def has(connection: sqlite3.Connection, table: str) -> bool:
    """Whether there is such a table: a file of an earlier version is read as it is, and
    brought up to date when it is written for the first time."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))
    return found.fetchone() is not None


def require_latest(connection: sqlite3.Connection, path: str) -> None:
    """Within a transaction that writes: bring an earlier form up to date. Another shell of
    a later version may have changed it since this one opened the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _refuse_later(version, path)
    if version < latest():
        bring_up_to_date(connection, version)


def bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Lead a database from ``version`` to the latest one; the caller's transaction makes
    it all or nothing."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {latest()}")


def _refuse_later(version: int, path: str) -> None:
    if version > latest():
        raise StorageError(
            f"{path} was written by a later version of agno-shell-sqlite: its schema is"
            f" version {version}, and this one knows {latest()}.",
            hint="Upgrade it: pip install -U agno-shell-sqlite.",
        )
