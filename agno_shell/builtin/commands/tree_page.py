"""What of a long session's tree is looked at: where branches part and end, near the head.

What stands between is a gap: one message in the place of many, which says how many.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agno_shell.contracts import Messages
from agno_shell.types import Message, Stretch, now

BEFORE = "gap:before"
"""The id of the gap that stands for all that is before, other branches as well."""

EDGE = 40
"""Messages that are looked at on both sides of a place where branches part or end."""

_NEAR = 200
"""Messages that are read along rather than passed over."""


class Segment(NamedTuple):
    """Messages behind each other between which no branch parts. Places are in the order of
    saving."""

    start: int
    stop: int
    parent: int | None


class Page(NamedTuple):
    """Some of a tree."""

    messages: Sequence[Message]
    """In the order of saving, with the gaps among them."""
    gaps: Mapping[str, int]
    """By its id, how many messages a gap stands for."""
    segment_of: Mapping[str, int]
    """Where the segment of a message begins, by which more of it is asked for."""


async def load(
    reader: Messages,
    outline: Sequence[Stretch],
    head: int | None,
    limit: int,
    more: Mapping[int, int],
) -> Page:
    """Read about ``limit`` segments near the message at ``head``; of a segment that begins at a
    place, ``more`` at both ends."""
    every = segments(outline, head)
    chosen = near(every, head, limit)
    wanted: list[tuple[int, int]] = []
    for each in chosen:
        edge = EDGE + more.get(each.start, 0)
        if each.stop - each.start <= 2 * edge + EDGE:
            wanted.append((each.start, each.stop))
        else:
            wanted += [(each.start, each.start + edge), (each.stop - edge, each.stop)]
    messages = await _read(reader, wanted)
    made: list[Message] = []
    gaps: dict[str, int] = {}
    segment_of: dict[str, int] = {}
    for each in chosen:
        found = _with_gap(each, messages, gaps)
        if each.parent is not None and each is chosen[0]:
            gaps[BEFORE] = depth(every, each.parent)
            segment_of[BEFORE] = each.start
            made.append(Message(BEFORE, "user", "", now()))
            found[0] = found[0]._replace(parent=BEFORE)
        segment_of |= {message.id: each.start for message in found}
        made += found
    return Page(made, gaps, segment_of)


def segments(outline: Sequence[Stretch], head: int | None) -> list[Segment]:
    """The stretches, cut behind each message that several follow, and behind the head."""
    cuts = {each.parent + 1 for each in outline if each.parent is not None}
    if head is not None:
        cuts.add(head + 1)
    ordered = sorted(cuts)
    found: list[Segment] = []
    for stretch in outline:
        start, parent = stretch.start, stretch.parent
        for cut in ordered[bisect_right(ordered, start) :]:
            if cut >= stretch.stop:
                break
            found.append(Segment(start, cut, parent))
            start, parent = cut, cut - 1
        found.append(Segment(start, stretch.stop, parent))
    return found


def near(every: Sequence[Segment], head: int | None, limit: int) -> list[Segment]:
    """All segments; or if there are more than ``limit``, those below the highest one on the way
    to the head that has so few, and of more the newest ones."""
    if len(every) <= limit:
        return list(every)
    sizes = [1] * len(every)
    for index in range(len(every) - 1, -1, -1):
        parent = _above(every, index)
        if parent is not None:
            sizes[parent] += sizes[index]
    root = len(every) - 1 if head is None else _holding(every, head)
    while (above := _above(every, root)) is not None and sizes[above] <= limit:
        root = above
    below = {root}
    for index in range(root + 1, len(every)):
        if _above(every, index) in below:
            below.add(index)
    chosen = {root}
    for index in sorted(below, reverse=True)[:limit]:
        step: int | None = index
        while step is not None and step not in chosen:
            chosen.add(step)
            step = _above(every, step)
    return [every[index] for index in sorted(chosen)]


def depth(every: Sequence[Segment], place: int) -> int:
    """How many messages are on the path to a message."""
    count, index = 0, _holding(every, place)
    stop: int | None = place + 1
    while stop is not None:
        segment = every[index]
        count += stop - segment.start
        stop = None if segment.parent is None else segment.parent + 1
        if segment.parent is not None:
            index = _holding(every, segment.parent)
    return count


def _holding(every: Sequence[Segment], place: int) -> int:
    return bisect_right(every, place, key=lambda each: each.start) - 1


def _above(every: Sequence[Segment], index: int) -> int | None:
    parent = every[index].parent
    return None if parent is None else _holding(every, parent)


async def _read(reader: Messages, wanted: Sequence[tuple[int, int]]) -> dict[int, Message]:
    """Messages by their places; what is near to each other is read in one go."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(wanted):
        if joined and start - joined[-1][1] < _NEAR:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    found: dict[int, Message] = {}
    for start, stop in joined:
        found |= enumerate(await reader.saved(start, stop), start)
    return found


def _with_gap(
    segment: Segment, messages: Mapping[int, Message], gaps: dict[str, int]
) -> list[Message]:
    """The messages of a segment that were read, whole turns of them on both sides of a gap."""
    places = range(segment.start, segment.stop)
    end = next((place for place in places if place not in messages), None)
    if end is None:
        return [messages[place] for place in places]
    start = next(p for p in range(segment.stop - 1, end - 1, -1) if p not in messages) + 1
    asked = [p for p in range(segment.start + 1, end) if messages[p].role == "user"]
    end = asked[-1] if asked else end
    start = next((p for p in range(start, segment.stop) if messages[p].role == "user"), start)
    gap = f"gap:{segment.start}"
    gaps[gap] = start - end
    first = [messages[place] for place in range(segment.start, end)]
    last = [messages[place] for place in range(start, segment.stop)]
    last[0] = last[0]._replace(parent=gap)
    return [*first, Message(gap, "user", "", now(), first[-1].id), *last]
