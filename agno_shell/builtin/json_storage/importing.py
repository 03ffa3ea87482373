"""Taking over a session from another storage, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from agno_shell.builtin.json_storage import attachments, disk, folder, memory_file
from agno_shell.builtin.json_storage.folder import MEMORY, Entry
from agno_shell.builtin.json_storage.trash import Trash
from agno_shell.errors import StorageError
from agno_shell.types import Memory, Message, Session


def take_over(
    root: str,
    session: Session,
    messages: Sequence[Message],
    deleted_at: datetime | None,
    memories: Sequence[Memory],
    attachment: Callable[[str], bytes] | None,
) -> Entry | None:
    """Make the folder of a session, or of a deleted one; what the index is to say of it,
    None for a deleted one. The session's lock is held by the caller. Raises ``OSError``,
    ``UnwritableError`` and ``StorageError``."""
    path = f"{root}/{session.session_id}"
    bring = partial(_bring, memories=memories, attachment=attachment)
    if deleted_at is None:
        if disk.status(path) is not None:
            raise StorageError(f"There is a session {session.session_id} already.")
        return folder.make(path, session, messages, bring)
    aside = folder.place_aside(path)
    folder.fill(aside, session, messages, bring)
    try:
        Trash(root).take_folder(aside, session, deleted_at)
    except BaseException:
        disk.remove_tree_quietly(aside)
        raise
    return None


def _bring(
    path: str,
    messages: Sequence[Message],
    memories: Sequence[Memory],
    attachment: Callable[[str], bytes] | None,
) -> None:
    """Put what belongs to a session beside its messages into its new folder."""
    if memories:
        disk.create_whole(f"{path}/{MEMORY}", memory_file.whole(memories))
    if attachment is not None:
        attachments.take_over(path, messages, attachment)
