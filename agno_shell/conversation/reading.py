"""Reading the end of a path: what the storage has, and what waits to be saved."""

from __future__ import annotations

from agno_shell.conversation.journal import Outbox
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tree import branches, outline
from agno_shell.types import Message


class PathReader:
    """Reads for the path of the open session. Everything raises ``StorageError``."""

    def __init__(self, session: OpenSession, store: StoreThread, outbox: Outbox) -> None:
        self._session = session
        self._store = store
        self._outbox = outbox

    async def end(self, last: int) -> list[Message]:
        """The end of the storage's own path."""
        session_id = self._session.id
        return await self._store(lambda s: s.messages(session_id, last=last))

    async def end_at(self, message_id: str, last: int) -> list[Message]:
        """The end of the path to any message, saved or not."""
        session_id = self._session.id
        waiting = {each.id: each for each in self._outbox.waiting(session_id)}
        end = branches.path_to(waiting.values(), message_id, last)
        at, left = (end[0].parent if end else message_id), last - len(end)
        if at is None or not left:
            return end
        return [*await self.saved_end(session_id, at, left), *end]

    async def saved_end(self, session_id: str, message_id: str, last: int) -> list[Message]:
        """The end of the path to a saved message, of any session."""
        return await self._store(lambda s: outline.end_of(s, session_id, message_id, last))
