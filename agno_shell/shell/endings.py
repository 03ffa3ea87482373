"""What became of a turn in one or two lines: who answered, how it ended, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agno_shell.events import Ending, Failed, FellBack, Finished, Interrupted, Retrying
from agno_shell.shell.lines import one_line
from agno_shell.shell.stored import FILTERED, LENGTH, NOT_WHOLE, NOTHING_CAME
from agno_shell.toolkit.terminal_text import clean_line

NOTABLE_SECONDS = 5
"""A reply that came so much later, because it was asked for several times, says why."""

AGAIN = "/retry asks again"
GO_ON = "/continue goes on, /retry asks again"


class TurnSummary:
    """The course of one turn, as far as it is told when it is over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._retrying: Retrying | None = None
        self._retrying_since = 0.0
        self._fallbacks: list[FellBack] = []
        self._answered_by = ""
        """Another model than the one that was asked first."""
        self.has_begun = False
        """Whether anything of the reply in work has come."""
        self.has_text = False
        """Whether any text of the turn was shown."""
        self.has_tools = False
        """Whether a call of a tool was shown."""

    def retry(self, event: Retrying) -> None:
        """A request failed, and is tried again."""
        if self._retrying is None:
            self._retrying_since = self._clock()
        self._retrying = event

    def fall_back(self, event: FellBack) -> None:
        """A model is down."""
        self._fallbacks.append(event)

    def begin(self) -> Iterator[str]:
        """The reply has begun: what kept it."""
        self.has_begun = True
        for event in self._fallbacks:
            self._answered_by = clean_line(self._fallbacks[-1].to)
            yield f"{_down(event)}; {self._answered_by} answers."
        if self._retrying:
            waited = self._clock() - self._retrying_since
            if waited >= NOTABLE_SECONDS:
                reason = one_line(self._retrying.failure.message)
                yield f"({reason} Asked {self._retrying.attempt} times, for {waited:.0f} s.)"

    def next_reply(self) -> None:
        """The reply is over; in the same turn another one may follow."""
        self.has_begun = False
        self._retrying = None
        self._fallbacks.clear()

    def end(self, ending: Ending, thought: str) -> Iterator[tuple[str, str]]:
        """Lines and their styles. ``thought``: how long the reply was thought about that was
        stopped before its text began."""
        if isinstance(ending, Failed):
            yield from self._failed(ending)
        elif isinstance(ending, Interrupted):
            yield self._stopped(thought), "class:notice"
        elif ending.reason == "length":
            yield f"({LENGTH}. {GO_ON}.)", "class:error"
        elif ending.reason == "content_filter":
            yield f"({FILTERED}. {AGAIN}.)", "class:error"
        if self._answered_by and isinstance(ending, Finished):
            yield f"({self._answered_by} answered.)", "class:notice"

    def _failed(self, ending: Failed) -> Iterator[tuple[str, str]]:
        if not self.has_begun:
            for event in self._fallbacks:
                yield f"{_down(event)}.", "class:notice"
        parts = [ending.sentence()]
        if self._retrying and not self.has_begun:
            parts.append(f"It was tried {self._retrying.attempt} times.")
        # The hint of the failure may say already what to do.
        if "/retry" not in parts[0] and "/continue" not in parts[0]:
            parts.append(f"{GO_ON if self.has_text or self.has_tools else AGAIN}.")
        yield " ".join(parts), "class:error"

    def _stopped(self, thought: str) -> str:
        steps = GO_ON if self.has_text or self.has_tools else AGAIN
        if thought and not self.has_text:
            return f"(stopped while it was thinking, after {thought}; {steps})"
        if self.has_text or self.has_tools:
            return f"({NOT_WHOLE['interrupted']}; {steps})"
        return f"({NOTHING_CAME}; {steps})"


def _down(event: FellBack) -> str:
    reason = one_line(event.failure.message).rstrip(".")
    return f"{clean_line(event.model)} is down ({reason})"
