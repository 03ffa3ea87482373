"""Turning replies whose writer is gone into interrupted messages."""

from __future__ import annotations

from contextlib import nullcontext

from agno_shell.builtin.json_storage import disk, folder, message_reader, running_reply
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.problems import Notices, reason
from agno_shell.builtin.json_storage.repair import copy_aside
from agno_shell.builtin.json_storage.session_writer import SessionWriter
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message


def unsaved(path: str) -> list[Message]:
    """What is kept of every reply in the session's folder ``path``, running or not."""
    # One that was saved in the last moment is a message already.
    messages = f"{path}/{MESSAGES}"
    kept = running_reply.kept(path)
    return [reply for reply in kept if not message_reader.has(messages, reply.id)]


def if_possible(
    path: str,
    session_id: str,
    locks: Locks,
    writer: SessionWriter,
    notices: Notices,
    locked: bool,
) -> None:
    """The same as :func:`rescue`; a disk that cannot be written still opens every session."""
    try:
        rescue(path, session_id, locks, writer, notices, locked=locked)
    except (OSError, StorageError, json_records.UnwritableError) as error:
        notices.once(
            f"An interrupted reply is kept in {path} for later: {reason(error).rstrip('.')}."
        )


def rescue(
    path: str,
    session_id: str,
    locks: Locks,
    writer: SessionWriter,
    notices: Notices,
    *,
    locked: bool = False,
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
                _rescue_one(path, session_id, running_reply.path_of(path, place), writer, notices)
        except OSError as error:
            failed = failed or error  # something may be planted there; the others count
        finally:
            held.release()
    if failed is not None:
        raise failed


def _rescue_one(
    path: str, session_id: str, leftover: str, writer: SessionWriter, notices: Notices
) -> None:
    messages = f"{path}/{MESSAGES}"
    try:
        data = disk.read(leftover)
    except FileNotFoundError:
        return  # another shell was faster
    message, is_damaged = running_reply.parse(data)
    # A reply that was saved in the last moment is not saved twice.
    says = message and (message.content or message.provider_data or message.provider_tools)
    if message and says and not message_reader.has(messages, message.id):
        head = folder.head_of(folder.read_record(path, session_id))
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
        notices(f"{leftover} was damaged; what could be read of it is saved. It is kept as {copy}.")
    disk.remove(leftover)
