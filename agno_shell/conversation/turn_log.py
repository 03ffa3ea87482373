"""The events of a turn as lines of the program's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from agno_shell.base.program_log import is_kept, note, word
from agno_shell.events import (
    Emit,
    Failed,
    FellBack,
    Finished,
    Interrupted,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Retrying,
    SpeakerChanged,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    UsageReported,
)


class TurnLog:
    """Notes what becomes of one reply, or of the tools that it asks for: figures and kinds, no
    words. Where no log is kept it does nothing."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._first: float | None = None
        """Seconds until something of the reply came."""
        self._usage: Mapping[str, Any] = {}
        self._running: dict[str, float] = {}
        """The ids of the calls that were allowed, and when they began."""

        self._at_provider: dict[str, float] = {}
        """The same of those that the provider runs itself."""

    def before(self, emit: Emit) -> Emit:
        """The same ``emit``; each event is noted first."""
        if not is_kept():
            return emit

        def noted(event: TurnEvent) -> None:
            self.take(event)
            emit(event)

        return noted

    def take(self, event: TurnEvent) -> None:
        if take := _TAKES.get(type(event)):
            take(self, event)

    def delta(self, _event: TextDelta | ReasoningDelta | ProviderToolStarted) -> None:
        if self._first is None:
            self._first = perf_counter() - self._began

    def provider_tool_started(self, event: ProviderToolStarted) -> None:
        self.delta(event)
        self._at_provider[event.call.id] = perf_counter()

    def provider_tool_finished(self, event: ProviderToolFinished) -> None:
        """Its name may be anything that a server says."""
        began = self._at_provider.pop(event.call.id, None)
        note(
            __name__,
            "provider tool ended",
            status=word(event.status),
            characters=len(event.result),
            seconds=None if began is None else perf_counter() - began,
        )

    def speaker_changed(self, _event: SpeakerChanged) -> None:
        note(__name__, "speaker changed")

    def usage(self, event: UsageReported) -> None:
        tokens = event.usage
        self._usage = {"input": tokens.input_tokens, "output": tokens.output_tokens}

    def retrying(self, event: Retrying) -> None:
        kind = word(event.failure.kind)
        note(
            __name__,
            "try failed",
            bad=True,
            kind=kind,
            next=event.attempt,
            of=event.attempts,
            wait=event.seconds,
        )

    def fell_back(self, event: FellBack) -> None:
        kind = word(event.failure.kind)
        note(__name__, "model down", bad=True, kind=kind, model=event.model, next=event.to)

    def finished(self, event: Finished) -> None:
        self._end("finished", reason=word(event.reason))

    def failed(self, event: Failed) -> None:
        self._end("failed", bad=True, kind=word(event.kind), temporary=event.temporary)

    def interrupted(self, _event: Interrupted) -> None:
        self._end("interrupted")

    def _end(self, how: str, *, bad: bool = False, **values: object) -> None:
        seconds = perf_counter() - self._began
        figures = {**values, "first": self._first, "seconds": seconds, **self._usage}
        note(__name__, f"reply {how}", bad=bad, **figures)

    def tool_started(self, event: ToolStarted) -> None:
        self._running[event.call.id] = perf_counter()
        note(__name__, "tool started", tool=event.call.name)

    def tool_finished(self, event: ToolFinished) -> None:
        """The name of a tool that did not start may be anything that a model says."""
        began = self._running.pop(event.call.id, None)
        note(
            __name__,
            "tool ended",
            tool=None if began is None else event.call.name,
            ran=began is not None,
            status=word(event.result.status),
            characters=len(event.result.content),
            seconds=None if began is None else perf_counter() - began,
        )


_TAKES: Mapping[type, Callable[[TurnLog, Any], None]] = {
    TextDelta: TurnLog.delta,
    ReasoningDelta: TurnLog.delta,
    ProviderToolStarted: TurnLog.provider_tool_started,
    ProviderToolFinished: TurnLog.provider_tool_finished,
    SpeakerChanged: TurnLog.speaker_changed,
    UsageReported: TurnLog.usage,
    Retrying: TurnLog.retrying,
    FellBack: TurnLog.fell_back,
    Finished: TurnLog.finished,
    Failed: TurnLog.failed,
    Interrupted: TurnLog.interrupted,
    ToolStarted: TurnLog.tool_started,
    ToolFinished: TurnLog.tool_finished,
}
