"""The table ``attachments``: the contents of attached files, by their SHA-256.

``session`` is always the number of a row of the table ``sessions``.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress

from agno_shell import Message, StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import now
from agno_shell_sqlite import messages, schema, sessions

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LOST = "Attaching the same file again brings it back."


def digest_of(data: bytes) -> str:
    """The name of a content: its SHA-256 as 64 small hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def content(db: sqlite3.Connection, session: int, digest: str, whose: str) -> bytes:
    """A content as it was when it was kept. Raises ``StorageError``, which says ``whose``."""
    found = _find(db, session, digest)
    if found is None:
        raise StorageError(
            f"An attachment of {whose} is not there: {str(digest)[:80]!r}.", hint=_LOST
        )
    if digest_of(found) != digest:
        raise StorageError(
            f"An attachment of {whose} is not what it was when it was attached: {digest}.",
            hint=_LOST,
        )
    return found


def keep(db: sqlite3.Connection, session: int, digest: str, data: bytes) -> None:
    """Keep a content; one of the same name that is something else is put aside."""
    found = _find(db, session, digest)
    if found == data:
        return
    if found is not None:
        put_aside(db, session, digest)
    db.execute("INSERT INTO attachments VALUES (?, ?, ?)", (session, digest, data))
    sessions.grow(db, session, len(data))


def put_aside(db: sqlite3.Connection, session: int, digest: str) -> str:
    """Give a content that is not what its name says another name, which is returned."""
    aside = f"{digest}.damaged-{json_records.stamp(now())}"
    db.execute(
        "UPDATE attachments SET sha256 = ? WHERE session = ? AND sha256 = ?",
        (aside, session, digest),
    )
    return aside


def take_over(
    db: sqlite3.Connection,
    session: int,
    tree: Iterable[Message],
    source: Callable[[str], bytes],
) -> None:
    """Keep what messages name, as far as ``source`` has it."""
    named = {each.sha256 for message in tree for each in message.attachments}
    for digest in sorted(filter(is_digest, named)):
        with suppress(StorageError):
            data = source(digest)
            if digest_of(data) == digest:
                keep(db, session, digest, data)


def damaged(db: sqlite3.Connection, session: int) -> list[str]:
    """The names of the contents that are not what their names say."""
    if not schema.has(db, "attachments"):
        return []
    found = db.execute("SELECT sha256, content FROM attachments WHERE session = ?", (session,))
    return [name for name, data in found if is_digest(name) and digest_of(_bytes(data)) != name]


def missing(db: sqlite3.Connection, session: int) -> list[str]:
    """The contents that messages name and that are not there."""
    named = {each.sha256 for tree in messages.tree(db, session) for each in tree.attachments}
    there = set()
    if named and schema.has(db, "attachments"):
        found = db.execute("SELECT sha256 FROM attachments WHERE session = ?", (session,))
        there = {name for (name,) in found}
    return sorted(digest for digest in named - there if is_digest(digest))


def is_digest(value: object) -> bool:
    """Whether ``value`` is the name of a content."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _find(db: sqlite3.Connection, session: int, digest: str) -> bytes | None:
    if not (is_digest(digest) and schema.has(db, "attachments")):
        return None
    row = db.execute(
        "SELECT content FROM attachments WHERE session = ? AND sha256 = ?", (session, digest)
    ).fetchone()
    return None if row is None else _bytes(row[0])


def _bytes(value: object) -> bytes:
    """A value that is no BLOB was written by another program: it is no content, and no failure."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
