"""The branches of a session, in the order in which they are drawn. Pure functions.

A row is a turn. The branch on which the conversation stands, else the one that was said
last, goes on straight below; the others are moved to the right, above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from agno_shell.types import NOTHING, ROOT, Message

SIDE, BESIDE, DEEPER = "├─ ", "│  ", "⋯"

DEEPEST = 8
"""Branches of branches that are moved further to the right."""


class Row(NamedTuple):
    """A turn, or what there is of one between two places where branches part."""

    lead: str
    """The lines in front of it."""
    messages: tuple[Message, ...]
    """Oldest first; none where turns are left out."""
    number: int | None = None
    """That of the first message, as a user names it; None: it is not on the path."""
    is_head: bool = False
    is_mark: bool = False
    """Whether it stands where branches part or end."""
    key: str = ""
    """Of turns that are left out: by this they can be asked for."""
    left_out: int = 0
    """Turns."""
    gap: int = 0
    """Messages that are left out and were not even read; their turns are not counted."""


class Tree:
    """Who follows whom. A message whose parent is not there begins a conversation."""

    def __init__(self, messages: Sequence[Message], head: str, gaps: Mapping[str, int]) -> None:
        self.head = head
        self.gaps = gaps
        self._by_id = {message.id: message for message in messages}
        self._children: dict[str, list[Message]] = {}
        for message in messages:
            parent = message.parent if message.parent in self._by_id else ROOT
            self._children.setdefault(parent or ROOT, []).append(message)
        self.numbers = self._numbers()
        self._newest = self._newest_below(messages)

    def after(self, message_id: str) -> list[Message]:
        """What follows a message, or :data:`~agno_shell.types.ROOT`; the last one is that
        with which the drawing goes straight on."""
        children = self._children.get(message_id, [])
        return sorted(children, key=lambda each: (each.id in self.numbers, self._newest[each.id]))

    def _numbers(self) -> dict[str, int]:
        """The numbers of the messages on the path."""
        path: list[str] = []
        step = self._by_id.get(self.head)
        seen = set()
        while step is not None and step.id not in seen:  # of a damaged file: no circle
            seen.add(step.id)
            path.append(step.id)
            step = self._by_id.get(step.parent or ROOT)
        path.reverse()
        before = accumulate((self.gaps.get(each, 1) for each in path), initial=1)
        return dict(zip(path, before, strict=False))

    def _newest_below(self, messages: Sequence[Message]) -> dict[str, int]:
        """When the last message of the branch that begins with a message was saved."""
        newest = {message.id: place for place, message in enumerate(messages)}
        order, waiting = [], list(self._children.get(ROOT, []))
        while waiting:
            order.append(waiting.pop())
            waiting += self._children.get(order[-1].id, [])
        for message in reversed(order):
            if message.parent in newest:
                newest[message.parent] = max(newest[message.parent], newest[message.id])
        return newest


def rows(messages: Sequence[Message], head: str, gaps: Mapping[str, int] = NOTHING) -> list[Row]:
    """Every turn, from top to bottom. ``head`` is :data:`~agno_shell.types.ROOT` where the
    conversation stands before the first message. ``gaps`` are messages that stand for many,
    by their ids."""
    tree = Tree(messages, head, gaps)
    made: list[Row] = []
    waiting = _branches(tree, ROOT, "")
    while waiting:
        first, lead, below, begins = waiting.pop()
        turn = _turn(tree, first)
        last = turn[-1].id
        following = _branches(tree, last, below)
        waiting += following
        if first.id in gaps:
            made.append(Row(lead, (), key=first.id, gap=gaps[first.id]))
            continue
        made.append(
            Row(
                lead,
                turn,
                tree.numbers.get(first.id),
                is_head=last == head,
                is_mark=begins or len(following) != 1 or last == head,
            )
        )
    return made


def _branches(tree: Tree, message_id: str, lead: str) -> list[tuple[Message, str, str, bool]]:
    """What follows a message, the first to be drawn last: its first message, the lines in
    front of that and of what is below it, and whether branches part here."""
    following = tree.after(message_id)
    if not following:
        return []
    *others, straight = following
    parts = bool(others) or message_id == ROOT
    side, beside = lead + SIDE, lead + BESIDE
    if len(lead) >= DEEPEST * len(BESIDE):
        side, beside = f"{lead[: -len(BESIDE)]}{DEEPER}{SIDE[1:]}", lead
    aside = [(each, side, beside, parts) for each in reversed(others)]
    return [(straight, lead, lead, parts), *aside]


def _turn(tree: Tree, first: Message) -> tuple[Message, ...]:
    """What follows ``first`` without another question, a branch or the head between."""
    turn = [first]
    while turn[-1].id != tree.head and first.id not in tree.gaps:
        following = tree.after(turn[-1].id)
        if len(following) != 1 or following[0].role == "user" or following[0].id in tree.gaps:
            break
        turn.append(following[0])
    return tuple(turn)


def shortened(drawn: Sequence[Row], opened: Mapping[str, int]) -> list[Row]:
    """The rows without the turns in which nothing but talk happens; of those left out under
    a key, the first and the last ``opened[key]`` are there all the same."""
    made: list[Row] = []
    plain: list[Row] = []
    for row in (*drawn, None):
        if row is not None and not row.is_mark:
            plain.append(row)
            continue
        made += _folded(plain, opened)
        plain = []
        if row is not None:
            made.append(row)
    return made


def _folded(plain: Sequence[Row], opened: Mapping[str, int]) -> Sequence[Row]:
    """Rows that follow each other without a branch, or one that stands for most of them."""
    if not plain:
        return plain
    key = plain[0].messages[0].id if plain[0].messages else plain[0].key
    shown = opened.get(key, 0)
    first, last = shown, len(plain) - shown
    gaps = [place for place, row in enumerate(plain) if row.gap]
    if gaps:
        first, last = min(first, gaps[0]), max(last, gaps[-1] + 1)
    elif last - first < 2:
        return plain
    left = plain[first:last]
    gap = sum(row.gap or len(row.messages) for row in left) if gaps else 0
    fold = Row(plain[0].lead, (), key=key, left_out=len(left), gap=gap)
    return [*plain[:first], fold, *plain[last:]]
