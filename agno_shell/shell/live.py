"""What a turn is doing at this moment, as the lines above the input."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.contracts import Line, RenderStream
from agno_shell.events import Retrying
from agno_shell.shell.lines import one_line, text_lines, wrapped
from agno_shell.shell.tool_lines import MARK
from agno_shell.toolkit.terminal_text import Cleaner, clean_line
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


STOPS = ("class:notice", "  Ctrl-C stops")

HINT_SECONDS = 2
"""So long a wait is no surprise; then it is said how to end it."""


class Live:
    """The state of the reply in work. Made anew for each turn, changed by its events."""

    def __init__(self, model: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.model = clean_line(model)
        """Who is asked."""
        self.stream: RenderStream | None = None
        """The text, once it has begun."""
        self.thinking: Thoughts | None = None
        """The reasoning that is coming in."""
        self.is_asking = False
        """Whether the user is asked something, so that nobody works."""
        self._tool = ""
        self._retrying: Retrying | None = None
        self._since = clock()

    @property
    def waited(self) -> float:
        """Seconds since what is in work began."""
        return self._clock() - self._since

    def wait_for(self, model: str | None = None) -> None:
        """A request leaves for a model."""
        if model is not None:
            self.model = clean_line(model)
        self.stream = self.thinking = self._retrying = None
        self._tool = ""
        self._since = self._clock()

    def retry(self, event: Retrying) -> None:
        """It is sent once more in a while."""
        self._retrying = event
        self._since = self._clock()

    def begun(self) -> None:
        """The reply is coming."""
        self._retrying = None

    def think(self) -> Thoughts:
        """The reasoning in work, begun now if there is none."""
        if self.thinking is None:
            self.thinking = Thoughts(self._clock)
        return self.thinking

    def run(self, tool: str) -> None:
        """A tool is at work."""
        self._tool = clean_line(tool, 100)
        self.stream = self.thinking = None
        self._since = self._clock()

    def rest(self) -> None:
        """Nothing is at work until the next request leaves."""
        self._tool = ""
        self.stream = self.thinking = None
        self._since = self._clock()

    @property
    def moves(self) -> bool:
        """Whether its lines change though nothing happens, because they hold a time."""
        return not self.is_asking and (self.stream is None or self.thinking is not None)

    def lines(self, width: int) -> list[Line]:
        """What is shown now."""
        if self.is_asking:
            return []
        if self.stream and not self.thinking:
            return self.stream.tail()
        if self.thinking:
            text = self.stream.tail() if self.stream else []
            return [*text, *self.thinking.lines(width), self._busy(f"{self.model} thinks")]
        if self._tool:
            return [self._busy(f"{MARK}{self._tool}")]
        if self._retrying:
            return self._try(self._retrying, width)
        return [self._busy(self.model)]

    def _try(self, event: Retrying, width: int) -> list[Line]:
        number = f"({event.attempt} of {event.attempts})"
        left = event.seconds - self.waited
        if left <= 0:
            return [self._busy(f"{self.model} {number}", left)]
        reason = one_line(event.failure.message)
        step = f"Trying again in {max(1, round(left))} s {number} · Ctrl-C stops"
        return text_lines(wrapped(f"{reason} {step}", width), "class:busy")

    def _busy(self, what: str, since: float = 0.0) -> Line:
        waited = self.waited if not since else -since
        shown = f" {waited:.0f} s" if waited >= 1 else ""
        line = ("class:busy", f"{what} …{shown}")
        return (line, STOPS) if waited >= HINT_SECONDS else (line,)
