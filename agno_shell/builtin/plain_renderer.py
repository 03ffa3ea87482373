"""The renderer ``plain``: the text as it came, line by line, without styles or wrapping.

For pipes, dumb terminals and people who want the Markdown itself.
"""

from __future__ import annotations

from agno_shell.contracts import Line, Renderer, RendererFactory, RendererOptions, RenderStream
from agno_shell.hookspecs import hookimpl
from agno_shell.toolkit.terminal_text import Cleaner

TAIL = 1_000
"""As many characters of the end of an unfinished line are shown at most."""


class PlainRenderer(Renderer):
    """Has no options; ``width`` is of no consequence."""

    def begin(self, width: int) -> RenderStream:
        return PlainStream()


class PlainStream(RenderStream):
    """Keeps the pieces of the line in work, and joins them once."""

    def __init__(self) -> None:
        self._cleaner = Cleaner()
        self._pieces: list[str] = []

    def feed(self, delta: str) -> list[Line]:
        return self._take(self._cleaner.feed(delta))

    def tail(self) -> list[Line]:
        parts: list[str] = []
        length = 0
        for piece in reversed(self._pieces):
            if length > TAIL:
                break
            parts.append(piece[-TAIL - 1 :])
            length += len(parts[-1])
        text = "".join(reversed(parts))
        if not text:
            return []
        return [_line(text if len(text) <= TAIL else f"…{text[-TAIL:]}")]

    def finish(self) -> list[Line]:
        lines = self._take(self._cleaner.finish())
        if self._pieces:
            lines.append(_line("".join(self._pieces)))
            self._pieces = []
        return lines

    def _take(self, text: str) -> list[Line]:
        *whole, last = text.split("\n")
        lines = []
        for piece in whole:
            lines.append(_line("".join(self._pieces) + piece))
            self._pieces = []
        if last:
            self._pieces.append(last)
        return lines


def _line(text: str) -> Line:
    return (("", text),) if text else ()


def open_renderer(options: RendererOptions) -> Renderer:
    return PlainRenderer()


@hookimpl
def register_renderers() -> list[RendererFactory]:
    return [RendererFactory("plain", "The text as it is, without styles", open_renderer)]
