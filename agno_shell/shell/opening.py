"""The session with which a shell starts."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.references import resolve
from agno_shell.errors import StorageError
from agno_shell.toolkit.session_names import session_name
from agno_shell.types import default_session_name, now


async def open_first(
    conversation: Conversation,
    session: str | None,
    new: str | None,
    tell: Callable[[StorageError], None],
) -> None:
    """Open the session that was asked for, else the current one, else the newest, else a
    new one. ``tell`` gets why one that was not asked for cannot be opened."""
    store = conversation.store
    if new is None and session is not None:
        found = await store(lambda storage: resolve(session, storage.sessions()))
        await conversation.open(found.session_id)
        return
    if new is None:
        current = await store(lambda storage: storage.current())
        if current is None and (newest := await store(lambda storage: storage.sessions())):
            current = newest[0].session_id
        if current is not None:
            # A session that cannot be read must not keep the person from all others.
            try:
                await conversation.open(current)
            except StorageError as error:
                tell(error)
            else:
                return
    await conversation.create(session_name(new or "") or default_session_name(now()))
