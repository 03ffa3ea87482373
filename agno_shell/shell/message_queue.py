"""What was entered and is not sent yet: in the queue, in work, or back in the input."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from agno_shell.shell.entered import Entry
from agno_shell.types import new_id, now


class EntryStore(Protocol):
    """Keeps what was entered until it is done."""

    def add(self, entry: Entry) -> None: ...

    def done(self, entries: Sequence[Entry]) -> None: ...


class NoEntryStore:
    """Keeps nothing beyond this process."""

    def add(self, entry: Entry) -> None:
        pass

    def done(self, entries: Sequence[Entry]) -> None:
        pass


class MessageQueue:
    """A queue of which nothing is lost: ``keeper`` has each text until it is sent, or the
    user takes it back."""

    def __init__(self) -> None:
        self.keeper: EntryStore = NoEntryStore()
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue()
        self._leaving = 0
        """How many of those in the queue are no texts, but say that the user leaves."""
        self._in_work: Entry | None = None
        self._in_input: list[Entry] = []
        """Those whose text stands in the input again."""
        self._unsaved: list[Entry] = []
        """Those whose messages are in memory only, because they could not be saved."""
        self._put_back: deque[Entry] = deque()
        """Those of an earlier shell that are to stand in the input, one after the other."""

    @property
    def queued(self) -> int:
        """How many texts wait to be read."""
        return self._queue.qsize() - self._leaving

    @property
    def unsent(self) -> int:
        """How many texts are not sent."""
        in_work = self._in_work is not None
        return self.queued + in_work + len(self._in_input) + len(self._put_back)

    @property
    def in_memory(self) -> Sequence[Entry]:
        """Those whose messages could not be saved."""
        return self._unsaved

    def put(self, text: str) -> None:
        """Something was entered; what stood in the input is in it, or was given up."""
        entry = Entry(new_id(), text, now())
        if text.strip():
            self.keeper.add(entry)
        self.clear_input()
        self._queue.put_nowait(entry)

    def leave(self) -> None:
        """The user leaves once the rest is read."""
        self._leaving += 1
        self._queue.put_nowait(None)

    async def get(self) -> str | None:
        """The next text; None when the user leaves."""
        self._in_work = await self._queue.get()
        if self._in_work is None:
            self._leaving -= 1
            return None
        return self._in_work.text

    def sent(self) -> None:
        """What was read last is sent, or done with, and so is what could not be saved."""
        done = [*self._unsaved, *([self._in_work] if self._in_work else [])]
        self._in_work, self._unsaved = None, []
        self.keeper.done(done)

    def unsaved(self) -> None:
        """What was read last is a message in memory only."""
        if self._in_work:
            self._unsaved.append(self._in_work)
        self._in_work = None

    def returned(self) -> None:
        """What was read last is in the input again."""
        if self._in_work:
            self._in_input.append(self._in_work)
        self._in_work = None

    def take_back(self) -> list[str]:
        """Take what waits out of the queue; it is to stand in the input."""
        taken: list[Entry] = []
        while not self._queue.empty():
            entry = self._queue.get_nowait()
            if entry is None:
                self._queue.put_nowait(None)
                break
            taken.append(entry)
        self._in_input += taken
        return [entry.text for entry in taken]

    def put_back(self, entries: Sequence[Entry]) -> None:
        """These were not sent by an earlier shell."""
        self._put_back.extend(entries)

    def next_put_back(self) -> str | None:
        """The next of them, which is to stand in the input."""
        if not self._put_back:
            return None
        self._in_input.append(self._put_back.popleft())
        return self._in_input[-1].text

    def clear_input(self) -> None:
        """Nothing that waited stands in the input any more."""
        done, self._in_input = self._in_input, []
        self.keeper.done(done)
