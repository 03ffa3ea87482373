"""Fragments of text into rows of a terminal, as the text comes.

A fragment is a pair of a style and a text; a newline in a text ends the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import copy
from itertools import groupby
from operator import itemgetter

from agno_shell.contracts import Line

Fragment = tuple[str, str]
Fragments = Sequence[Fragment]

# Between ideographs, kana and hangul a row may end anywhere, but not in front of closing
# punctuation (Unicode Standard Annex #14, classes ID and CL).
_WIDE = (
    "\u1100-\u115f\u2e80-\u3000\u3003-\u3007\u3012-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff04-\uff07"
    "\uff0a\uff0b\uff0d\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3b\uff3e-\uff5b"
    "\U00020000-\U0003fffd"
)
_TOKEN = re.compile(f"(\n)|( +)|([{_WIDE}])|([^\n {_WIDE}]+)")


def columns(text: str) -> int:
    """How many columns ``text`` takes, never too few."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth

    # Behind a narrow character U+FE0F asks for the wide picture of it.
    return sum(max(wcwidth(char), 0) + (char == "\ufe0f") for char in text)


class Wrapper:
    """Fills rows word by word; ``width`` 0 means one row for each line.

    ``first`` stands before the first row and ``rest`` before all others.
    """

    def __init__(self, width: int, first: Fragments = (), rest: Fragments = ()) -> None:
        self._width = width
        self._rest = rest
        self._row: list[Fragment] = list(first)
        self._at = sum(columns(text) for _style, text in first)
        self._started = False
        self._gap: Fragment = ("", "")
        self._word: list[Fragment] = []
        self._word_width = 0
        self._breaking = False
        self._rows: list[Line] = []

    def copy(self) -> Wrapper:
        """An independent copy, to see how the row in work would end.

        Of a row that no width limits it holds only the end.
        """
        other = copy(self)
        if self._width:
            other._row, other._word = self._row[:], self._word[:]
        else:
            other._row, other._word = _end_of(self._row), _end_of(self._word)
        other._rows = self._rows[:]
        return other

    def add(self, fragments: Iterable[Fragment]) -> list[Line]:
        """Take text; return the rows that are full."""
        for style, text in fragments:
            for match in _TOKEN.finditer(text.expandtabs(4)):
                self._take(style, match)
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> list[Line]:
        """The last row; empty if there was no text and no prefix."""
        self._place_word()
        if self._started or self._row:
            self._end_row()
        rows, self._rows = self._rows, []
        return rows

    def _take(self, style: str, match: re.Match[str]) -> None:
        kind, text = match.lastindex, match[0]
        if kind == 1:
            self._place_word()
            self._end_row()
        elif kind == 2:
            self._place_word()
            self._gap = (style, self._gap[1] + text)
        elif kind == 4 and self._breaking:
            self._break([(style, text)])
        else:
            if kind == 3:
                self._place_word()
            self._word.append((style, text))
            self._word_width += columns(text)
            if self._width and self._word_width > self._width:
                # It will not fit into any row: there is no need to see its end.
                self._place_word()
                self._breaking = True

    def _place_word(self) -> None:
        self._breaking = False
        if not self._word:
            return
        word, width = self._word, self._word_width
        self._word, self._word_width = [], 0
        gap = self._gap if self._started else ("", "")
        self._gap = ("", "")
        if self._width and self._at + len(gap[1]) + width > self._width:
            if self._started:
                self._end_row()
            gap = ("", "")
            if self._at + width > self._width:
                self._break(word)
                return
        for fragment in (gap, *word):
            self._append(*fragment)
        self._at += len(gap[1]) + width
        self._started = True

    def _break(self, word: Fragments) -> None:
        """Put down a word that is longer than a row."""
        for style, text in word:
            while text:
                room = self._width - self._at
                taken = max(_fitting(text, room), 0 if self._started else 1)
                if taken:
                    piece, text = text[:taken], text[taken:]
                    self._append(style, piece)
                    self._at += columns(piece)
                    self._started = True
                if text:
                    self._end_row()

    def _append(self, style: str, text: str) -> None:
        if text:
            self._row.append((style, text))

    def _end_row(self) -> None:
        self._rows.append(merge(self._row))
        self._row = list(self._rest)
        self._at = sum(columns(text) for _style, text in self._rest)
        self._started = False
        self._gap = ("", "")


def _fitting(text: str, room: int) -> int:
    """How many characters of ``text`` fit into ``room`` columns."""
    if text.isascii():
        return max(room, 0)
    used = 0
    for position, char in enumerate(text):
        used += columns(char)
        if used > room:
            return position
    return len(text)


def merge(fragments: Iterable[Fragment]) -> Line:
    """Neighbours of one style made one."""
    return tuple(
        (style, "".join(text for _style, text in group))
        for style, group in groupby(fragments, key=itemgetter(0))
    )


def _end_of(fragments: list[Fragment], most: int = 1_000) -> list[Fragment]:
    length = 0
    for count, (_style, text) in enumerate(reversed(fragments), start=1):
        length += len(text)
        if length > most:
            return [("", "…"), *fragments[-count:]]
    return fragments[:]
