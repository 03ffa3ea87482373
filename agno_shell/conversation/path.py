"""The path from the root to the message the conversation stands on, as far as it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from agno_shell.contracts import Storage
from agno_shell.types import Message, Session

FIRST_LOAD = 200
"""Messages that are read when a session is opened; more only if the window takes more."""

LOADS = 3
"""How often a session is read again that changes while it is read."""


class Path:
    """The newest messages of the path; earlier ones are read when they are needed.

    ``read(last)`` gives the end of the storage's path, ``read_to(message_id, last)`` that of the
    path to any message.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[list[Message]]],
        read_to: Callable[[str, int], Awaitable[list[Message]]],
    ) -> None:
        self._read = read
        self._read_to = read_to
        self._messages: list[Message] = []
        self._reach = FIRST_LOAD
        """How many messages of the storage's path were looked at."""
        self._is_the_storages = True
        """Whether it is the path on which the storage stands, as far as is known."""
        self.is_whole = True
        """Whether nothing is before the first message."""

    @property
    def messages(self) -> Sequence[Message]:
        """Oldest first."""
        return self._messages

    @property
    def head(self) -> str | None:
        """The id of the message that the next one follows."""
        return self._messages[-1].id if self._messages else None

    def set(self, messages: Sequence[Message]) -> None:
        """Begin anew with the end of the storage's path, read with :data:`FIRST_LOAD`."""
        self._messages, self._reach = list(messages), FIRST_LOAD
        self._is_the_storages = True
        self.is_whole = len(messages) < FIRST_LOAD

    def append(self, message: Message) -> None:
        self._messages.append(message)

    def rename(self, ids: Mapping[str, str]) -> None:
        """Messages, and what follows them, took new ids; by the old ones."""
        self._messages = [with_ids(message, ids) for message in self._messages]

    async def checkout(self, message_id: str | None) -> None:
        """Make a message the last one; None: stand before the first. It is most often on
        what is loaded of the path; else no more is read than the end of the path to it."""
        if message_id == self.head:
            return
        if message_id is None:
            self._messages, self.is_whole = [], True
            return
        for index in range(len(self._messages) - 1, -1, -1):
            if self._messages[index].id == message_id:
                del self._messages[index + 1 :]
                return
        self._messages = await self._read_to(message_id, FIRST_LOAD)
        self.is_whole = len(self._messages) < FIRST_LOAD
        self._is_the_storages = False

    async def stand_before(
        self, parent: str | None, read_to: Callable[[str, int], Awaitable[list[Message]]]
    ) -> None:
        """Stand where a message of ``parent`` is to follow, which most often is on this path;
        ``read_to`` gives the end of the path to it in its session, which is not open yet."""
        if parent is None or any(each.id == parent for each in self._messages):
            await self.checkout(parent)
        else:
            self.set(await read_to(parent, FIRST_LOAD))

    async def follow(self, message_id: str | None) -> None:
        """Stand where the storage stands by now: no more than the end of its path is read."""
        if message_id is not None and all(each.id != message_id for each in self._messages):
            loaded = await self._read(FIRST_LOAD)
            if loaded and loaded[-1].id == message_id:
                self.set(loaded)
                return
        await self.checkout(message_id)

    async def read_further(self) -> bool:
        """Read about as much again of what is before the first; False when there is no
        more."""
        before = len(self._messages)
        while self._is_the_storages and not self.is_whole and len(self._messages) == before:
            self._reach *= 2
            loaded = await self._read(self._reach)
            place = self._place_of_first(loaded)
            # Another shell, or this one while it asks again, may stand elsewhere.
            self._is_the_storages = place is not None
            if place is not None:
                self.is_whole = len(loaded) < self._reach
                self._messages[:0] = loaded[:place]
        if not self._is_the_storages and not self.is_whole:
            await self._read_before()
        return len(self._messages) > before

    async def _read_before(self) -> None:
        parent = self._messages[0].parent if self._messages else None
        wanted = max(len(self._messages), FIRST_LOAD)
        loaded = await self._read_to(parent, wanted) if parent is not None else []
        self._messages[:0] = loaded
        self.is_whole = len(loaded) < wanted

    def _place_of_first(self, loaded: Sequence[Message]) -> int | None:
        """Where the first message of the path stands in ``loaded``."""
        first = self._messages[0].id if self._messages else None
        return next((place for place, each in enumerate(loaded) if each.id == first), None)


def read_end(storage: Storage, session_id: str) -> tuple[Session, list[Message]]:
    """A session and the end of its conversation, both of the same moment: another shell
    may be writing."""
    for _time in range(LOADS):
        version = storage.version(session_id)
        session = storage.open(session_id)
        history = storage.messages(session_id, last=FIRST_LOAD)
        if storage.version(session_id) == version:
            break
    return session, history


def with_ids(message: Message, ids: Mapping[str, str]) -> Message:
    """The message where it, and what it names, have the new ``ids``, by the old ones."""
    parent, covers = message.parent, message.covers
    return message._replace(
        id=ids.get(message.id, message.id),
        parent=None if parent is None else ids.get(parent, parent),
        covers=None if covers is None else ids.get(covers, covers),
    )
