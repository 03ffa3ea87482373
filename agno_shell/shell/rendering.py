"""A guard around renderers: one that raises costs its colours and not the text."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.shell.lines import text_lines
from agno_shell.toolkit.guarding import PluginStuckError, let_through, reason_of

SLOW_SECONDS = 0.25
SLOW_TIMES = 3
"""A renderer that has held up the keys for so long, so often in one reply, is given up."""


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
        self._is_slow = False

    def begin(self, width: int) -> RenderStream:
        return GuardedStream(self, width)

    def inner(self, width: int) -> RenderStream | None:
        """A stream of the renderer that is guarded, None once that has held up the keys; may
        raise anything."""
        return None if self._is_slow else self._renderer.begin(width)

    def failed(self, error: BaseException) -> None:
        """Say once which renderer failed and how. One that holds up the keys is not used
        again."""
        self._is_slow = self._is_slow or isinstance(error, PluginStuckError)
        if not self._told:
            self._told = True
            name = type(self._renderer).__name__
            self._tell(
                f"The renderer {name} failed ({reason_of(error)}); replies are shown "
                "plainly. [renderer] plugin in the configuration chooses another one."
            )


class GuardedStream(RenderStream):
    """One reply."""

    def __init__(self, renderer: GuardedRenderer, width: int) -> None:
        self._renderer = renderer
        self._fed: list[str] = []
        self._open_line = ""
        self._stream: RenderStream | None = None
        self._has_tail = True
        self._slow = 0
        """How often the renderer has held up the keys."""
        try:
            self._stream = renderer.inner(width)
        except BaseException as error:
            let_through(error)
            renderer.failed(error)

    def feed(self, delta: str) -> list[Line]:
        self._fed.append(delta)
        if self._stream is None:
            return self._plain(delta)
        try:
            return self._timed(self._stream.feed, delta)
        except BaseException as error:
            let_through(error)
            return self._give_up(error)

    def tail(self) -> list[Line]:
        if self._stream is None:
            return text_lines(self._open_line)
        if not self._has_tail:
            return []
        try:
            return checked(self._stream.tail())
        except BaseException as error:
            let_through(error)
            self._renderer.failed(error)
            self._has_tail = False
            return []

    def finish(self) -> list[Line]:
        if self._stream is None:
            return text_lines(self._open_line) if self._open_line else []
        try:
            return checked(self._stream.finish())
        except BaseException as error:
            let_through(error)
            lines = self._give_up(error)
            return [*lines, *self.finish()]

    def _timed(self, feed: Callable[[str], object], delta: str) -> list[Line]:
        """The lines for a piece of text. The first pieces may take longer, for imports."""
        began = perf_counter()
        lines = checked(feed(delta))
        if (took := perf_counter() - began) > SLOW_SECONDS:
            self._slow += 1
            if self._slow == SLOW_TIMES:
                raise PluginStuckError(f"it takes {took:.1f} seconds for a few words")
        return lines

    def _give_up(self, error: BaseException) -> list[Line]:
        """Show all of the reply again: nobody knows how much of it had been shown."""
        self._renderer.failed(error)
        self._stream = None
        return self._plain("".join(self._fed))

    def _plain(self, delta: str) -> list[Line]:
        *whole, self._open_line = (self._open_line + delta).split("\n")
        return [line for text in whole for line in text_lines(text)]
