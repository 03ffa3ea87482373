"""What is said in the open session: at its end at once, and on its way to the storage. What
could not be written waits here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from agno_shell.contracts import Storage
from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.open_session import Missing, OpenSession
from agno_shell.conversation.path import with_ids
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.events import MessageSaved, NotSaved
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


class Journal:
    """Adds messages, and knows which of them are not saved yet.

    ``saved`` is called with the session's record and the message whenever one is on disk.
    """

    def __init__(
        self,
        session: OpenSession,
        store: StoreThread,
        ledger: Ledger,
        saved: Callable[[Session, Message], object],
    ) -> None:
        self._session = session
        self._store = store
        self._ledger = ledger
        self._on_saved = saved
        self.outbox = Outbox(store, self._saved, self._renamed)
        self.is_doubtful = False
        """Whether the session had fewer messages, when one was saved, than it should have had."""

    @property
    def unsaved(self) -> Sequence[Message]:
        """Messages of any session that could not be written yet; they are tried again with
        the next."""
        return self.outbox.refused()

    @property
    def unsaved_here(self) -> Sequence[Message]:
        """Those of the open session."""
        return self.outbox.refused(self._session.id)

    @property
    def unsaved_elsewhere(self) -> Sequence[str]:
        """The ids of the other sessions that have some."""
        refused = (each for each in self.outbox.sessions() if self.outbox.refused(each))
        return [each for each in refused if each != self._session.id]

    async def add(self, message: Message) -> MessageSaved | NotSaved:
        """Put a message at the end: in memory always, on disk if it can be written."""
        session = self._session
        session.path.append(message)
        self._ledger.add(session.id, message)
        error = await self.outbox.put(session.id, message)
        if isinstance(error, SessionNotFoundError):
            # If the trash cannot be read, the first error says enough.
            with suppress(StorageError):
                missing = await self.find_missing()
                error = unsaved(missing, session.record) if missing else await self.save_here()
        return saved_or_not(message, error)

    async def find_missing(self) -> Missing | None:
        """Where the open session is after it was not found."""
        session_id = self._session.id
        missing = await self._store(lambda storage: find_missing(storage, session_id))
        self._session.missing = missing
        return missing

    async def save_here(self) -> StorageError | None:
        """Try once more to write what is not on disk yet of the open session."""
        return await self.outbox.send(self._session.id)

    async def save_again(self) -> None:
        """Try once more to write what is not on disk yet, of every session."""
        for session_id in self.outbox.sessions():
            await self.outbox.send(session_id)

    def _saved(self, record: Session, message: Message) -> None:
        session = self._session
        if session.holds(record.session_id):
            if record.message_count < session.record.message_count + 1:
                self.is_doubtful = True
            session.take(record, own=1)
        self._on_saved(record, message)

    def _renamed(self, session_id: str, ids: Mapping[str, str]) -> None:
        self._ledger.rename(session_id, ids)
        if self._session.holds(session_id):
            self._session.path.rename(ids)
            # The beginnings of these messages were said here, and by nobody else.
            self._session.elsewhere -= len(ids)


def saved_or_not(message: Message, error: StorageError | None) -> MessageSaved | NotSaved:
    """The event for a message that is on disk, or not."""
    if error is None:
        return MessageSaved(message)
    reason = error.sentence().removeprefix("Nothing was saved: ")
    if "not saved" not in reason:
        reason = f"The message was not saved: {reason}"
    return NotSaved(message, reason)


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
