"""Messages of the path that were named once and may stand far back: pins and summaries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import dropwhile, islice
from typing import NamedTuple

from agno_shell.conversation.open_session import OpenSession
from agno_shell.conversation.request.rules import begins_turn, is_refused, says
from agno_shell.conversation.tree.numbered import MessageReader
from agno_shell.errors import SessionNotFoundError
from agno_shell.types import Message

REACH = 32
"""Messages that are read on either side of one that stands far back, to find its turn and the
reply that says whether it was refused; four times as many each time that is not enough."""


class PathMessage(NamedTuple):
    """A message of the path."""

    place: int
    """From the first message that is loaded; negative for one that stands before it."""
    message: Message
    turn: tuple[Message, ...]
    """The turn that it belongs to; of a summary nothing."""
    refused_later: bool = False
    """Whether what has no answer in that turn was refused by one to a later turn."""


class Earlier:
    """Looks for messages by their ids, once for each: the storage is read, through the
    reader, for those that are not loaded, and nothing of it but their turns is kept.

    The path keeps its list as long as it goes on in the same way: where messages are
    added, at either end, or the last ones are taken back, what was found still holds.
    """

    def __init__(self, session: OpenSession, messages: MessageReader) -> None:
        self._session = session
        self._reader = messages
        self._list: Sequence[Message] = ()
        self._first = ""
        self._places: dict[str, int] = {}
        self._far: dict[str, PathMessage | None] = {}
        """What is not loaded; None: what is not on the path either."""

    async def find(self, ids: Collection[str]) -> list[PathMessage]:
        """Those of ``ids`` that are on the path, in its order."""
        messages = self._session.path.messages
        if not ids or not messages:
            return []
        self._follow(messages)
        unknown = {each for each in ids if self.place(each) is None and each not in self._far}
        if unknown:
            await self._look_for(unknown, messages)
        found = [self._found(each, messages) for each in dict.fromkeys(ids)]
        return sorted((each for each in found if each), key=lambda each: each.place)

    def place(self, message_id: str) -> int | None:
        """Where a message that was looked for is loaded."""
        messages = self._session.path.messages
        place = self._places.get(message_id)
        if place is None or place >= len(messages) or messages[place].id != message_id:
            return None
        return place

    def _follow(self, messages: Sequence[Message]) -> None:
        if messages is not self._list or messages[0].id != self._first:
            self._list, self._first = messages, messages[0].id
            self._places.clear()
            self._far.clear()

    async def _look_for(self, ids: set[str], messages: Sequence[Message]) -> None:
        places = {each.id: place for place, each in enumerate(messages) if each.id in ids}
        self._places |= places
        missing = ids - places.keys()
        self._far |= dict.fromkeys(missing)
        if missing and not self._session.path.is_whole:
            # Of a session that was deleted elsewhere, what is loaded is what there is.
            with suppress(SessionNotFoundError):
                self._far |= await self._not_loaded(missing)

    async def _not_loaded(self, ids: set[str]) -> dict[str, PathMessage]:
        """Those of ``ids`` that are among the messages before what is loaded."""
        reader = self._reader
        before, length = await reader.before(), await reader.length()
        found: dict[str, PathMessage] = {}
        for ident, number in (await reader.numbers(ids)).items():
            place, reach = number - 1, REACH
            while True:
                start, stop = max(0, place - reach), min(length, place + reach)
                part = await reader.part(start, stop)
                first, end = turn_bounds(part, place - start)
                is_whole = (first or not start) and (end < len(part) or stop == length)
                if is_whole and (stop == length or any(map(says, part[end:]))):
                    break
                reach *= 4
            found[ident] = _found_at(part, place - start)._replace(place=place - before)
        return found

    def _found(self, message_id: str, messages: Sequence[Message]) -> PathMessage | None:
        place = self.place(message_id)
        if place is None:
            return self._far.get(message_id)
        return _found_at(messages, place)


def turn_around(messages: Sequence[Message], place: int) -> list[Message]:
    """The whole turn of the message at ``place``; of a summary nothing."""
    if messages[place].role == "summary":
        return []
    start, end = turn_bounds(messages, place)
    return [message for message in messages[start:end] if message.role != "summary"]


def turn_bounds(messages: Sequence[Message], place: int) -> tuple[int, int]:
    """Where the turn of a message begins, and behind its end."""
    start, end = place, place + 1
    while start and not begins_turn(messages[start]):
        start -= 1
    while end < len(messages) and not begins_turn(messages[end]):
        end += 1
    return start, end


def _found_at(messages: Sequence[Message], place: int) -> PathMessage:
    turn = tuple(turn_around(messages, place))
    # Looked at no further than to the first reply that says it.
    behind = dropwhile(lambda each: not begins_turn(each), islice(messages, place + 1, None))
    return PathMessage(place, messages[place], turn, is_refused(behind))
