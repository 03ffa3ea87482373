"""Noticing what happens to the open session elsewhere: in another shell, or by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from agno_shell.contracts import Storage
from agno_shell.conversation.journal import Journal
from agno_shell.conversation.open_session import Missing, OpenSession
from agno_shell.conversation.recovery import ExpectedMessages, Recovery, lost_of
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.types import Memory, Session

NEVER = object()
"""The version of a session that was not looked at yet."""


class SessionDeleted(NamedTuple):
    """The open session was deleted elsewhere."""

    missing: Missing


class SessionBack(NamedTuple):
    """A session that was missing is there again."""

    error: StorageError | None
    """Why what was said meanwhile is still not saved; None: it is."""
    unsaved: int = 0
    """How many messages that are."""


class MessagesLost(NamedTuple):
    """The session lacks messages that were saved."""

    messages: int


class Sight(NamedTuple):
    """What a look at a session shows that has changed."""

    version: object
    session: Session
    memories: Sequence[Memory] | None
    """None: they could not be read."""
    head: str | None
    """The message on which the storage's conversation stands."""
    lost: frozenset[str]
    """What it should have, and has not."""


class Watch:
    """Looks at the open session; costs next to nothing while nothing changes."""

    def __init__(
        self, session: OpenSession, store: StoreThread, journal: Journal, recovery: Recovery
    ) -> None:
        self._session = session
        self._store = store
        self._journal = journal
        self._recovery = recovery
        self._session_id = ""
        self._version: object = NEVER
        self._lost = 0
        """Messages that were lost, and nobody was told of."""
        self.ahead = False
        """Whether the conversation has gone on elsewhere: opened anew, the session would
        stand on a message that this shell does not show."""

    async def look(self) -> SessionDeleted | SessionBack | MessagesLost | None:
        """Bring the conversation's record of its session up to date. Messages that were
        added elsewhere are counted in :attr:`OpenSession.elsewhere`; what else a user has
        to know is returned, once."""
        session = self._session
        session_id = self._watched()
        # Deleted and restored, it looks as it did before.
        known = NEVER if session.missing else self._version
        try:
            sight = await self._sight(session_id, known)
        except SessionNotFoundError:
            sight = None
            if not session.missing and session.holds(session_id):
                with suppress(StorageError):
                    missing = await self._journal.find_missing()
                    return SessionDeleted(missing) if missing else None
        except StorageError:
            # Nobody asked for this look; what is wrong is said where it matters.
            return None
        if sight is None or not session.holds(session_id):
            return self._lost_since()
        return await self._take(sight) or self._lost_since()

    async def _sight(self, session_id: str, known: object) -> Sight | None:
        # Nothing is missed of what is in no store at all.
        expected = ExpectedMessages((), 0, False) if self._session.missing else None
        expected = expected or self._recovery.known()
        if expected.is_doubtful:
            known = NEVER
        return await self._store(lambda storage: _look(storage, session_id, known, expected))

    def _lost_since(self) -> MessagesLost | None:
        """What was lost since this was asked before."""
        lost, self._lost = self._lost, 0
        return MessagesLost(lost) if lost else None

    def _watched(self) -> str:
        """The id of the open session; of another one than before nothing is known."""
        session_id = self._session.id
        if session_id != self._session_id:
            self._session_id, self._version, self._lost = session_id, NEVER, 0
        return session_id

    async def glance(self) -> None:
        """Count what was added elsewhere, and nothing more: while a turn or a command is in
        work, what has become of the session is for it to find."""
        session = self._session
        session_id = self._watched()
        if session.missing:
            return
        known = self._version
        with suppress(StorageError):
            sight = await self._sight(session_id, known)
            if sight and session.holds(session_id) and not session.missing:
                await self._take(sight)

    async def _take(self, sight: Sight) -> SessionBack | None:
        session = self._session
        # A write that failed may have left its message in the file: that is no other's.
        unsaved = {message.id for message in self._journal.unsaved_here}
        if sight.head in unsaved and not session.missing:
            return None
        self._version = sight.version
        self._lost += len(self._recovery.saw(sight.lost))
        shown = (message.id for message in reversed(session.history))
        self.ahead = sight.head is not None and sight.head not in shown
        session.take(sight.session)
        if sight.memories is not None:
            session.memories = sight.memories
        if not session.missing:
            return None
        session.missing = None
        error = await self._journal.save_here()
        return SessionBack(error, len(self._journal.unsaved_here))


def _look(
    storage: Storage, session_id: str, known: object, expected: ExpectedMessages
) -> Sight | None:
    """None when the session still has the version that is known."""
    version = storage.version(session_id)
    if version == known:
        return None
    session = storage.open(session_id)
    newest = storage.messages(session_id, last=1)
    memories: Sequence[Memory] | None = None
    with suppress(StorageError):
        memories = storage.memories(session_id)
    head = newest[-1].id if newest else None
    return Sight(version, session, memories, head, lost_of(storage, session, expected))
