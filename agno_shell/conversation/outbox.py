"""Messages on their way to the storage: what could not be written waits here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from agno_shell.contracts import Storage
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.types import Message, Session, new_id

PATIENCE_SECONDS = 10.0
"""How long a message waits to be written before the user is told that it is not."""

BRIEF_SECONDS = 0.3
"""The same once the storage is known not to answer, or the user wants to go on."""


class Outbox:
    """Writes the messages of each session in the order in which they were said.

    ``saved`` is told of each one that is on disk, with the session's record; ``renamed``
    of those that took another id: a session's id, and the new id by the old one.
    """

    def __init__(
        self,
        store: StoreThread,
        saved: Callable[[Session, Message], None],
        renamed: Callable[[str, Mapping[str, str]], None] = lambda _session_id, _ids: None,
    ) -> None:
        self._store = store
        self._saved = saved
        self._renamed = renamed
        self._waiting: dict[str, list[Message]] = {}
        self._refused: set[str] = set()
        """The ids of those that could not be written; the others are on their way."""
        self._counts: dict[str, int] = {}
        """How many messages a session had when one was last written."""
        self._sending = asyncio.Lock()
        self._is_silent = False
        """Whether the storage was asked to write something, and has not answered yet."""
        self._patience: set[asyncio.Future[None]] = set()

    def waiting(self, session_id: str) -> Sequence[Message]:
        """What is not known to be on disk of one session, oldest first."""
        return tuple(self._waiting.get(session_id, ()))

    def refused(self, session_id: str | None = None) -> Sequence[Message]:
        """What could not be written of one session, or of every one."""
        ids = self._waiting if session_id is None else (session_id,)
        waiting = (message for each in ids for message in self.waiting(each))
        return [message for message in waiting if message.id in self._refused]

    def sessions(self) -> Sequence[str]:
        """The ids of the sessions of which something waits."""
        return [session_id for session_id, messages in self._waiting.items() if messages]

    async def put(self, session_id: str, message: Message) -> StorageError | None:
        """Write a message behind what waits already; the error when it is not saved."""
        self._waiting.setdefault(session_id, []).append(message)
        return await self.send(session_id)

    async def put_first(self, session_id: str, messages: Sequence[Message]) -> StorageError | None:
        """Write messages before what waits already; the error when not all is saved."""
        async with self._sending:
            self._waiting.setdefault(session_id, [])[:0] = messages
        return await self.send(session_id)

    def forget(self, session_id: str) -> None:
        """What waits of a session was saved in another way."""
        for message in self._waiting.pop(session_id, []):
            self._refused.discard(message.id)

    async def send(self, session_id: str) -> StorageError | None:
        """Write what waits of one session; the error when not all of it is saved. Of a
        storage that does not answer it is said that it does not, and it goes on."""
        # Whoever stops waiting does not stop the storage: a message that was written and
        # not taken off the list would be written twice.
        sending = asyncio.ensure_future(self._send(session_id))
        patience = asyncio.get_running_loop().create_future()
        ends = asyncio.get_running_loop().call_later(
            BRIEF_SECONDS if self._is_silent else PATIENCE_SECONDS, _end, patience
        )
        self._patience.add(patience)
        try:
            await asyncio.wait([sending, patience], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ends.cancel()
            self._patience.discard(patience)
        if sending.done():
            return sending.result()
        self._is_silent = True
        self._refused.update(message.id for message in self.waiting(session_id))
        return StorageError("The message was not saved: the storage does not answer.")

    def hurry(self) -> None:
        """Do not let whoever waits for the storage wait much longer."""
        for patience in self._patience:
            asyncio.get_running_loop().call_later(BRIEF_SECONDS, _end, patience)

    async def _send(self, session_id: str) -> StorageError | None:
        async with self._sending:
            waiting = self._waiting.get(session_id, [])
            try:
                if any(message.id in self._refused for message in waiting):
                    await self._make_distinct(session_id, waiting)
                while waiting:
                    first = waiting[0]
                    session = await self._store(partial(_append, session_id, first))
                    waiting.pop(0)
                    self._refused.discard(first.id)
                    self._counts[session_id] = session.message_count
                    self._saved(session, first)
            except StorageError as error:
                self._refused.update(message.id for message in waiting)
                return error
            finally:
                self._is_silent = False
        return None

    async def _make_distinct(self, session_id: str, waiting: list[Message]) -> None:
        """Give another id to what is in the session already and not the same: the beginning
        of a reply that was in work when the session was deleted, and restored since then."""
        seen = self._counts.get(session_id)

        def taken(storage: Storage) -> dict[str, Message]:
            if storage.open(session_id).message_count == seen:
                return {}
            return {message.id: message for message in storage.tree(session_id)}

        there = await self._store(taken)
        ids = {each.id: new_id() for each in waiting if there.get(each.id, each) != each}
        if not ids:
            return
        waiting[:] = [with_ids(message, ids) for message in waiting]
        self._refused = {ids.get(each, each) for each in self._refused}
        self._renamed(session_id, ids)


def _end(patience: asyncio.Future[None]) -> None:
    if not patience.done():
        patience.set_result(None)


def _append(session_id: str, message: Message, storage: Storage) -> Session:
    """The session as it is then. A storage may be anybody's plugin: one that does not say
    what it has saved may have saved nothing."""
    session = storage.append(session_id, message)
    if not isinstance(session, Session):
        raise TypeError(f"append() returned {type(session).__name__}, not Session")
    return session


def with_ids(message: Message, ids: Mapping[str, str]) -> Message:
    """The message where it, and what it names, have the new ``ids``, by the old ones."""
    parent, covers = message.parent, message.covers
    return message._replace(
        id=ids.get(message.id, message.id),
        parent=None if parent is None else ids.get(parent, parent),
        covers=None if covers is None else ids.get(covers, covers),
    )
