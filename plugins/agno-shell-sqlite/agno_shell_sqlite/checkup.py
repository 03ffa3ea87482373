"""Looking for what is wrong with the database, and mending what is derived.

The conversation is in the messages alone. Counts, indexes and the full-text index
can be made from them at any time; nothing else is touched, and nothing is removed.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from functools import partial

from agno_shell import Finding, StorageError
from agno_shell.toolkit import json_records
from agno_shell_sqlite import attachments, place, rows, text_index
from agno_shell_sqlite.database import Database
from agno_shell_sqlite.problems import FAILURES, reason

_MOST_LINES = 100
_RECOVER = "Copy the file aside; 'sqlite3 FILE .recover' writes what can be read into a new one."
_COUNTS = """
SELECT sessions.number, session_id, message_count, count(messages.number)
FROM sessions LEFT JOIN messages ON messages.session = sessions.number
GROUP BY sessions.number HAVING message_count <> count(messages.number)"""
_HEADLESS = """
SELECT number, session_id FROM sessions WHERE head <> '' AND NOT EXISTS
(SELECT 1 FROM messages WHERE messages.session = sessions.number AND messages.id = head)"""


class Checkup:
    """One look at a database; safe while other shells work."""

    def __init__(self, database: Database, *, repair: bool) -> None:
        self._database = database
        self._path = database.path
        self._repair = repair

    def findings(self) -> Iterator[Finding]:
        """What is wrong, or was mended."""
        try:
            owned = self._database.read(_sessions)
        except StorageError as error:
            yield Finding(self._path, str(error), error.hint)
            return
        yield from self._access()
        damage = self._pages()
        yield from damage
        if all(finding.healed for finding in damage):
            # From pages that are damaged a wrong count would be made.
            for look in (self._counts, self._heads, self._index):
                yield from look()
        for number, session_id in owned:
            yield from self._database.read(_DamagedRows(number, session_id))
            yield from self._contents(number, session_id)

    # The file ----------------------------------------------------------------------------

    def _access(self) -> list[Finding]:
        try:
            mode = stat.S_IMODE(os.lstat(self._path).st_mode)
        except OSError:
            return []
        if os.name != "posix" or not mode & 0o077:
            return []
        problem = f"Others than its owner can use it (mode {mode:04o})."
        if self._repair:
            try:
                for name in (self._path, f"{self._path}-wal", f"{self._path}-shm"):
                    if os.path.exists(name):
                        os.chmod(name, place.FILE_MODE)
            except OSError as error:
                return [Finding(self._path, problem, f"It could not be changed: {error.strerror}.")]
            return [Finding(self._path, problem, "Now only its owner can.", healed=True)]
        advice = f"Set its rights with: chmod 600 {self._path}"
        return [Finding(self._path, problem, advice, repairable=True)]

    def _pages(self) -> list[Finding]:
        """Whether every page of the file is what it should be."""
        lines = self._database.read(_integrity)
        if not lines or not all(map(_is_of_an_index, lines)):
            return [Finding(self._path, _sentence(line), _RECOVER) for line in lines]
        failed = self._mend(lambda db: db.execute("REINDEX"))
        return [
            self._outcome(self._path, _sentence(line), "The index was rebuilt.", failed)
            for line in lines
        ]

    # What is derived ---------------------------------------------------------------------

    def _counts(self) -> list[Finding]:
        wrong = self._database.read(lambda db: db.execute(_COUNTS).fetchall())
        if not wrong:
            return []
        failed = self._mend(
            lambda db: db.executemany(
                "UPDATE sessions SET message_count = ?, revision = revision + 1 WHERE number = ?",
                ((counted, number) for number, _id, _known, counted in db.execute(_COUNTS)),
            )
        )
        return [
            self._outcome(
                f"session {rows.text_of(session_id)}",
                f"It holds {counted} messages and says {known}.",
                "Now it says what it holds.",
                failed,
            )
            for _number, session_id, known, counted in wrong
        ]

    def _heads(self) -> list[Finding]:
        wrong = self._database.read(lambda db: db.execute(_HEADLESS).fetchall())
        if not wrong:
            return []
        failed = self._mend(
            lambda db: db.executemany(
                "UPDATE sessions SET head = NULL, revision = revision + 1 WHERE number = ?",
                ((number,) for number, _id in db.execute(_HEADLESS).fetchall()),
            )
        )
        return [
            self._outcome(
                f"session {rows.text_of(session_id)}",
                "It stands on a message that it does not have; the newest one is shown.",
                "Now it stands on its newest message.",
                failed,
            )
            for _number, session_id in wrong
        ]

    def _index(self) -> list[Finding]:
        problem = self._database.read(_index_problem)
        if problem is None:
            return []
        failed = self._mend(text_index.make_anew)
        return [self._outcome("search index", problem, "It was rebuilt.", failed)]

    # Attached files ----------------------------------------------------------------------

    def _contents(self, number: int, session_id: str) -> Iterator[Finding]:
        where = f"session {session_id}"
        damaged = self._database.read(lambda db: attachments.damaged(db, number))
        for digest in damaged:
            failed = self._mend(partial(attachments.put_aside, session=number, digest=digest))
            problem = f"An attached file is not what it was when it was attached: {digest}."
            done = "It was put aside. Attaching the same file again brings it back."
            yield self._outcome(where, problem, done, failed)
        for digest in self._database.read(lambda db: attachments.missing(db, number)):
            if digest not in damaged:
                yield Finding(
                    where,
                    f"An attached file that a message names cannot be found: {digest}.",
                    "Attaching the same file again brings it back; no message is lost.",
                )

    def _mend(self, work: Callable[[sqlite3.Connection], object]) -> str | None:
        """None when it was mended, else why not; empty if nothing was to be mended."""
        if not self._repair:
            return ""
        try:
            self._database.write(work)
        except FAILURES as error:
            return f"It could not be mended: {reason(error)}."
        return None

    def _outcome(self, where: str, problem: str, done: str, failed: str | None) -> Finding:
        if failed is None:
            return Finding(where, problem, done, healed=True)
        advice = failed or "'agno-shell doctor --repair' mends it."
        return Finding(where, problem, advice, repairable=not failed)


class _DamagedRows:
    """Reads all messages of one session. A row that is damaged is named and left as it is."""

    def __init__(self, number: int, session_id: str) -> None:
        self._number = number
        self._session_id = session_id

    def __call__(self, db: sqlite3.Connection) -> list[Finding]:
        found = []
        for number, ident, *rest in db.execute(
            "SELECT number, id, role, created_at, content, more FROM messages"
            " WHERE session = ? ORDER BY number",
            (self._number,),
        ):
            problem = _row_problem(*rest)
            if problem is not None:
                found.append(
                    Finding(
                        f"session {self._session_id}",
                        f"{problem} in message {rows.text_of(ident)[:80]!r} (row {number}).",
                        "What can be read of it is shown, and it is left as it is.",
                    )
                )
        return found


def _row_problem(role: object, created_at: object, content: object, more: object) -> str | None:
    if role not in json_records.ROLES:
        return "There is no known role"
    if json_records.moment(created_at) is None:
        return "There is no time that can be read"
    if not isinstance(content, str | bytes) or rows.is_damaged(content):
        return "There is text that cannot be read"
    try:
        rows.unpacked(more)
    except json_records.Damage:
        return "There are fields that cannot be read"
    return None


def _sessions(db: sqlite3.Connection) -> list[tuple[int, str]]:
    found = db.execute("SELECT number, session_id FROM sessions ORDER BY number")
    return [(number, rows.text_of(session_id)) for number, session_id in found]


def _integrity(db: sqlite3.Connection) -> list[str]:
    found = db.execute(f"PRAGMA integrity_check({_MOST_LINES})").fetchall()
    lines = [str(line) for (line,) in found if line != "ok"]
    for table, row, parent, _number in db.execute("PRAGMA foreign_key_check").fetchall():
        lines.append(f"row {row} of {table} belongs to no row of {parent}")
    return lines


def _is_of_an_index(line: str) -> bool:
    """Whether a line of the integrity check is of an index whose table is sound."""
    return " index " in line and not line.startswith(("*", "Tree", "On tree", "Page"))


def _index_problem(db: sqlite3.Connection) -> str | None:
    """FTS5's own check would keep the other shells from writing as long as it takes; going
    through all words reads as much."""
    try:
        (lacking,) = db.execute(
            "SELECT count(*) FROM messages WHERE number NOT IN (SELECT id FROM words_docsize)"
        ).fetchone()
        (surplus,) = db.execute(
            "SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT number FROM messages)"
        ).fetchone()
        db.execute("CREATE VIRTUAL TABLE temp.all_words USING fts5vocab(main, words, 'row')")
        db.execute("SELECT count(*), sum(cnt) FROM temp.all_words").fetchone()
    except sqlite3.Error as error:
        return f"It cannot be read: {reason(error)}."
    if lacking:
        return f"{lacking} messages are not in it."
    if surplus:
        return f"{surplus} messages in it are not there any more."
    return None


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:].rstrip('.')}."
