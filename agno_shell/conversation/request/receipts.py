"""The receipt for a request: what it holds, and what of the path it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from agno_shell.conversation.request.earlier import PathMessage
from agno_shell.conversation.request.rules import SentMessage
from agno_shell.conversation.request.selection import SentTurn
from agno_shell.events import LeftOut, Why
from agno_shell.types import Message


class Places(NamedTuple):
    """Where things stand on the path, counted from the first message that is loaded: what
    is before that has negative places."""

    start: int
    """The first message of the window."""
    covered: int | None
    """The first message that the summary does not stand for; None: there is none, or it
    stands for nothing of this path."""
    summary: int | None
    """The summary itself."""
    before: int | None
    """How many messages are not loaded; None where that is not known."""


def left_out(
    places: Places, turns: Sequence[SentTurn], pinned: Sequence[tuple[PathMessage, SentTurn]]
) -> tuple[LeftOut, ...]:
    """What of the path is not sent. ``turns`` are those of the window; ``pinned`` those
    before it."""
    begins = -(places.before or 0)
    covered = places.covered if places.covered is not None else begins
    window, summed_up = places.start - covered, covered - begins
    empty = sum(turn.empty + turn.length - turn.spoken for turn in turns)
    refused = sum(turn.refused for turn in turns)
    for found, turn in pinned:
        empty += turn.empty
        refused += turn.refused
        if found.place < covered:
            summed_up -= turn.spoken
        else:
            window -= turn.spoken
    if places.summary is not None:
        # It is sent, though not in its place.
        if places.summary >= places.start:
            empty -= 1
        else:
            window -= 1
    more = places.before is None
    by_summary = places.covered is not None
    rows = (
        _left_out(summed_up, "summary", more and by_summary),
        _left_out(window, "window", more and not by_summary),
        LeftOut(empty, "empty"),
        LeftOut(refused, "refused"),
    )
    return tuple(row for row in rows if row.messages > 0)


def _left_out(count: int, why: Literal["window", "summary"], more: bool) -> LeftOut:
    return LeftOut(max(count, 1) if more else count, why, more)


Row = tuple[Message, Why, bool]
"""A part of a message, why it is sent, and whether it is joined to the part before it."""


def whole_rows(sent: Sequence[SentMessage], rows: Sequence[tuple[Message, Why]]) -> list[Row]:
    """Every part of what is sent, also what nobody wrote: that stands between others
    because of the one after it."""
    reasons = {message.id: why for message, why in rows}
    whole: list[Row] = []
    why: Why = "recent"
    for each in reversed(sent):
        for number in reversed(range(len(each.parts))):
            part = each.parts[number]
            why = reasons.get(part.id, why)
            whole.append((part, why, number > 0))
    whole.reverse()
    return whole
