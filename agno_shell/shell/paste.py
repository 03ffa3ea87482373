"""A large paste stays one message: a short stand-in is shown, the text is kept beside it."""

from __future__ import annotations

import re
from collections import deque

LARGE = 2_000
"""Characters from which on a paste is shown as a stand-in; drawing more slows each key."""

MANY_LINES = 30


KEPT = 20
"""So many are kept, so that Up brings back a message with the text that was pasted."""

STAND_IN = re.compile(r"\[paste \d+: [\d,]+ characters, [\d,]+ lines\]")


class Pastes:
    """The large pastes of this run, the newest of them."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._number = 0
        self.naming: deque[str] = deque(maxlen=KEPT)
        """Pasted texts, of any length, that could name a file: only what the user types is
        a wish to attach one."""
        self._first_lines: deque[str] = deque(maxlen=KEPT)
        """Of the pasted texts with several lines, those that would be a command."""

    def note(self, text: str) -> None:
        """A text comes from the clipboard."""
        if "@" in text:
            self.naming.append(text)
        first, several = _first_line(_unix(text))
        if several and first.lstrip().startswith("/"):
            self._first_lines.append(first)

    def begins(self, text: str) -> bool:
        """Whether ``text``, expanded, has several lines and the first of them was pasted with
        others: a log that begins with ``/`` is no command, also after more was typed to it."""
        first, several = _first_line(text)
        return several and first in self._first_lines

    def take(self, text: str) -> str:
        """What to put into the input for a pasted text."""
        text = _unix(text)
        lines = len(text.splitlines()) or 1
        if len(text) <= LARGE and lines <= MANY_LINES:
            return text
        self._number += 1
        stand_in = f"[paste {self._number}: {len(text):,} characters, {lines:,} lines]"
        self._texts[stand_in] = text
        for oldest in list(self._texts)[:-KEPT]:
            del self._texts[oldest]
        return stand_in

    def expand(self, text: str) -> str:
        """The input with every stand-in replaced by what was pasted."""
        # In one pass, because a pasted text may itself hold the words of a stand-in.
        return STAND_IN.sub(lambda match: self._texts.get(match[0], match[0]), text)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _first_line(text: str) -> tuple[str, bool]:
    """The first line, and whether there are more that are not blank."""
    first, _newline, rest = text.partition("\n")
    return first, bool(rest.strip())
