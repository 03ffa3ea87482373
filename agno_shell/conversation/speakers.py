"""Who speaks in a reply, and where one of them ends. Pure but for what was fed."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from agno_shell.events import (
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    SpeakerChanged,
    TextDelta,
    TurnEvent,
)
from agno_shell.types import ToolCall

LONGEST_NAME = 200
"""Characters of a speaker's name that are kept."""

_ASKS = ToolCall | ProviderToolStarted
"""What somebody does that is no part of a message yet: calls go with the last message of a
reply, and a tool with that in which it ends."""

Kept = MessageSaved | NotSaved


class Change(NamedTuple):
    """Another speaker has begun."""

    name: str | None
    ends_message: bool
    """Whether who spoke before has said something, which is a message now."""


class Speakers:
    """Tells when another speaker begins: with the first thing that it does, so that of one
    that does nothing there is no message."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._next: str | None = None
        self._has_said = False

    def feed(self, event: TurnEvent) -> Change | None:
        """What changes with ``event``, before it counts."""
        if isinstance(event, SpeakerChanged):
            self._next = _named(event.name)
            return None
        if isinstance(event, TextDelta | ReasoningDelta):
            if not event.text:
                return None
        elif not isinstance(event, ProviderToolFinished | _ASKS):
            return None
        change = None
        if self._next != self._name:
            change = Change(self._next, self._has_said)
            self._name, self._has_said = self._next, False
        if not isinstance(event, _ASKS):
            self._has_said = True
        return change


class InOrder:
    """Passes the events of a reply on, with those that a change of the speaker brings about.
    ``saved`` are the messages that end so, which are there before what follows is passed on."""

    def __init__(self, saved: deque[Kept] | None = None) -> None:
        self._saved = deque() if saved is None else saved
        self._speakers = Speakers()

    def passed_on(self, event: TurnEvent) -> list[TurnEvent]:
        change = self._speakers.feed(event)
        if change is None:
            return [] if isinstance(event, SpeakerChanged) else [event]
        ended = [self._saved.popleft()] if change.ends_message and self._saved else []
        return [*ended, SpeakerChanged(change.name), event]


def _named(name: str | None) -> str | None:
    """The name on one line; None for an empty one."""
    return " ".join((name or "").split())[:LONGEST_NAME] or None
