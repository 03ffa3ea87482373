"""Code blocks. Their lines are never wrapped or moved, so that a copy of them is exact."""

from __future__ import annotations

from copy import copy

from agno_shell.builtin.pygments_renderer.containers import LinePosition, strip_quotes
from agno_shell.builtin.pygments_renderer.highlight import Highlighter
from agno_shell.builtin.pygments_renderer.theme import FAINT, INLINE_CODE, CodeTheme
from agno_shell.builtin.pygments_renderer.wrapping import Wrapper, columns
from agno_shell.contracts import Line

FRAME = 48
"""Columns of the lines above and below a fenced block, if the terminal is wide enough."""


class FencedBlock:
    """A block between fences; only a closing fence, or the end of its quote, ends it."""

    def __init__(
        self, place: LinePosition, fence: str, info: str, theme: CodeTheme, width: int
    ) -> None:
        self._fence = fence
        self._info = info.strip()
        self._indent = place.column
        self._quotes = place.quotes
        self._prefix = place.bars
        self._width = width
        self._frame = min(width, FRAME) if width else FRAME
        self._highlighter = Highlighter(info, theme)

    def copy(self) -> FencedBlock:
        other = copy(self)
        other._highlighter = self._highlighter.copy()
        return other

    def opening(self) -> list[Line]:
        title = f"── {self._info} " if self._info else ""
        title += "─" * max(self._frame - columns(title) - self._prefix_width(), 2)
        wrapper = Wrapper(self._width, self._prefix, self._prefix)
        return wrapper.add([(FAINT, title)]) + wrapper.close()

    def closing(self) -> list[Line]:
        return [(*self._prefix, (FAINT, "─" * max(self._frame - self._prefix_width(), 2)))]

    def body(self, text: str) -> str | None:
        """The code of a source line; None if the line is outside of the block's quote."""
        quotes, text = strip_quotes(text, self._quotes)
        if quotes < self._quotes:
            return None
        spaces = len(text) - len(text.lstrip(" "))
        return text[min(spaces, self._indent) :]

    def is_end(self, body: str) -> bool:
        fence = body.strip()
        return (
            len(fence) >= len(self._fence)
            and not fence.strip(self._fence[0])
            and len(body) - len(body.lstrip()) < 4
        )

    def lines(self, body: str) -> list[Line]:
        return [(*self._prefix, *self._highlighter.line(body))]

    def preview(self, end_of_line: str) -> Line:
        """A line that is too long to be shown while it grows: its end."""
        return (*self._prefix, ("", f"…{end_of_line}"))

    def _prefix_width(self) -> int:
        return sum(columns(text) for _style, text in self._prefix)


class IndentedBlock:
    """A block that is set off by four columns of white space."""

    def __init__(self, place: LinePosition) -> None:
        self._column = place.column - place.indent + 4
        self._quotes = place.quotes
        self._prefix = place.bars
        self._blank_lines = 0

    def copy(self) -> IndentedBlock:
        return copy(self)

    def opening(self) -> list[Line]:
        return []

    def closing(self) -> list[Line]:
        return []

    def body(self, text: str) -> str | None:
        quotes, text = strip_quotes(text, self._quotes)
        if quotes < self._quotes:
            return None
        body = text.lstrip(" \t")
        if not body:
            return ""
        lead = text[: len(text) - len(body)].expandtabs(4)
        return lead[self._column :] + body if len(lead) >= self._column else None

    def is_end(self, body: str) -> bool:
        return False

    def lines(self, body: str) -> list[Line]:
        """Blank lines count only when more code follows them."""
        if not body:
            self._blank_lines += 1
            return []
        blank: list[Line] = [self._prefix] * self._blank_lines
        self._blank_lines = 0
        return [*blank, (*self._prefix, (INLINE_CODE, body))]

    def preview(self, end_of_line: str) -> Line:
        return (*self._prefix, (INLINE_CODE, f"…{end_of_line}"))

    @property
    def ended_blank(self) -> bool:
        return self._blank_lines > 0
