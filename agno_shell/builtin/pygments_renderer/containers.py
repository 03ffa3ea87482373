"""Block quotes and lists: what a line stands in, and what is shown before it.

Where CommonMark and what models write differ, the writing wins: two columns to the right
of a bullet are enough to be nested in it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agno_shell.builtin.pygments_renderer.theme import BULLET, FAINT
from agno_shell.builtin.pygments_renderer.wrapping import Fragment, columns

HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)(.*)", re.DOTALL)
RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")

_MARKER = re.compile(r"(?:([-+*])|(\d{1,9}[.)]))(?:[ \t]+|$)")
_TASK = re.compile(r"\[([ xX])\][ \t]+(?=\S)")
_QUOTE = re.compile(r" {0,3}>[ \t]?")

MAX_DEPTH = 12
MAX_QUOTES = 6
MAX_INNER_QUOTES = 2
BAR = "▏ "


class Item(NamedTuple):
    """An open list item: source columns, and the columns its marker takes when shown."""

    marker: int
    content: int
    shown: int


class LinePosition(NamedTuple):
    """Where a line stands."""

    first: tuple[Fragment, ...]
    """Shown before its first row."""
    rest: tuple[Fragment, ...]
    """Shown before its other rows, and before the lines that continue it."""
    body: str
    """The line without its containers."""
    indent: int
    """Columns of white space between the container and ``body``."""
    column: int
    """The source column of ``body``, counted behind the quote markers."""
    quotes: int
    opens_item: bool

    @property
    def bars(self) -> tuple[Fragment, ...]:
        return ((FAINT, BAR * self.quotes),) if self.quotes else ()


class Containers:
    """The quotes and list items that are open."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._max_quotes = min(MAX_QUOTES, max(width // 8, 1)) if width else MAX_QUOTES
        self.quotes = 0
        self._items: list[Item] = []

    def copy(self) -> Containers:
        other = Containers(self._width)
        other.quotes, other._items = self.quotes, self._items[:]
        return other

    def enter(self, text: str, *, lazy: bool) -> LinePosition:
        """Open and close containers for the line ``text``, which is not blank.

        ``lazy``: the line before was a paragraph's, which a line of plain text continues
        whatever its own indentation.
        """
        quotes, text = self._outer_quotes(text)
        if quotes != self.quotes:
            self.quotes, lazy = quotes, False
            self._items.clear()
        column, body = _indent(text)
        marker = _match_marker(body)
        lazy = lazy and not marker and not _interrupts(body)
        if not lazy:
            while self._items and column < self._items[-1].marker + 2:
                self._items.pop()
        if marker and column >= 4 and not self._items:
            marker = None
        opened: list[Fragment] = []
        before = self._prefix()
        while marker and len(self._items) < MAX_DEPTH:
            body = body[marker.end() :]
            shown, body = _shown_marker(marker, body)
            opened.append((BULLET, shown))
            self._items.append(Item(column, column + marker.end(), columns(shown)))
            column += marker.end()
            marker = _match_marker(body)
        indent = 0 if opened else max(column - (self._items[-1].content if self._items else 0), 0)
        inner, body = strip_quotes(body, MAX_INNER_QUOTES) if self._items else (0, body)
        bars = ((FAINT, BAR * inner),) if inner else ()
        return LinePosition(
            (*before, *opened, *bars),
            (*self._prefix(), *bars),
            body.lstrip() if inner else body,
            0 if inner or lazy else indent,
            0 if inner else column,
            quotes + inner,
            bool(opened),
        )

    def _outer_quotes(self, text: str) -> tuple[int, str]:
        if self._items and _indent(text)[0] >= self._items[0].marker + 2:
            return 0, text
        return strip_quotes(text, self._max_quotes)

    def _prefix(self) -> tuple[Fragment, ...]:
        indent = sum(item.shown for item in self._items)
        if self._width:
            indent = min(indent, self._width // 2)
        bars: tuple[Fragment, ...] = ((FAINT, BAR * self.quotes),) if self.quotes else ()
        return (*bars, ("", " " * indent)) if indent else bars


def strip_quotes(text: str, most: int) -> tuple[int, str]:
    """How many quote markers ``text`` begins with, ``most`` at most, and what follows."""
    count = 0
    while count < most and (match := _QUOTE.match(text)):
        count += 1
        text = text[match.end() :]
    return count, text


def _indent(text: str) -> tuple[int, str]:
    """Columns of leading white space, tabs to the next fourth, and the rest."""
    body = text.lstrip(" \t")
    return len(text[: len(text) - len(body)].expandtabs(4)), body


def _match_marker(body: str) -> re.Match[str] | None:
    return None if RULE.match(body) else _MARKER.match(body)


def _interrupts(body: str) -> bool:
    return bool(
        body.startswith(">") or HEADING.match(body) or RULE.match(body) or FENCE.match(body)
    )


def _shown_marker(marker: re.Match[str], body: str) -> tuple[str, str]:
    """What is shown for a list marker, and the text behind it."""
    body = body.lstrip(" \t")
    if marker[2]:
        return f"{marker[2]} ", body
    if task := _TASK.match(body):
        return ("☐ " if task[1] == " " else "☑ "), body[task.end() :]
    return "• ", body
