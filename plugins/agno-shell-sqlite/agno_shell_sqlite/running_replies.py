"""The table ``running_replies``: what has come of replies that are not messages yet.

A reply is kept in pieces: the message as it was first, then each text that was added to
it with its time, so that keeping a long one costs what was added. A reply whose writer is gone is a
leftover, and becomes an interrupted message.
"""

from __future__ import annotations

import sqlite3

from agno_shell import Message, json_records
from agno_shell.types import ROOT
from agno_shell_sqlite import messages, rows, sessions
from agno_shell_sqlite.sessions import Kept
from agno_shell_sqlite.writers import Writers


def save(
    db: sqlite3.Connection, session: int, writer: str, before: Message | None, message: Message
) -> None:
    """Keep ``message``; ``before`` is what this writer has kept last, in this session."""
    ident = rows.stored(message.id)
    piece = _added(before, message)
    if piece is None or not _is_kept(db, session, writer, ident):
        db.execute(
            "DELETE FROM running_replies WHERE session = ? AND writer = ?", (session, writer)
        )
        piece = json_records.dumps(json_records.message_fields(message))
    elif not piece:
        return
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


def as_messages(said: list[Message], replies: list[Message]) -> list[Message]:
    """What was said, and ``replies`` that no shell can finish any more, as interrupted
    messages behind it."""
    known = {message.id for message in said}
    for reply in replies:
        if reply.content or reply.provider_data:
            last = said[-1].id if said else None
            parent = reply.parent if reply.parent is None or reply.parent in known else last
            said.append(reply._replace(status="interrupted", parent=parent))
    return said


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
        says = message and (message.content or message.provider_data)
        if message and says and messages.find(db, found.number, message.id) is None:
            _rescue_one(db, found, message._replace(status="interrupted"))
            found = sessions.find(db, session_id)
        db.execute(
            "DELETE FROM running_replies WHERE session = ? AND writer = ?", (found.number, name)
        )


def _rescue_one(db: sqlite3.Connection, found: Kept, message: Message) -> None:
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
    text = message.content[len(before.content) :]
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
    texts: list[str] = []
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
            texts.append(rows.text_of(value[1]))
        else:
            break
    return message and message._replace(content=message.content + "".join(texts))
