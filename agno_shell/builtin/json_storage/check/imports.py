"""Sessions that were on their way in from another storage when that was interrupted."""

from __future__ import annotations

import re

from agno_shell.builtin.json_storage import disk, folder
from agno_shell.builtin.json_storage.check import leftovers
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.builtin.json_storage.folder import ATTACHMENTS, MEMORY, MESSAGES, SESSION
from agno_shell.builtin.json_storage.trash import Trash
from agno_shell.types import now

_NAME = re.compile(r"\.import-(.{36})-[0-9a-f]{12}")


def session_of(name: str) -> str | None:
    """The id of the session that a folder of this name holds; None for other names."""
    match = _NAME.fullmatch(name)
    return match[1] if match and folder.is_session_id(match[1]) else None


def look(root: str, name: str) -> list[Issue]:
    """What is to be done with one that was left; nothing if it is gone."""
    path = f"{root}/{name}"
    if disk.status(path) is None:
        return []
    return [
        Issue(
            path,
            "It was left when the making or importing of a session was interrupted.",
            "A repair removes it if all of it stands in the session, and else moves it to the"
            " trash.",
            lambda: _put_away(root, name, session_of(name) or ""),
        )
    ]


def _put_away(root: str, name: str, session_id: str) -> str:
    path = f"{root}/{name}"
    if _is_all_in(f"{root}/{session_id}", path):
        disk.remove_tree(path)
        return "It was removed; it held nothing that is not saved."
    entry = folder.survey(path, session_id, None) or folder.unreadable(path, session_id)
    trashed = Trash(root).take_folder(path, entry.session, now())
    return f"It is in the trash as {trashed.trash_id}."


def _is_all_in(present: str, left: str) -> bool:
    """Whether a session holds all that stands in the folder ``left``."""
    for name in (SESSION, MESSAGES, MEMORY):
        if not leftovers.holds_all(_bytes(f"{present}/{name}"), _bytes(f"{left}/{name}")):
            return False
    return all(
        _bytes(f"{present}/{ATTACHMENTS}/{name}").startswith(_bytes(f"{left}/{ATTACHMENTS}/{name}"))
        for name in disk.names(f"{left}/{ATTACHMENTS}")
    )


def _bytes(path: str) -> bytes:
    try:
        return disk.read(path)
    except FileNotFoundError:
        return b""
