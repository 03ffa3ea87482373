"""A reply that grows while it streams, and the message that it becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from agno_shell.conversation.models import Choice
from agno_shell.events import (
    Ending,
    Failed,
    Finished,
    Interrupted,
    ReasoningDelta,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.types import Message, Status, Timing, ToolCall, Usage, new_id, now

PARTIAL_SECONDS = 0.9
"""A crash loses at most a second of the text that was shown: this, and what writing takes."""

WHOLE = ("stop", "tool_calls")
"""Reasons for an end that leave nothing missing."""


class Reply:
    """One reply. ``keep`` gets what there is of it, at most once a second."""

    def __init__(
        self, parent: str | None, choice: Choice, keep: Callable[[Message], object]
    ) -> None:
        self.choice = choice
        """Who answers; another one after a fallback."""
        self._id = new_id()
        self._parent = parent
        self._keep = keep
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self._usage: Usage | None = None
        self._began = 0.0
        self._first_token: float | None = None
        self._said_at: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, choice: Choice) -> None:
        """A request leaves for ``choice``."""
        self.choice = choice
        self._began = time.monotonic()

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a word in it nor a call."""
        return not (self._calls or any(not text.isspace() for text in self._text))

    def tool_calls(self, ending: Ending) -> tuple[ToolCall, ...]:
        """What the model asks for. Calls of a reply that was broken off may lack their
        ends: nobody is to run them."""
        whole = isinstance(ending, Finished) and ending.reason in WHOLE
        return tuple(self._calls) if whole else ()

    def take(self, event: TurnEvent) -> None:
        """Add what an event brings, if it is part of the reply."""
        if isinstance(event, UsageReported):
            self._usage = event.usage
            return
        if not isinstance(event, TextDelta | ReasoningDelta | ToolCall):
            return
        if self._first_token is None:
            self._first_token = time.monotonic() - self._began
        if isinstance(event, ToolCall):
            self._calls.append(event)
            return
        if not event.text:
            return
        (self._text if isinstance(event, TextDelta) else self._reasoning).append(event.text)
        self._said_at = self._said_at or now()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PARTIAL_SECONDS, self._save)

    def judge(self, ending: Ending) -> Ending:
        """A reply without a word in it is no answer, whatever the provider says."""
        if isinstance(ending, Finished) and ending.reason in WHOLE and self.is_empty:
            return Failed("server", "The model sent an empty reply.", "/retry asks again.")
        return ending

    def _save(self) -> None:
        self._timer = None
        self._keep(self._message("interrupted", self._private({})))

    def _message(self, status: Status, private: Mapping[str, Any]) -> Message:
        return Message(
            self._id,
            "assistant",
            whole_text(self._text),
            # The same in each state of the reply, so that a storage need only keep what was
            # added to the one before.
            self._said_at or now(),
            parent=self._parent,
            status=status,
            model=self.choice.model,
            provider_data={self.choice.provider: dict(private)} if private else {},
        )

    def _private(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The provider's own fields, with the reasoning even of a reply without an end."""
        if self._reasoning and "reasoning" not in given:
            return {**given, "reasoning": "".join(self._reasoning)}
        return given

    def finish(self, ending: Ending) -> Message:
        """The message to be stored."""
        if self._timer:
            self._timer.cancel()
        given = storable(ending.provider_data) if isinstance(ending, Finished) else {}
        return self._message(self._status(ending), self._private(given))._replace(
            usage=self._usage,
            timing=Timing(self._first_token, time.monotonic() - self._began)
            if self._began
            else Timing(),
            tool_calls=self.tool_calls(ending),
            extra=_reason(ending),
        )

    def _status(self, ending: Ending) -> Status:
        if isinstance(ending, Interrupted):
            return "interrupted"
        if isinstance(ending, Failed):
            return "incomplete" if self._text or self._reasoning else "failed"
        return "complete" if ending.reason in WHOLE else "incomplete"


def whole_text(pieces: Iterable[str]) -> str:
    """The pieces as one text. Some servers cut a character beyond U+FFFF in two, half of it
    in each piece: read from a disk, it would be another text than this one."""
    text = "".join(pieces)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def storable(data: Mapping[str, object]) -> Mapping[str, object]:
    """What can be written as JSON; one message that cannot would hold up all later ones."""
    import json

    try:
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {}
    return data


def _reason(ending: Ending) -> dict[str, object]:
    """Why a reply is not complete, kept with it for those who read the file later."""
    if isinstance(ending, Failed):
        return {"error": {"kind": ending.kind, "message": ending.message}}
    if isinstance(ending, Finished) and ending.reason not in WHOLE:
        return {"finish_reason": ending.reason}
    return {}
