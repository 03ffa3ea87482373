"""Turning replies whose writer is gone into interrupted messages."""

from __future__ import annotations

from agno_shell.builtin.json_storage import disk, folder, message_reader, running_reply
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.message_reader import Head
from agno_shell.builtin.json_storage.session_writer import SessionWriter


def rescue(path: str, session_id: str, locks: Locks, writer: SessionWriter) -> None:
    """Rescue every leftover in the session's folder ``path``; a reply that another
    shell is still receiving is left alone."""
    for place in running_reply.leftovers(path):
        held = locks.try_reply(session_id, place)
        if held is None:
            continue
        try:
            with locks.session(session_id):
                _rescue_one(path, session_id, running_reply.path_of(path, place), writer)
        finally:
            held.release()


def _rescue_one(path: str, session_id: str, leftover: str, writer: SessionWriter) -> None:
    messages = f"{path}/{MESSAGES}"
    try:
        message = running_reply.read(leftover)
    except FileNotFoundError:
        return  # another shell was faster
    # A reply that was saved in the last moment is not saved twice.
    if message and message.content and not message_reader.has(messages, message.id):
        record = folder.read_record(path, session_id)
        head = None
        if record and record.session.head:
            head = Head(record.session.head, record.head_after)
        before = message_reader.conversation(messages, head, 1)
        writer.append(session_id, message._replace(status="interrupted"))
        if before and before[-1].id != message.parent:
            # The conversation has gone on elsewhere and stays there.
            writer.change(session_id, head=before[-1].id)
    disk.remove(leftover)
