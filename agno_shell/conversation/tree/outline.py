"""Finding one's way in a session of any length, without reading it: pure over the storage.

A path is a few runs of places in the order of saving; only what is shown is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from agno_shell.contracts import Storage
from agno_shell.types import Message, Stretch

Run = tuple[int, int]
"""Places of messages that stand one behind the other on a path: the first, and behind the
last."""

READ_TOGETHER = 1_000
"""Messages that are held at one time where many are gone through."""


def runs_to(stretches: Sequence[Stretch], place: int) -> list[Run]:
    """The path from the root to the message at ``place``, oldest first."""
    runs: list[Run] = []
    at: int | None = place
    while at is not None:
        stretch = _holding(stretches, at)
        runs.append((stretch.start, at + 1))
        at = stretch.parent
    runs.reverse()
    return runs


def _holding(stretches: Sequence[Stretch], place: int) -> Stretch:
    from bisect import bisect_right

    return stretches[bisect_right(stretches, place, key=lambda each: each.start) - 1]


def length(runs: Sequence[Run]) -> int:
    """How many messages are on a path."""
    return sum(stop - start for start, stop in runs)


def within(runs: Sequence[Run], start: int, stop: int) -> list[Run]:
    """The part of a path from its ``start``-th message to before its ``stop``-th, from 0."""
    found: list[Run] = []
    before = 0
    for first, end in runs:
        low, high = max(start - before, 0), min(stop - before, end - first)
        if low < high:
            found.append((first + low, first + high))
        before += end - first
    return found


def number(runs: Sequence[Run], place: int) -> int | None:
    """The number on a path, from 1, of the message at ``place``; None: it is not on it."""
    before = 0
    for start, stop in runs:
        if start <= place < stop:
            return before + place - start + 1
        before += stop - start
    return None


def path_to(storage: Storage, session_id: str, message_id: str) -> list[Run] | None:
    """The path to a message; None when the session has no such message."""
    place = storage.locate(session_id, (message_id,)).get(message_id)
    return None if place is None else runs_to(storage.outline(session_id), place)


def read(storage: Storage, session_id: str, runs: Sequence[Run]) -> list[Message]:
    """The messages of a path, all at once."""
    return [each for run in runs for each in storage.part(session_id, *run)]


def each(storage: Storage, session_id: str, runs: Sequence[Run]) -> Iterator[list[Message]]:
    """The messages of a path, some at a time, oldest first."""
    for start, stop in runs:
        for at in range(start, stop, READ_TOGETHER):
            yield storage.part(session_id, at, min(at + READ_TOGETHER, stop))


def numbers(
    storage: Storage, session_id: str, runs: Sequence[Run], ids: Collection[str]
) -> dict[str, int]:
    """The numbers, from 1, of those of some messages that are on a path."""
    found = {}
    for ident, place in storage.locate(session_id, ids).items():
        if (at := number(runs, place)) is not None:
            found[ident] = at
    return found


def end_of(storage: Storage, session_id: str, message_id: str, last: int) -> list[Message]:
    """The last messages of the path to a message; none when there is no such message."""
    runs = path_to(storage, session_id, message_id)
    if runs is None:
        return []
    count = length(runs)
    return read(storage, session_id, within(runs, count - last, count))
