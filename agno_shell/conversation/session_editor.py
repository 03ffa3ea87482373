"""Changes of the open session: in the storage, and in what this shell knows of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from agno_shell.contracts import Storage
from agno_shell.conversation.models import CurrentModel
from agno_shell.conversation.open_session import CHOSEN_HERE, OpenSession
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError, UsageError
from agno_shell.types import ROOT, Memory, Session


class SessionEditor:
    """``report`` gets a sentence about what could not be read and keeps nobody from going on."""

    def __init__(
        self,
        session: OpenSession,
        current: CurrentModel,
        store: StoreThread,
        report: Callable[[str], object],
    ) -> None:
        self._session = session
        self._current = current
        self._store = store
        self._report = report

    async def refresh(self) -> None:
        """Read the record, and what the session remembers, again."""
        session_id = self._session.id
        record = await self._store(lambda storage: storage.open(session_id))
        self._session.take(record, changed=CHOSEN_HERE)
        self._session.memories = await self.memories_of(session_id)

    async def memories_of(self, session_id: str) -> Sequence[Memory]:
        try:
            return await self._store(lambda storage: storage.memories(session_id))
        except StorageError as error:
            self._report(error.sentence())
            return ()

    async def update(self, **changes: Any) -> None:
        """Change fields: see :meth:`Storage.update`."""
        session_id = self._session.id
        record = await self._store(lambda storage: storage.update(session_id, **changes))
        self._session.take(record, changed=changes.keys())

    async def pin_anew(self, change: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Pin what ``change`` makes of what is pinned by now, perhaps by another shell."""
        session_id = self._session.id

        def pin(storage: Storage) -> Session:
            return storage.update(session_id, pinned=change(storage.open(session_id).pinned))

        self._session.take(await self._store(pin), changed=("pinned",))

    async def pin(self, message_id: str, *, pinned: bool = True) -> None:
        """Always send a message with what belongs to its turn, or no longer."""

        def change(before: Sequence[str]) -> Sequence[str]:
            others = [each for each in before if each != message_id]
            return [*others, message_id] if pinned else others

        await self.pin_anew(change)

    async def set_model(self, name: str) -> None:
        """Use a model from the next message on. Empty: as configured."""
        await self.update(model=name or None)

    async def set_agent(self, name: str | None) -> None:
        """Use an agent from the next message on. An agent with a model of its own takes the
        place of one that was chosen before."""
        agents = self._current.agents
        if name is not None and name not in agents:
            known = ", ".join(sorted(agents)) or "none"
            raise UsageError(
                f"There is no agent called {name!r}.",
                hint=f"Configured agents: {known}; add [agents.{name}] to the configuration.",
            )
        if name is not None and agents[name].model:
            await self.update(agent=name, model=None)
        else:
            await self.update(agent=name)

    # Where the conversation goes on -----------------------------------------------------

    async def return_to(self, message_id: str | None) -> None:
        """Stand on a message, in this shell and in the storage; None: before the first."""
        await self.update(head=message_id or ROOT)
        await self._session.path.follow(message_id)

    async def stand_again(self, message_id: str | None) -> None:
        """Stand where the conversation stood before nothing came of a turn; in this shell
        alone, if the storage cannot be changed: it takes it over with the next message."""
        with suppress(StorageError):
            await self.update(head=message_id or ROOT)
        await self._session.path.follow(message_id)
