"""The search index: an SQLite database with an FTS5 table, made from the message files.

It is a cache. Texts are not in it (the FTS5 table is contentless), only where each word
occurs. A row's number says where the message stands, so that no other table is asked for
what a search finds::

    generation (22 bits) | offset of the line in messages.json (38 bits) | role (3 bits)

A generation is one reading of one session's file. Where the file changed in another way
than by growing it is read again under a new generation, and the old one is dead: a row of
a contentless table cannot be taken out.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from typing import NamedTuple

from agno_shell.toolkit.file_systems import is_copy_on_write
from agno_shell.toolkit.full_text import TOKENIZE, Query

VERSION = 3
"""To be raised with every change of the tables, of :data:`TOKENIZE`, or of what
:func:`agno_shell.toolkit.full_text.prepared` makes of a text."""

ROLE_BITS = 3
ROLES = {"user": 0, "assistant": 1, "system": 2, "tool": 3, "summary": 4}

_APPLICATION = 0x61676E73
"""Tells our files from those of other programs (PRAGMA application_id)."""
_OFFSET_BITS = 38
_GENERATION_SHIFT = _OFFSET_BITS + ROLE_BITS
_SPAN_BITS = 18
"""A span is 256 KiB of a file: fine enough to pass over what is too old."""
_SPAN_SHIFT = _SPAN_BITS + ROLE_BITS
_PATIENCE = 2.0
"""Seconds to wait for another shell that writes to the index."""

_WORDS = (
    f"CREATE VIRTUAL TABLE words USING fts5(text, content='', {TOKENIZE})",
    # Bytes that are kept in memory before they are written: fewer, larger pieces.
    "INSERT INTO words(words, rank) VALUES ('hashsize', 16777216)",
)
_TABLES = (
    *_WORDS,
    """CREATE TABLE files(
        generation INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL,
        alive INTEGER NOT NULL,
        form TEXT NOT NULL,
        inode INTEGER NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        indexed INTEGER NOT NULL,
        ending BLOB NOT NULL,
        messages INTEGER NOT NULL
    )""",
    "CREATE TABLE spans(span INTEGER PRIMARY KEY, newest TEXT NOT NULL)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)


class FileState(NamedTuple):
    """How a message file looks from outside."""

    inode: int
    size: int
    mtime_ns: int


UNFINISHED = FileState(-1, -1, -1)


class File(NamedTuple):
    """What is known of one reading of a session's messages."""

    generation: int
    session_id: str
    alive: bool
    form: str
    """``lines``: in the store's layout, offsets are those of lines; ``whole``: in another
    one, offsets are positions in what the message reader makes of it; ``unreadable``."""
    look: FileState
    """Of the file when all of it was read; :data:`UNFINISHED` before."""
    indexed: int = 0
    """The offset up to which lines were read."""
    ending: bytes = b""
    """The last bytes before ``indexed``."""
    messages: int = 0


class Batch(NamedTuple):
    """Messages of one file on their way into the index."""

    rows: list[tuple[int, str]]
    """The number of each row, and the prepared text."""
    newest: dict[int, str]
    """For each :func:`span` of the file the latest time of a message in it, as
    :func:`agno_shell.toolkit.json_records.stamp` writes it."""
    messages: int
    """How many there are, with those that say nothing."""
    end: int
    """The offset behind the last one."""
    ending: bytes
    """The last bytes before that."""
    look: FileState | None = None
    """How the file looks, when this is all of it."""


class MessagePosition(NamedTuple):
    """Where a message that was found stands."""

    generation: int
    offset: int


def first_row(generation: int) -> int:
    """The row of a message at offset 0 by the role 0; see above for the others."""
    return generation << _GENERATION_SHIFT


def span(offset: int) -> int:
    """The number of the stretch of a file that ``offset`` is in."""
    return offset >> _SPAN_BITS


class SearchIndex:
    """One open database; one thread uses it at a time, except for :meth:`interrupt`."""

    def __init__(self, path: str) -> None:
        """Open the database at ``path``, make its tables if it is empty. Raises
        ``sqlite3.Error``; ``sqlite3.DatabaseError`` also for a file of another kind."""
        self.path = path
        self._files: dict[int, File] = {}
        self._spans: dict[int, str] = {}
        self._last = 0
        self._db = sqlite3.connect(
            path, timeout=0.05, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        # With a write-ahead log a search does not wait for a writer. NORMAL: after
        # a power cut the index is an older one, and sound.
        for setting in (
            "synchronous = NORMAL",
            "cache_size = -32768",
            "wal_autocheckpoint = 8000",
            "journal_size_limit = 67108864",
            "cell_size_check = ON",
            "trusted_schema = OFF",
        ):
            self._db.execute(f"PRAGMA {setting}")
        self._choose_journal()
        if self._marks() == (0, 0):
            self.write(self._make, lambda: None)
        if self._marks() != (_APPLICATION, VERSION):
            raise sqlite3.DatabaseError("a database of another program or version")

    def _choose_journal(self) -> None:
        """A write-ahead log, unless its shared memory could end the process there."""
        if not is_copy_on_write(os.path.dirname(self.path)):
            _patiently(lambda: self._db.execute("PRAGMA journal_mode = WAL"), lambda: None)
            return
        self._db.execute(f"PRAGMA busy_timeout = {_PATIENCE * 1000:.0f}")
        # Exclusively, so that a log that was left by an earlier version needs no such memory.
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = TRUNCATE"):
            _patiently(lambda each=setting: self._db.execute(f"PRAGMA {each}"), lambda: None)  # type: ignore[misc]
        self._db.execute("PRAGMA locking_mode = NORMAL")
        self._marks()  # lets go of the lock

    def _marks(self) -> tuple[int, int]:
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        return application, self._db.execute("PRAGMA user_version").fetchone()[0]

    def _make(self) -> None:
        if self._marks() != (0, 0):
            return  # another shell was faster
        if self._db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise sqlite3.DatabaseError("a database of another program")
        for statement in _TABLES:
            self._db.execute(statement)

    def empty(self) -> None:
        """Forget everything, inside :meth:`write`."""
        self._db.execute("DROP TABLE words")
        self._db.execute("DELETE FROM files")
        self._db.execute("DELETE FROM spans")
        for statement in _WORDS:
            self._db.execute(statement)

    # Reading -----------------------------------------------------------------------------

    def version(self) -> int:
        """Another number after another handle has changed the database."""
        number: int = self._db.execute("PRAGMA data_version").fetchone()[0]
        return number

    def files(self) -> list[File]:
        """Everything that was read, dead or alive."""
        rows = self._db.execute(
            "SELECT generation, session_id, alive, form, inode, size, mtime_ns, indexed, ending,"
            " messages FROM files"
        )
        return [
            File(row[0], row[1], bool(row[2]), row[3], FileState(*row[4:7]), row[7], row[8], row[9])
            for row in rows
        ]

    def find(
        self,
        query: Query,
        limit: int,
        *,
        generation: int | None = None,
        role: str | None = None,
        since: str | None = None,
        some_dead: bool = False,
    ) -> list[MessagePosition]:
        """The best ``limit`` messages, the best first. With ``since`` some older ones may be
        among them."""
        where = "words MATCH ?"
        values: list[object] = [query.expression()]
        if generation is not None:
            first = first_row(generation)
            where += " AND rowid BETWEEN ? AND ?"
            values += [first, first + (1 << _GENERATION_SHIFT) - 1]
        if role is not None:
            where += " AND rowid & ? = ?"
            values += [(1 << ROLE_BITS) - 1, ROLES[role]]
        if since is not None:
            where += " AND rowid >> ? IN (SELECT span FROM spans WHERE newest >= ?)"
            values += [_SPAN_SHIFT, since]
        if some_dead:
            where += " AND rowid >> ? IN (SELECT generation FROM files WHERE alive)"
            values.append(_GENERATION_SHIFT)
        # ORDER BY rank would sort all that is found; this keeps the best ones only.
        rows = self._db.execute(
            f"SELECT rowid FROM words WHERE {where} ORDER BY bm25(words) LIMIT ?",  # noqa: S608 - made of the constants above
            (*values, limit),
        )
        mask = (1 << _OFFSET_BITS) - 1
        return [
            MessagePosition(row >> _GENERATION_SHIFT, (row >> ROLE_BITS) & mask) for (row,) in rows
        ]

    # Writing -----------------------------------------------------------------------------

    def write(self, work: Callable[[], None], check: Callable[[], None]) -> None:
        """Do ``work`` in one transaction. ``check`` may raise while another shell is waited
        for. Raises ``sqlite3.OperationalError`` when that takes too long."""
        _patiently(lambda: self._db.execute("BEGIN IMMEDIATE"), check)
        self._files.clear()
        self._spans.clear()
        self._last = 0
        try:
            work()
            self._write_records()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def begin_file(self, session_id: str, form: str) -> File:
        """A new generation, of which nothing was read yet."""
        if not self._last:
            self._last = self._db.execute("SELECT max(generation) FROM files").fetchone()[0] or 0
        self._last += 1
        file = File(self._last, session_id, True, form, UNFINISHED)
        self.save_file(file)
        return file

    def save_file(self, file: File) -> None:
        """Write down how far a file was read."""
        self._files[file.generation] = file

    def add(self, generation: int, batch: Batch) -> None:
        """Index messages; quickest in the order of their generations and places."""
        self._db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", batch.rows)
        spans = generation << (_GENERATION_SHIFT - _SPAN_SHIFT)
        for span, newest in batch.newest.items():
            self._spans[spans | span] = max(newest, self._spans.get(spans | span, ""))

    def _write_records(self) -> None:
        """What was learnt in a transaction is written at its end: between the rows of FTS5
        it would make FTS5 write, each time, what it collects in memory."""
        if self._files:
            self._db.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*file[:4], *file.look, *file[5:]) for file in self._files.values()],
            )
        if self._spans:
            self._db.executemany(
                "INSERT INTO spans(span, newest) VALUES (?, ?)"
                " ON CONFLICT(span) DO UPDATE SET newest = max(newest, excluded.newest)",
                self._spans.items(),
            )

    # The end -----------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Make what another thread is doing here end with ``sqlite3.OperationalError``."""
        self._db.interrupt()

    def close(self) -> None:
        self._db.close()


def _patiently(action: Callable[[], object], check: Callable[[], None]) -> None:
    """Try again while another process holds the database."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            action()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            check()
            time.sleep(0.005)
        else:
            return


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the database, which is sound."""
    return error_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what Python itself raised."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
