"""A guard around renderers: one that raises costs its colours and not the text."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.shell.lines import text_lines


def checked(lines: object) -> list[Line]:
    """Lines in the shape that the contract asks for; raises what is wrong with others."""
    made = []
    for line in lines:  # type: ignore[attr-defined]
        for style, text in line:
            if not (isinstance(style, str) and isinstance(text, str)):
                raise TypeError(f"a line of {type(style).__name__}, {type(text).__name__}")
        made.append(tuple(line))
    return made


class GuardedRenderer(Renderer):
    """Another renderer's lines, and plain ones from the moment in which it fails.

    ``tell`` gets one sentence about the first failure.
    """

    def __init__(self, renderer: Renderer, tell: Callable[[str], None]) -> None:
        self._renderer = renderer
        self._tell = tell
        self._told = False

    def begin(self, width: int) -> RenderStream:
        return GuardedStream(self, width)

    def inner(self, width: int) -> RenderStream:
        """A stream of the renderer that is guarded; may raise anything."""
        return self._renderer.begin(width)

    def failed(self, error: Exception) -> None:
        """Say once which renderer failed and how."""
        if not self._told:
            self._told = True
            name = type(self._renderer).__name__
            self._tell(
                f"The renderer {name} failed ({type(error).__name__}: {error}); replies are shown "
                "plainly. [renderer] plugin in the configuration chooses another one."
            )


class GuardedStream(RenderStream):
    """One reply."""

    def __init__(self, renderer: GuardedRenderer, width: int) -> None:
        self._renderer = renderer
        self._fed: list[str] = []
        self._open_line = ""
        self._stream: RenderStream | None = None
        try:
            self._stream = renderer.inner(width)
        except Exception as error:
            renderer.failed(error)

    def feed(self, delta: str) -> list[Line]:
        self._fed.append(delta)
        if self._stream is None:
            return self._plain(delta)
        try:
            return checked(self._stream.feed(delta))
        except Exception as error:
            return self._give_up(error)

    def tail(self) -> list[Line]:
        if self._stream is None:
            return text_lines(self._open_line)
        try:
            return checked(self._stream.tail())
        except Exception as error:
            self._renderer.failed(error)
            return []

    def finish(self) -> list[Line]:
        if self._stream is None:
            return text_lines(self._open_line) if self._open_line else []
        try:
            return checked(self._stream.finish())
        except Exception as error:
            lines = self._give_up(error)
            return [*lines, *self.finish()]

    def _give_up(self, error: Exception) -> list[Line]:
        """Show all of the reply again: nobody knows how much of it had been shown."""
        self._renderer.failed(error)
        self._stream = None
        return self._plain("".join(self._fed))

    def _plain(self, delta: str) -> list[Line]:
        *whole, self._open_line = (self._open_line + delta).split("\n")
        return [line for text in whole for line in text_lines(text)]
