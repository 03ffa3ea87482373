"""A few words around what was looked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

Place = tuple[int, int, int]
"""The number of a term, and where it starts and ends in the text."""

_LONGEST_CUT = 24
"""How many characters an end of a snippet may move so that no word is cut."""

_MOST_PLACES = 200
"""Where a text holds a term more often, a good stretch of it is among the first."""


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; those that overlap are made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def snippet(
    text: str, find: Callable[[str], Iterator[Place]], terms: int, width: int
) -> tuple[tuple[str, bool], ...]:
    """About ``width`` characters of ``text``, as pieces: with and without a term. ``find``
    says where a text holds which of the ``terms`` terms."""
    some = sorted(_first(find(text), terms), key=lambda place: place[1:])
    begin, end = _stretch(text, some, width)
    # One more character on both sides shows where a word is cut, which is then another one.
    first = max(0, begin - 1)
    places = find(text[first : end + 1])
    pieces: list[tuple[str, bool]] = []
    position = begin
    for start, stop in joined((start, stop) for _number, start, stop in places):
        start, stop = max(first + start, begin), min(first + stop, end)
        if start < stop:
            pieces += [(text[position:start], False), (text[start:stop], True)]
            position = stop
    pieces.append((text[position:end], False))
    return _on_one_line(pieces, cut_before=begin > 0, cut_after=end < len(text))


def _stretch(text: str, places: list[Place], width: int) -> tuple[int, int]:
    """Where the most different terms stand close together; of such places where the rarest
    of them is, and of those the first."""
    if not places:
        return 0, _word_end(text, min(width, len(text)))
    often = Counter(number for number, _start, _end in places)
    best, best_first, best_last = (0, 0), 0, 0
    first = 0
    inside: dict[int, int] = {}
    for last, (number, _start, end) in enumerate(places):
        inside[number] = inside.get(number, 0) + 1
        while first < last and end - places[first][1] > width:
            inside[places[first][0]] -= 1
            if not inside[places[first][0]]:
                del inside[places[first][0]]
            first += 1
        good = len(inside), -min(often[each] for each in inside)
        if good > best:
            best, best_first, best_last = good, first, last
    start, end = places[best_first][1], places[best_last][2]
    # A little of what leads to it, and more of what follows.
    begin = _word_start(text, max(0, start - max(0, width - (end - start)) // 3), start)
    return begin, max(min(end, begin + width), _word_end(text, min(len(text), begin + width)))


def _first(places: Iterator[Place], terms: int) -> list[Place]:
    """Some places of each term."""
    found: list[Place] = []
    left = dict.fromkeys(range(terms), _MOST_PLACES)
    for place in places:
        if left[place[0]]:
            found.append(place)
            left[place[0]] -= 1
            if not any(left.values()):
                break
    return found


def _word_start(text: str, position: int, latest: int) -> int:
    """The start of the first whole word from ``position`` on, at most ``latest``."""
    if position == 0 or text[position - 1].isspace():
        return position
    for start in range(position, min(position + _LONGEST_CUT, latest)):
        if text[start].isspace():
            return start + 1
    return position


def _word_end(text: str, position: int) -> int:
    """The end of the last whole word before ``position``, if it is not far."""
    if position == len(text) or text[position].isspace():
        return position
    for end in range(position, max(position - _LONGEST_CUT, 0), -1):
        if text[end - 1].isspace():
            return end - 1
    return position


def _on_one_line(
    pieces: list[tuple[str, bool]], *, cut_before: bool, cut_after: bool
) -> tuple[tuple[str, bool], ...]:
    """The pieces with one blank for all white space, and dots where something is left out."""
    shown: list[tuple[str, bool]] = []
    blank = True  # none at the beginning
    for text, marked in pieces:
        words = re.sub(r"\s+", " ", text)
        if blank:
            words = words.removeprefix(" ")
        if words:
            shown.append((words, marked))
            blank = words.endswith(" ")
    if shown and blank:
        shown[-1] = (shown[-1][0].removesuffix(" "), shown[-1][1])
    if cut_before:
        shown.insert(0, ("… ", False))
    if cut_after:
        shown.append((" …", False))
    return tuple(piece for piece in shown if piece[0])
