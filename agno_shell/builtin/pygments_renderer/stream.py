"""The renderer: deltas into source lines, source lines into the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agno_shell.builtin.pygments_renderer.theme import CodeTheme, check_theme
from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.toolkit.terminal_text import Cleaner

if TYPE_CHECKING:
    from agno_shell.builtin.pygments_renderer.document import Document
    from agno_shell.builtin.pygments_renderer.inline import Inline

PREVIEW = 1_000
"""As much of the end of a long code line is shown while it grows."""


class PygmentsRenderer(Renderer):
    """Markdown for a terminal; ``theme`` is the name of a pygments style, or empty.

    Raises :class:`~agno_shell.errors.ConfigError` if there is no such style.
    """

    def __init__(self, theme: str = "") -> None:
        check_theme(theme)
        self._theme_name = theme
        self._parts: tuple[Inline, CodeTheme] | None = None

    def begin(self, width: int) -> RenderStream:
        # Here and not above: the prompt stands before anything is rendered.
        from agno_shell.builtin.pygments_renderer.document import Document

        if self._parts is None:
            from agno_shell.builtin.pygments_renderer.inline import Inline

            self._parts = (Inline(), CodeTheme(self._theme_name))
        return PygmentsStream(Document(max(width, 0), *self._parts))


class PygmentsStream(RenderStream):
    """One reply. A delta costs what its own lines cost; a tail is bounded."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._cleaner = Cleaner()
        self._pending = ""
        self._in_long_line = False
        self._tail: list[Line] | None = None

    def feed(self, delta: str) -> list[Line]:
        text = self._cleaner.feed(delta)
        if text:
            self._tail = None
            self._take(text)
        return self._out()

    def tail(self) -> list[Line]:
        if self._tail is None:
            self._tail = [_for_a_window(line) for line in self._preview()]
        return self._tail

    def finish(self) -> list[Line]:
        self._take(self._cleaner.finish())
        self._end_line()
        self._document.end()
        self._tail = []
        return self._out()

    def _take(self, text: str) -> None:
        *whole, last = text.split("\n")
        for piece in whole:
            self._add(piece)
            if self._in_long_line or self._pending:
                self._end_line()
            else:
                self._document.line("")
        self._add(last)

    def _add(self, piece: str) -> None:
        if self._in_long_line:
            if piece:
                self._document.add(piece)
            return
        self._pending += piece
        long_at = self._document.long_at
        if len(self._pending) >= long_at:
            pending, self._pending = self._pending, ""
            self._in_long_line = True
            self._document.begin_long(pending[:long_at])
            if len(pending) > long_at:
                self._document.add(pending[long_at:])

    def _end_line(self) -> None:
        """End the line in work; there may be none."""
        if self._in_long_line:
            self._in_long_line = False
            self._document.end_long()
        elif self._pending:
            pending, self._pending = self._pending, ""
            self._document.line(pending)

    def _out(self) -> list[Line]:
        lines, self._document.out = self._document.out, []
        return lines

    def _preview(self) -> list[Line]:
        """How the reply would end if it ended here."""
        long_code = self._document.preview_long_code(PREVIEW)
        if long_code is not None:
            return [long_code]
        document = self._document.copy()
        if self._pending:
            document.line(self._pending)
        document.end(preview=True)
        return document.out


def _for_a_window(line: Line) -> Line:
    """A window shows a tab as a control character; a terminal's stops are eight apart."""
    if not any("\t" in text for _style, text in line):
        return line
    shown: list[tuple[str, str]] = []
    at = 0
    for style, text in line:
        expanded = (" " * (at % 8) + text).expandtabs(8)[at % 8 :]
        at += len(expanded)
        shown.append((style, expanded))
    return tuple(shown)
