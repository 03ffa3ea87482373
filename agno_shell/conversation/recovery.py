"""Messages that were saved, and that the storage does not have any more: its file was
emptied, removed, or replaced by an older one while the shell was open.

Nothing is written back by itself. What was lost is found when the session is looked at, at
the latest after the next message, and :meth:`Recovery.recover` adds it to what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agno_shell.contracts import Storage
from agno_shell.conversation.accounts.figures import Ledger
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.path import with_ids
from agno_shell.conversation.session_editor import SessionEditor
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit.wording import count
from agno_shell.types import Session, new_id

NEWEST = 3
"""Messages that are looked for at every change; all of them where one of these is lost."""


class ExpectedMessages(NamedTuple):
    """What the storage must have."""

    ids: Sequence[str]
    """Of the messages of the path that are saved, as far as it is read."""
    messages: int
    """How many the session had."""
    is_doubtful: bool
    """Whether it had fewer when a message was saved than it should have had."""


class RecoveryResult(NamedTuple):
    """What was written back."""

    messages: int
    error: StorageError | None
    """Why not all of it was."""


class Recovery:
    """Knows what the open session has lost, and brings it back."""

    def __init__(
        self,
        session: OpenSession,
        store: StoreThread,
        journal: Journal,
        ledger: Ledger,
        editor: SessionEditor,
    ) -> None:
        self._session = session
        self._store = store
        self._journal = journal
        self._ledger = ledger
        self._editor = editor
        self.lost: frozenset[str] = frozenset()
        """The ids of saved messages that are not in the storage, as far as that is known."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the session lost something without being looked at."""
        return self._journal.is_doubtful

    def forget(self) -> None:
        """Another session is open."""
        self._found(frozenset())

    def known(self) -> ExpectedMessages:
        """What is to be looked for."""
        session = self._session
        waiting = {message.id for message in self._journal.outbox.waiting(session.id)}
        ids = [message.id for message in session.history if message.id not in waiting]
        return ExpectedMessages(ids, session.record.message_count, self.is_doubtful)

    def saw(self, lost: frozenset[str]) -> frozenset[str]:
        """What a look has not found; those of them that are news."""
        news = lost - self.lost
        self._found(lost)
        return news

    def _found(self, lost: frozenset[str]) -> None:
        self.lost, self._journal.is_doubtful = lost, False

    async def recover(self) -> RecoveryResult:
        """Write what the storage lacks of the path behind what is there, each message under
        its own id. A message that was saved when its forerunners were lost already stands
        there without them; it is added once more behind them. Raises
        :class:`~agno_shell.errors.UsageError` where nothing is lost."""
        session, store, outbox = self._session, self._store, self._journal.outbox
        session_id = session.id
        if session.missing == "gone":
            return await self._make_anew()
        path, known = list(session.history), self.known()
        lost = await store(lambda storage: storage.lacks(session_id, known.ids))
        if not lost:
            self.lost = frozenset()
            raise UsageError("The store has everything that this shell shows of the session.")
        first = next(n for n, message in enumerate(path) if message.id in lost)
        behind = [message for message in path[first:] if message.id in known.ids]
        ids = {message.id: new_id() for message in behind if message.id not in lost}
        messages = [with_ids(message, ids) for message in behind]
        before = [messages[0].parent] if first == 0 and messages[0].parent else []
        if await store(lambda storage: storage.lacks(session_id, before)):
            # What is before it was never read here.
            messages[0] = messages[0]._replace(parent=None)
        self._ledger.rename(session_id, ids)
        session.path.rename(ids)
        error = await outbox.put_first(session_id, messages)
        left = {message.id for message in outbox.waiting(session_id)}
        self.forget()
        return RecoveryResult(sum(message.id not in left for message in messages), error)

    async def _make_anew(self) -> RecoveryResult:
        """The whole session is gone, and what this shell has of it becomes one again."""
        session, record = self._session, self._session.record
        memories = session.memories
        messages = list(session.history)
        if messages and messages[0].parent is not None:
            messages[0] = messages[0]._replace(parent=None)

        def make(storage: Storage) -> None:
            head = messages[-1].id if messages else None
            made = record._replace(message_count=len(messages), head=head, pinned=())
            storage.import_session(made, messages, memories=memories)

        await self._store(make)
        # Its unsaved messages are among them; the storage has each under its own id now.
        self._journal.outbox.forget(session.id)
        session.path.set(messages)
        session.missing = None
        await self._editor.refresh()
        self.forget()
        return RecoveryResult(len(messages), None)


def lost_of(storage: Storage, session: Session, known: ExpectedMessages) -> frozenset[str]:
    """Which of the messages that it must have a session lacks. Costs next to nothing where
    it has its newest ones, and not fewer than before."""
    session_id = session.session_id
    fewer = known.is_doubtful or session.message_count < known.messages
    if not fewer and not storage.lacks(session_id, known.ids[-NEWEST:]):
        return frozenset()
    return frozenset(storage.lacks(session_id, known.ids))


def told(message_count: int) -> str:
    """What a user has to know of messages that are lost."""
    what, alone = count(message_count, "message"), message_count == 1
    is_, it = ("is", "It stays") if alone else ("are", "They stay")
    return (
        f"{what} of this session {is_} not in the store any more: the file was emptied or replaced "
        f"elsewhere. {it} in this shell, and /recover adds {'it' if alone else 'them'} to "
        "what is there now."
    )
