"""Messages that were saved, and that the storage does not have any more: its file was
emptied, removed, or replaced by an older one while the shell was open.

Nothing is written back by itself. What was lost is found when the session is looked at, at
the latest after the next message, and :meth:`Recovery.recover` adds it to what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.contracts import Storage
from agno_shell.conversation.outbox import with_ids
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit.wording import count
from agno_shell.types import Session, new_id

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation

NEWEST = 3
"""Messages that are looked for at every change; all of them where one of these is lost."""


class Known(NamedTuple):
    """What the storage must have."""

    ids: Sequence[str]
    """Of the messages of the path that are saved, as far as it is read."""
    messages: int
    """How many the session had."""
    is_doubtful: bool
    """Whether it had fewer when a message was saved than it should have had."""


class Recovered(NamedTuple):
    """What was written back."""

    messages: int
    error: StorageError | None
    """Why not all of it was."""


class Recovery:
    """Knows what the open session has lost, and brings it back."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.lost: frozenset[str] = frozenset()
        """The ids of saved messages that are not in the storage, as far as that is known."""
        self.is_doubtful = False
        """Whether the session lost something without being looked at."""

    def forget(self) -> None:
        """Another session is open."""
        self.lost, self.is_doubtful = frozenset(), False

    def known(self) -> Known:
        """What is to be looked for."""
        conversation = self._conversation
        session = conversation.session
        waiting = {message.id for message in conversation.outbox.waiting(session.session_id)}
        ids = [message.id for message in conversation.history if message.id not in waiting]
        return Known(ids, session.message_count, self.is_doubtful)

    def saved(self, before: Session, after: Session) -> None:
        """One message more was saved."""
        if after.message_count < before.message_count + 1:
            self.is_doubtful = True

    def saw(self, lost: frozenset[str]) -> frozenset[str]:
        """What a look has not found; those of them that are news."""
        news = lost - self.lost
        self.lost, self.is_doubtful = lost, False
        return news

    async def recover(self) -> Recovered:
        """Write what the storage lacks of the path behind what is there, each message under
        its own id. A message that was saved when its forerunners were lost already stands
        there without them; it is added once more behind them. Raises
        :class:`~agno_shell.errors.UsageError` where nothing is lost."""
        conversation = self._conversation
        session_id = conversation.session.session_id
        if conversation.missing == "gone":
            return await self._make_anew()
        path, known = list(conversation.history), self.known()
        lost = await conversation.store(lambda storage: storage.lacks(session_id, known.ids))
        if not lost:
            self.lost = frozenset()
            raise UsageError("The store has everything that this shell shows of the session.")
        first = next(n for n, message in enumerate(path) if message.id in lost)
        behind = [message for message in path[first:] if message.id in known.ids]
        ids = {message.id: new_id() for message in behind if message.id not in lost}
        messages = [with_ids(message, ids) for message in behind]
        before = [messages[0].parent] if first == 0 and messages[0].parent else []
        if await conversation.store(lambda storage: storage.lacks(session_id, before)):
            # What is before it was never read here.
            messages[0] = messages[0]._replace(parent=None)
        conversation.ledger.rename(session_id, ids)
        conversation.path.rename(ids)
        error = await conversation.outbox.put_first(session_id, messages)
        left = {message.id for message in conversation.outbox.waiting(session_id)}
        self.lost, self.is_doubtful = frozenset(), False
        return Recovered(sum(message.id not in left for message in messages), error)

    async def _make_anew(self) -> Recovered:
        """The whole session is gone, and what this shell has of it becomes one again."""
        conversation = self._conversation
        session, memories = conversation.session, conversation.memories
        messages = list(conversation.history)
        if messages and messages[0].parent is not None:
            messages[0] = messages[0]._replace(parent=None)

        def make(storage: Storage) -> None:
            head = messages[-1].id if messages else None
            made = session._replace(message_count=len(messages), head=head, pinned=())
            storage.import_session(made, messages, memories=memories)

        await conversation.store(make)
        # Its unsaved messages are among them; the storage has each under its own id now.
        conversation.outbox.forget(session.session_id)
        conversation.path.set(messages)
        conversation.missing = None
        await conversation.refresh()
        self.forget()
        return Recovered(len(messages), None)


def lost_of(storage: Storage, session: Session, known: Known) -> frozenset[str]:
    """Which of the messages that it must have a session lacks. Costs next to nothing where
    it has its newest ones, and not fewer than before."""
    session_id = session.session_id
    fewer = known.is_doubtful or session.message_count < known.messages
    if not fewer and not storage.lacks(session_id, known.ids[-NEWEST:]):
        return frozenset()
    return frozenset(storage.lacks(session_id, known.ids))


def told(message_count: int) -> str:
    """What a person has to know of messages that are lost."""
    what, alone = count(message_count, "message"), message_count == 1
    is_, it = ("is", "It stays") if alone else ("are", "They stay")
    return (
        f"{what} of this session {is_} not in the store any more: the file was emptied or replaced "
        f"elsewhere. {it} in this shell, and /recover adds {'it' if alone else 'them'} to "
        "what is there now."
    )
