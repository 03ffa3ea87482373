"""The table ``running_replies``: what has come of replies that are not messages yet.

A reply is kept in pieces: the message as it was first, then each text that was added to
it with its time, and each piece of its reasoning, so that keeping a long one costs what was
added. A reply whose writer is gone is a
leftover, and becomes an interrupted message.
"""

from __future__ import annotations

import sqlite3

from agno_shell import Growth, Message, StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, grown
from agno_shell_sqlite import messages, rows, sessions
from agno_shell_sqlite.sessions import SessionRow
from agno_shell_sqlite.writers import Writers


class ReplyInProgress:
    """What a handle keeps of a reply."""

    def __init__(self, message: Message | None, synced_at: float) -> None:
        self._message = message
        """None: nothing is kept yet."""
        self.synced_at = synced_at
        """When all of it survived a power cut, in seconds of ``time.monotonic``."""
        self.growth: list[Growth] = []
        """What was added to the message since."""

    @property
    def message_id(self) -> str:
        return self._message.id if self._message else ""

    def now(self) -> Message | None:
        """The reply as the database has it."""
        return self._message and grown(self._message, self.growth)


def save(
    db: sqlite3.Connection,
    session: int,
    writer: str,
    before: Message | None,
    message: Message,
    *,
    synced: bool,
) -> None:
    """Keep ``message``; ``before`` is what this writer has kept last, in this session.
    ``synced``: what is kept already survives a power cut."""
    ident = rows.stored(message.id)
    piece = _added(before, message)
    if piece is None or not _is_kept(db, session, writer, ident):
        db.execute(
            "DELETE FROM running_replies WHERE session = ? AND writer = ?", (session, writer)
        )
        piece = json_records.dumps(json_records.message_fields(message))
    elif not piece:
        if synced:
            return
        # A transaction that writes nothing syncs nothing.
        piece = _text_piece(message, "")
    _insert(db, session, writer, ident, piece)


def extend(db: sqlite3.Connection, session: int, writer: str, growth: Growth) -> None:
    """Keep what was added to a reply that this writer keeps. ``StorageError`` when it keeps
    none with this id."""
    ident = rows.stored(growth.message_id)
    if not _is_kept(db, session, writer, ident):
        raise StorageError(f"No reply {growth.message_id[:80]!r} is in work here.")
    if growth.reasoning:
        thought = {"provider": growth.provider, "reasoning": growth.reasoning}
        _insert(db, session, writer, ident, json_records.dumps(thought))
    if growth.text:
        _insert(db, session, writer, ident, json_records.dumps([None, growth.text]))


def _insert(
    db: sqlite3.Connection, session: int, writer: str, ident: str | bytes, piece: bytes
) -> None:
    db.execute(
        "INSERT INTO running_replies (session, writer, message_id, piece) VALUES (?, ?, ?, ?)",
        (session, writer, ident, piece.decode()),
    )


def remove(db: sqlite3.Connection, session: int, message_id: str) -> None:
    """The reply is a message now, or is not wanted."""
    db.execute(
        "DELETE FROM running_replies WHERE session = ? AND message_id = ?",
        (session, rows.stored(message_id)),
    )


def kept(db: sqlite3.Connection, session: int) -> list[Message]:
    """What is kept of every reply, running or not, that is not a message already."""
    found = (_assembled(pieces) for pieces in _pieces(db, session).values())
    return [
        message
        for message in found
        if message is not None and messages.find(db, session, message.id) is None
    ]


def as_messages(saved: list[Message], replies: list[Message]) -> list[Message]:
    """The saved messages, and ``replies`` that no shell can finish any more, as interrupted
    messages behind it."""
    known = {message.id for message in saved}
    for reply in replies:
        if reply.content or reply.provider_data or reply.provider_tools:
            last = saved[-1].id if saved else None
            parent = reply.parent if reply.parent is None or reply.parent in known else last
            saved.append(reply._replace(status="interrupted", parent=parent))
    return saved


def gone(db: sqlite3.Connection, session: int, writers: Writers) -> list[str]:
    """The writers that have left a reply in this session and do not live."""
    return [name for name in _pieces(db, session) if not writers.lives(name)]


def rescue(db: sqlite3.Connection, session_id: str, dead: list[str]) -> None:
    """Make interrupted messages of what the writers ``dead`` have left."""
    found = sessions.find(db, session_id)
    pieces = _pieces(db, found.number)
    for name in dead:
        message = _assembled(pieces.get(name, []))
        # A reply that was saved in the last moment is not saved twice.
        says = message and (message.content or message.provider_data or message.provider_tools)
        if message and says and messages.find(db, found.number, message.id) is None:
            _rescue_one(db, found, message._replace(status="interrupted"))
            found = sessions.find(db, session_id)
        db.execute(
            "DELETE FROM running_replies WHERE session = ? AND writer = ?", (found.number, name)
        )


def _rescue_one(db: sqlite3.Connection, found: SessionRow, message: Message) -> None:
    before = messages.path(db, found.number, found.session.head, 1)
    prepared = messages.prepare(message)
    messages.add(db, found.number, prepared)
    stood_on = before[-1].id if before else found.session.head
    went_on = stood_on is not None and stood_on != (message.parent or ROOT)
    sessions.change(
        db,
        found,
        size=prepared.size,
        message_count=found.session.message_count + 1,
        # A conversation that has gone on elsewhere, or back, stays there.
        head=stood_on if went_on else None,
    )


def _added(before: Message | None, message: Message) -> bytes | None:
    """The piece that leads from one to the other: empty if they are equal, None if there
    is no such piece."""
    if message == before:
        return b""
    if before is None or not message.content.startswith(before.content):
        return None
    if message._replace(content="", created_at=before.created_at) != before._replace(content=""):
        return None
    return _text_piece(message, message.content[len(before.content) :])


def _text_piece(message: Message, text: str) -> bytes:
    return json_records.dumps([json_records.stamp(message.created_at), text])


def _is_kept(db: sqlite3.Connection, session: int, writer: str, ident: str | bytes) -> bool:
    found = db.execute(
        "SELECT 1 FROM running_replies WHERE session = ? AND writer = ? AND message_id = ? LIMIT 1",
        (session, writer, ident),
    )
    return found.fetchone() is not None


def _pieces(db: sqlite3.Connection, session: int) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for writer, piece in db.execute(
        "SELECT writer, piece FROM running_replies WHERE session = ? ORDER BY number", (session,)
    ):
        found.setdefault(rows.text_of(writer), []).append(piece)
    return found


def _assembled(pieces: list[object]) -> Message | None:
    """The reply in its pieces, up to the first that is damaged."""
    message: Message | None = None
    growth: list[Growth] = []
    for piece in pieces:
        try:
            value = json_records.loads(rows.text_of(piece).encode())
        except json_records.Damage:
            break
        if message is None and isinstance(value, dict):
            ident, parent = rows.text_of(value.get("id")), value.get("parent")
            parent = parent if isinstance(parent, str) else None
            message = json_records.message_of(value, ident, parent, json_records.EPOCH)
        elif message is not None and isinstance(value, list) and len(value) == 2:
            message = message._replace(created_at=rows.moment(value[0], message.created_at))
            growth.append(Growth(message.id, rows.text_of(value[1])))
        elif message is not None and isinstance(value, dict):
            provider = rows.text_of(value.get("provider"))
            growth.append(Growth(message.id, "", rows.text_of(value.get("reasoning")), provider))
        else:
            break
    return message and grown(message, growth)
