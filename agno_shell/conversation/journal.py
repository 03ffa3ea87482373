"""What is said in the open session: at its end at once, and on its way to the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.missing import find_missing, unsaved
from agno_shell.conversation.open_session import Missing, OpenSession
from agno_shell.conversation.outbox import Outbox
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.events import MessageSaved, NotSaved
from agno_shell.types import Message, Session


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
