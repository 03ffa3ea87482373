"""A session made of the beginning of another one."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.contracts import Storage
from agno_shell.types import Message, Session, new_id, now


def make(storage: Storage, session: Session, path: Sequence[Message], name: str) -> Session:
    """Keep a copy of ``path`` as a session of its own, with the memories of ``session`` and
    what is attached to the messages; all of it, or nothing."""
    made, messages = copied(session, path, name)
    storage.import_session(
        made,
        messages,
        memories=[each._replace(id=new_id()) for each in storage.memories(session.session_id)],
        attachment=lambda sha256: storage.attachment(session.session_id, sha256),
    )
    return storage.open(made.session_id)


def copied(session: Session, path: Sequence[Message], name: str) -> tuple[Session, list[Message]]:
    """The record and the messages of the copy. Their ids are new, because a message belongs
    to one session; when they were said, and what they cost, stays."""
    ids = {message.id: new_id() for message in path}

    def renamed(message_id: str | None) -> str | None:
        return None if message_id is None else ids.get(message_id)

    messages = [
        message._replace(
            id=ids[message.id], parent=renamed(message.parent), covers=renamed(message.covers)
        )
        for message in path
    ]
    moment = now()
    made = session._replace(
        session_id=new_id(),
        name=name,
        created_at=moment,
        updated_at=moment,
        message_count=len(messages),
        head=None,
        pinned=tuple(ids[each] for each in session.pinned if each in ids),
    )
    return made, messages
