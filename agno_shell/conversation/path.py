"""The path from the root to the message the conversation stands on, as far as it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from agno_shell.conversation import branches
from agno_shell.conversation.outbox import with_ids
from agno_shell.types import Message

FIRST_LOAD = 200
"""Messages that are read when a session is opened; more only if the window takes more."""


class Path:
    """The newest messages of the path; earlier ones are read when they are needed.

    ``read(last)`` gives the end of the storage's path, ``tree()`` every message.
    """

    def __init__(
        self,
        read: Callable[[int], Awaitable[list[Message]]],
        tree: Callable[[], Awaitable[list[Message]]],
    ) -> None:
        self._read = read
        self._tree = tree
        self._messages: list[Message] = []
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
        self._messages = list(messages)
        self.is_whole = len(messages) < FIRST_LOAD

    def append(self, message: Message) -> None:
        self._messages.append(message)

    def rename(self, ids: Mapping[str, str]) -> None:
        """Messages, and what follows them, took new ids; by the old ones."""
        self._messages = [with_ids(message, ids) for message in self._messages]

    async def stand_at(self, message_id: str | None) -> None:
        """Make a message the last one; None: stand before the first. It is most often on
        the path; else every message is read."""
        if message_id == self.head:
            return
        if message_id is None:
            self._messages, self.is_whole = [], True
            return
        for index in range(len(self._messages) - 1, -1, -1):
            if self._messages[index].id == message_id:
                del self._messages[index + 1 :]
                return
        tree = await self._tree()
        self._messages = branches.path_to(tree, message_id)
        self.is_whole = True

    async def read_further(self) -> bool:
        """Read about as much again of what is before the first; False when there is no
        more, or the storage stands on another branch by now."""
        if self.is_whole:
            return False
        first = self._messages[0].id if self._messages else None
        wanted = max(2 * len(self._messages), FIRST_LOAD)
        loaded = await self._read(wanted)
        self.is_whole = len(loaded) < wanted
        places = [place for place, each in enumerate(loaded) if each.id == first]
        if not places:
            # Another shell, or this one while it asks again, stands elsewhere.
            tree = branches.path_to(await self._tree(), self.head)
            places = [place for place, each in enumerate(tree) if each.id == first]
            loaded, self.is_whole = tree, True
        if not places:
            return False
        self._messages[:0] = loaded[: places[0]]
        return bool(places[0]) or not self.is_whole
