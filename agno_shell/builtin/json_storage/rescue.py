"""Turning replies whose writer is gone into interrupted messages."""

from __future__ import annotations

from contextlib import nullcontext

from agno_shell.builtin.json_storage import disk, folder, message_reader, running_reply
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.message_reader import Head
from agno_shell.builtin.json_storage.message_writer import copy_aside
from agno_shell.builtin.json_storage.session_writer import SessionWriter
from agno_shell.types import ROOT


def rescue(
    path: str, session_id: str, locks: Locks, writer: SessionWriter, *, locked: bool = False
) -> None:
    """Rescue every leftover in the session's folder ``path``; a reply that another
    shell is still receiving is left alone. ``locked``: the session's lock is held.

    Raises ``OSError`` after all of them where one could not be rescued."""
    failed: OSError | None = None
    for place in running_reply.leftovers(path):
        held = locks.try_reply(session_id, place)
        if held is None:
            continue
        try:
            with nullcontext() if locked else locks.session(session_id):
                _rescue_one(path, session_id, running_reply.path_of(path, place), writer)
        except OSError as error:
            failed = failed or error  # something may be planted there; the others count
        finally:
            held.release()
    if failed is not None:
        raise failed


def _rescue_one(path: str, session_id: str, leftover: str, writer: SessionWriter) -> None:
    messages = f"{path}/{MESSAGES}"
    try:
        data = disk.read(leftover)
    except FileNotFoundError:
        return  # another shell was faster
    message, is_damaged = running_reply.parse(data)
    # A reply that was saved in the last moment is not saved twice.
    says = message and (message.content or message.provider_data or message.provider_tools)
    if message and says and not message_reader.has(messages, message.id):
        record = folder.read_record(path, session_id)
        head = None
        if record and record.session.head is not None:
            head = Head(record.session.head, record.head_after)
        if message.parent and not message_reader.has(messages, message.parent):
            # What it answers is lost: it follows what is left, as any message does.
            message = message._replace(parent=message_reader.newest_id(messages))
        before = message_reader.conversation(messages, head, 1)
        writer.append(session_id, message._replace(status="interrupted"))
        stood_on = before[-1].id if before else head and head.message
        if stood_on is not None and stood_on != (message.parent or ROOT):
            # The conversation has gone on elsewhere, or back, and stays there.
            writer.change(session_id, head=stood_on)
    if is_damaged:
        copy = copy_aside(leftover, data)
        writer.tell(
            f"{leftover} was damaged; what could be read of it is saved. It is kept as {copy}."
        )
    disk.remove(leftover)
