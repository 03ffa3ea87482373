"""The messages of the open session by their numbers and places, read as they are needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agno_shell.contracts import Storage
from agno_shell.conversation.journal import Outbox
from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.conversation.tree import branches, outline
from agno_shell.conversation.tree.outline import Run
from agno_shell.types import Message, Stretch


class MessageReader:
    """The path from the root to where the shell stands, and the tree around it. Nothing that
    is to be saved waits for what is read here."""

    def __init__(self, session: OpenSession, reader: StoreThread, outbox: Outbox) -> None:
        self._session = session
        self._read = reader
        self._outbox = outbox

    # The path ---------------------------------------------------------------------------

    async def path(self) -> list[Message]:
        """The whole path, oldest first, also what is not saved yet. A message's number, as a
        user names it, is its place here, counted from 1. Of a long session this is much:
        :meth:`part` reads what is needed."""
        return await self.part(0, await self.length())

    async def before(self) -> int:
        """How many messages of the path are before those that are loaded."""
        return outline.length(await self._runs_before())

    async def length(self) -> int:
        """How many messages are on the path."""
        return await self.before() + len(self._session.history)

    async def part(self, start: int, stop: int) -> list[Message]:
        """The messages of the path from the ``start``-th, from 0, to before the ``stop``-th."""
        history = self._session.history
        runs = await self._runs_before()
        before = outline.length(runs)
        session_id, wanted = self._session.id, outline.within(runs, start, stop)
        earlier: list[Message] = []
        if wanted:
            earlier = await self._read(lambda s: outline.read(s, session_id, wanted))
        return [*earlier, *history[max(0, start - before) : max(0, stop - before)]]

    async def numbers(self, ids: Collection[str]) -> dict[str, int]:
        """The numbers, from 1, of those of some messages that are on the path."""
        runs = await self._runs_before()
        before = outline.length(runs)
        history = self._session.history
        found = {each.id: before + n for n, each in enumerate(history, 1) if each.id in ids}
        missing = set(ids) - found.keys()
        if missing and runs:
            session_id = self._session.id
            found |= await self._read(lambda s: outline.numbers(s, session_id, runs, missing))
        return found

    async def _runs_before(self) -> list[Run]:
        history = self._session.history
        if self._session.path.is_whole or not history or history[0].parent is None:
            return []
        session_id, parent = self._session.id, history[0].parent
        return await self._read(lambda s: outline.path_to(s, session_id, parent) or [])

    # The tree ---------------------------------------------------------------------------

    async def outline(self) -> list[Stretch]:
        """The shape of all branches; what waits to be saved stands at its end."""
        session_id = self._session.id
        stretches = await self._read(lambda s: s.outline(session_id))
        waiting = self._waiting
        if not waiting:
            return stretches
        count = stretches[-1].stop if stretches else 0
        places = {each.id: count + number for number, each in enumerate(waiting)}
        parents = {each.parent for each in waiting if each.parent} - places.keys()
        places |= await self._read(lambda s: s.locate(session_id, parents))
        more = [
            Stretch(places[m.id], places[m.id] + 1, places.get(m.parent or "")) for m in waiting
        ]
        return [*stretches, *more]

    async def saved(self, start: int, stop: int) -> list[Message]:
        """Messages by their places in the outline."""
        session_id, waiting = self._session.id, self._waiting

        def work(storage: Storage) -> list[Message]:
            found = storage.part(session_id, start, stop)
            if waiting and len(found) < stop - start:
                stretches = storage.outline(session_id)
                count = stretches[-1].stop if stretches else 0
                found += waiting[max(0, start - count) : stop - count]
            return found

        return await self._read(work)

    async def place(self, message_id: str) -> int | None:
        """The place of a message in the outline."""
        session_id = self._session.id
        found = await self._read(lambda s: s.locate(session_id, (message_id,)))
        if message_id in found:
            return found[message_id]
        ids = [each.id for each in self._waiting]
        if message_id not in ids:
            return None
        stretches = await self._read(lambda s: s.outline(session_id))
        return (stretches[-1].stop if stretches else 0) + ids.index(message_id)

    async def tree(self) -> list[Message]:
        """Every message of every branch in the order of saving, those that wait to be saved
        last: in a long session as much as :meth:`path`."""
        session_id = self._session.id
        saved = await self._read(lambda storage: storage.tree(session_id))
        known = {message.id for message in saved}
        waiting = self._outbox.waiting(session_id)
        return [*saved, *(message for message in waiting if message.id not in known)]

    async def around(self, message_id: str) -> branches.Place | None:
        """Where a message stands among others; None when there is no such message."""
        if place := branches.on_path(self._session.history, message_id):
            return place
        session_id = self._session.id
        return await self._read(lambda storage: branches.around(storage, session_id, message_id))

    @property
    def _waiting(self) -> Sequence[Message]:
        return self._outbox.refused(self._session.id)
