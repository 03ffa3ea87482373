"""One logical line of prose, which goes out row by row while it is still growing."""

from __future__ import annotations

from copy import copy

from agno_shell.builtin.pygments_renderer.inline import Inline, scan
from agno_shell.builtin.pygments_renderer.wrapping import Fragments, Wrapper
from agno_shell.contracts import Line

STEP = 500
"""A pending source of this many characters is cut where nothing is open; if there is no
such place, it is tried again this many characters later."""

LIMIT = 4_000
"""The most that is held back; then it is cut between words, whatever is open."""


class Prose:
    """A paragraph's line, a list item or a heading, in the style ``base``.

    Where it is cut depends on the text alone, so the rows are the same for every way of
    splitting it into deltas. What stands in an incomplete row waits for the next segment:
    the cut cannot be seen.
    """

    def __init__(
        self, inline: Inline, width: int, first: Fragments, rest: Fragments, base: str = ""
    ) -> None:
        self._inline = inline
        self._wrapper = Wrapper(width, first, rest)
        self._base = base
        self._text = ""
        self._next_try = STEP

    def copy(self) -> Prose:
        other = copy(self)
        other._wrapper = self._wrapper.copy()
        return other

    def feed(self, text: str) -> list[Line]:
        """Take the next piece of the line; return the rows that are certain."""
        rows: list[Line] = []
        for at in range(0, len(text), LIMIT):
            self._text += text[at : at + LIMIT]
            rows += self._cut()
        return rows

    def _cut(self) -> list[Line]:
        rows: list[Line] = []
        while len(self._text) >= self._next_try:
            cut = scan(self._text[: self._next_try])[0]
            if not cut and self._next_try < LIMIT:
                self._next_try += STEP
                continue
            cut = cut or self._text.rfind(" ", 0, LIMIT) + 1 or LIMIT
            rows += self._wrapper.add(self._inline.parse(self._text[:cut], self._base))
            self._text = self._text[cut:]
            self._next_try = STEP
        return rows

    def waits(self) -> bool:
        """Whether something is open that the next source line may close."""
        return bool(scan(self._text)[1])

    def close(self, *, preview: bool = False) -> list[Line]:
        """The rest. A preview shows what is open as if it were closed here, so that the
        line in work does not flicker between markup and style."""
        text = self._text.rstrip()
        if preview:
            closing = scan(text)[1]
            if "]" not in closing and ")" not in closing:
                text += closing
        rows = self._wrapper.add(self._inline.parse(text, self._base))
        return rows + self._wrapper.close()
