"""What a model thinks aloud: its last lines while it does, and one line afterwards."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.contracts import Line
from agno_shell.shell.lines import text_lines, wrapped
from agno_shell.toolkit.terminal_text import Cleaner
from agno_shell.toolkit.wording import count

ROWS = 5
"""Rows of it that are seen while it streams."""

KEPT = 2_000
"""Characters of its end that are kept for them."""


class Thoughts:
    """The reasoning of one reply; a piece of it costs the same however long it is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._cleaner = Cleaner()
        self._end = ""
        self._words = 0
        self._in_word = False

    @property
    def seconds(self) -> float:
        return self._clock() - self._since

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._end = (self._end + self._cleaner.feed(text))[-KEPT:]
        words = len(text.split())
        if words and self._in_word and not text[0].isspace():
            words -= 1  # it goes on with the word in which the last piece ended
        self._words += words
        if text:
            self._in_word = not text[-1].isspace()

    def lines(self, width: int) -> list[Line]:
        """Its end, as far as it is seen."""
        return text_lines(wrapped(self._end.strip("\n"), width), "class:reasoning")[-ROWS:]

    def extent(self) -> str:
        """``4 s · 312 words``."""
        return f"{self.seconds:.0f} s · {count(self._words, 'word')}"


def thought_line(reasoning: str) -> Line:
    """The reasoning of a stored reply, of which only the length is shown."""
    return (("class:notice", f"(thought · {count(len(reasoning.split()), 'word')})"),)
