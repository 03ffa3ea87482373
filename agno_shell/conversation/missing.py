"""Where a session is that is not in its place."""

from __future__ import annotations

from agno_shell.contracts import Storage
from agno_shell.conversation.open_session import Missing
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.types import Session


def find_missing(storage: Storage, session_id: str) -> Missing | None:
    """Where a session is that could not be found; None: it is there after all."""
    try:
        storage.version(session_id)
    except SessionNotFoundError:
        trash = storage.trash()
        return "trash" if any(each.session.session_id == session_id for each in trash) else "gone"
    return None


def unsaved(missing: Missing, session: Session) -> StorageError:
    """Why a message of a session that is not in its place was not saved."""
    not_saved = "The message was not saved: this session"
    if missing == "gone":
        return StorageError(f"{not_saved} is gone, and the trash does not have it.")
    return StorageError(
        f"{not_saved} was deleted elsewhere and is in the trash.",
        hint=f"/undelete {session.session_id[:8]} brings it back.",
    )
