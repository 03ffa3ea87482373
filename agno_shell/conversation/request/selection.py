"""Which turns of a path a request holds. The path is walked from its end, no further than
the window takes, so what this costs does not depend on how much was ever said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from agno_shell.conversation.path import Path
from agno_shell.conversation.request.counting import Counter
from agno_shell.conversation.request.rules import begins_turn, is_refused
from agno_shell.conversation.request.window import Cost, fit
from agno_shell.types import Message

LOOKS_FURTHER = 1.25
"""Turns are counted together that are estimated to need this much of the room, so that one
call is mostly enough."""


class SentTurn(NamedTuple):
    """A turn as it is sent."""

    first: str
    """The id of its first message on the path."""
    messages: Sequence[Message]
    length: int
    """How many messages of the path end with it that were not in a later turn: its own, and
    the summaries between them."""
    spoken: int
    """How many of them are no summaries."""
    empty: int = 0
    """How many of those are not sent, because they hold nothing."""
    refused: int = 0
    """How many of them are not sent, because they were refused."""
    refused_later: bool = False
    """Whether what has no answer in it was refused by one to a later turn."""


class Backwards:
    """The turns of a path, the newest first; what is further back is read as it is needed.

    The first summary that is met is the newest: the walk ends where that one reaches to.
    ``summary`` is the one that is known to stand further back, if there is one.
    """

    def __init__(self, path: Path, summary: Message | None) -> None:
        self._path = path
        self._taken = 0
        self._refused = False
        """Whether what stands before the turns that were taken, and has no answer, was refused."""
        self.summary = summary
        self._has_met_summary = False

    async def turn(self) -> SentTurn | None:
        """The turn before the last one, as it stands on the path; None: there is no more."""
        turn: list[Message] = []
        began = self._taken
        while (message := await self._before()) is not None:
            self._taken += 1
            if message.role == "summary":
                self._meet(message)
                continue
            turn.append(message)
            if begins_turn(message):
                break
        if not turn:
            return None
        turn.reverse()
        later, self._refused = self._refused, is_refused(turn, self._refused)
        length = self._taken - began
        return SentTurn(turn[0].id, turn, length, len(turn), refused_later=later)

    async def _before(self) -> Message | None:
        """The message before those that were taken, if it may be sent."""
        messages = self._path.messages
        while self._taken >= len(messages):
            if not await self._path.read_further():
                return None
            messages = self._path.messages
        message = messages[-1 - self._taken]
        covered = self.summary is not None and message.id == self.summary.covers
        return None if covered else message

    def _meet(self, summary: Message) -> None:
        if not self._has_met_summary:
            self._has_met_summary = True
            self.summary = summary if summary.covers else None


class Selection(NamedTuple):
    """The turns of the window."""

    turns: Sequence[SentTurn]
    """Oldest first."""
    summary: Message | None
    """What stands for the turns before, as it stands on the path."""
    is_all: bool
    """Whether nothing is before them, but for what the summary stands for."""
    is_counted: bool
    """Whether it was necessary to count."""


class Selector:
    """One choice of turns. ``budget`` is what all messages may have together; ``always`` are
    the messages that are sent in any case, but for the summary, which ``as_summary`` makes,
    and for the pinned turns; ``as_sent`` makes a turn as it is sent."""

    def __init__(
        self,
        back: Backwards,
        counter: Counter,
        budget: int,
        *,
        always: Sequence[Message],
        pinned: Sequence[Sequence[Message]],
        as_sent: Callable[[SentTurn], Awaitable[SentTurn]],
        as_summary: Callable[[Message], Message],
    ) -> None:
        self._back = back
        self._counter = counter
        self._budget = budget
        self._always = [*always, *chain.from_iterable(pinned)]
        self._pinned = {message.id for turn in pinned for message in turn}
        self._as_sent = as_sent
        self._as_summary = as_summary
        self._turns: list[SentTurn] = []
        """The newest first."""
        self._estimates: list[int] = []
        self._is_all = False

    async def select(self, anchor: str | None, *, at_least: int) -> Selection:
        """The newest turns that fit, ``at_least`` so many. Nothing is counted where
        everything fits for certain."""
        wanted = max(at_least, 1)
        while True:
            await self._gather(anchor, wanted)
            if anchor is None and self._is_all and self._surely_fits():
                return self._selected(len(self._turns), is_counted=False)
            await self._counter.count(self._messages(self._turns))
            taken = fit(self._costs(), self._room(), anchor, is_all=self._is_all)
            if taken is not None:
                taken = max(taken, min(at_least, len(self._turns)))
                return self._selected(taken, is_counted=True)
            wanted = len(self._turns) + 1

    def _selected(self, taken: int, *, is_counted: bool) -> Selection:
        turns = self._turns[:taken]
        turns.reverse()
        is_all = self._is_all and taken == len(self._turns)
        return Selection(turns, self._back.summary, is_all, is_counted)

    async def _gather(self, anchor: str | None, wanted: int) -> None:
        """Walk back until the room is full, or the turn before the window is reached."""
        used = sum(map(self._tokens, self._turns))
        room = self._room()
        while not self._is_all:
            is_enough = used > room * LOOKS_FURTHER or self._is_beyond(anchor)
            if is_enough and len(self._turns) >= wanted:
                return
            turn = await self._back.turn()
            if turn is None:
                self._is_all = True
                return
            self._turns.append(await self._as_sent(turn))
            used += self._tokens(self._turns[-1])

    def _is_beyond(self, anchor: str | None) -> bool:
        """Whether the last turn that was taken is the one before the window so far."""
        return anchor is not None and len(self._turns) > 1 and self._turns[-2].first == anchor

    # Tokens -----------------------------------------------------------------------------

    def _fixed(self) -> list[Message]:
        """What is sent in any case."""
        summary = self._back.summary
        return [*self._always, self._as_summary(summary)] if summary else self._always

    def _room(self) -> int:
        return self._budget - sum(map(self._counter.tokens, self._fixed()))

    def _tokens(self, turn: SentTurn) -> int:
        if any(message.id in self._pinned for message in turn.messages):
            return 0
        return sum(map(self._counter.tokens, turn.messages))

    def _costs(self) -> list[Cost]:
        return [Cost(turn.first, self._tokens(turn)) for turn in self._turns]

    def _messages(self, turns: Iterable[SentTurn]) -> list[Message]:
        return [*self._fixed(), *chain.from_iterable(turn.messages for turn in turns)]

    def _surely_fits(self) -> bool:
        left = self._budget
        for message in self._messages(self._turns):
            most = self._counter.at_most(message)
            if most is None or most > left:
                return False
            left -= most
        return True
