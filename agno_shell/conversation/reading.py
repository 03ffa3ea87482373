"""Reading what was said in the open session: what the storage has, and what waits to be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tree import branches, outline
from agno_shell.types import Message

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation


class Reading:
    """Reads the open session of a conversation. Everything raises ``StorageError``."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def end(self, last: int) -> list[Message]:
        """The end of the storage's own path."""
        session_id = self._conversation.session.session_id
        return await self._conversation.store(lambda s: s.messages(session_id, last=last))

    async def end_at(self, message_id: str, last: int) -> list[Message]:
        """The end of the path to any message, saved or not."""
        session_id = self._conversation.session.session_id
        waiting = {each.id: each for each in self._conversation.outbox.waiting(session_id)}
        end = branches.path_to(waiting.values(), message_id, last)
        at, left = (end[0].parent if end else message_id), last - len(end)
        if at is None or not left:
            return end
        return [*await self.saved_end(session_id, at, left), *end]

    async def saved_end(self, session_id: str, message_id: str, last: int) -> list[Message]:
        """The end of the path to a saved message, of any session."""
        return await self._conversation.store(
            lambda s: outline.end_of(s, session_id, message_id, last)
        )

    async def tree(self, through: StoreThread) -> list[Message]:
        """Every message of every branch in the order of saving; those that wait to be saved
        are the last."""
        session_id = self._conversation.session.session_id
        saved = await through(lambda storage: storage.tree(session_id))
        known = {message.id for message in saved}
        waiting = self._conversation.outbox.waiting(session_id)
        return [*saved, *(message for message in waiting if message.id not in known)]
