"""How many of the newest turns are sent: a pure function.

What providers keep of a request is found again by its beginning. So the window does not
move with every turn: its first turn stays the same until the window is full, and is then
moved so far that a quarter of the room is free again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Cost(NamedTuple):
    """What a turn takes of the room."""

    first: str
    """The id of its first message."""
    tokens: int
    """0 for what has its room already: a pinned turn."""


def fit(newest_first: Sequence[Cost], room: int, anchor: str | None, *, is_all: bool) -> int | None:
    """How many of the newest turns are sent in ``room`` tokens.

    ``anchor`` is the first message of the window so far; None: there was none yet, or it
    began with the conversation. ``is_all``: there is nothing before the turns that are
    given. None: that cannot be told without turns from further back.
    """
    # Of those that are given: how many fit, how many into three quarters of the room, and
    # how many there are up to the anchor.
    fitting = trimmed = anchored = used = 0
    for number, (first, tokens) in enumerate(newest_first, start=1):
        used += tokens
        if used > room:
            break
        fitting = number
        if used <= _trimmed(room) or _leaves_half_empty(used - tokens, room):
            trimmed = number
        if first == anchor:
            anchored = number
    overflows = fitting < len(newest_first)
    if anchored:
        # Where a turn before the window fits as if it had just been moved, it was moved
        # for another reason: turns were taken back since, or a pin is gone.
        if trimmed < fitting or overflows or is_all:
            return max(anchored, trimmed)
        return None
    if overflows:
        return trimmed
    return fitting if is_all else None


def _trimmed(room: int) -> int:
    """The room that is used again after the window was moved."""
    return room * 3 // 4


def _leaves_half_empty(used: int, room: int) -> bool:
    """Whether a turn that is larger than a quarter of the room is better sent than not."""
    return used < room // 2
