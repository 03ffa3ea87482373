"""A reply that grows while it streams, and the message that it becomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any

from agno_shell.conversation.models import Choice
from agno_shell.events import (
    Ending,
    Event,
    Failed,
    Finished,
    Interrupted,
    ReasoningDelta,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.types import Growth, Message, Status, Timing, ToolCall, Usage, new_id, now

WHOLE = ("stop", "tool_calls")
"""Reasons for an end that leave nothing missing."""


class Reply:
    """One reply."""

    def __init__(self, parent: str | None, choice: Choice) -> None:
        self.choice = choice
        """Who answers; another one after a fallback."""
        self._id = new_id()
        self._parent = parent
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._halves: dict[type, str] = {}
        """The first halves of characters whose second halves have not come yet."""
        self._taken = (0, 0)
        """How many pieces of the text and the reasoning :meth:`take_growth` has given."""
        self._calls: list[ToolCall] = []
        self._usage: Usage | None = None
        self._began = 0.0
        self._first_token: float | None = None
        self._said_at: datetime | None = None

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
        if text := self._without_half(type(event), event.text):
            (self._text if isinstance(event, TextDelta) else self._reasoning).append(text)
            self._said_at = self._said_at or now()

    def _without_half(self, kind: type, text: str) -> str:
        """What is whole by now. Some servers cut a character beyond U+FFFF in two, half of it
        in each piece: written piece by piece, it would be another text."""
        if text.isascii() and not self._halves:
            return text  # most of them
        text = _joined(self._halves.pop(kind, "") + text)
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._halves[kind], text = text[-1], text[:-1]
        return text

    def judge(self, ending: Ending) -> Ending:
        """A reply without a word in it is no answer, whatever the provider says."""
        if isinstance(ending, Finished) and ending.reason in WHOLE and self.is_empty:
            return Failed("server", "The model sent an empty reply.", "/retry asks again.")
        return ending

    # As far as it has come ---------------------------------------------------------------

    @property
    def has_grown(self) -> bool:
        """Whether :meth:`take_growth` has something to give."""
        return self._taken != (len(self._text), len(self._reasoning))

    def take_growth(self) -> Growth:
        """What has come since this was asked before."""
        text, reasoning = self._taken
        self._taken = (len(self._text), len(self._reasoning))
        return Growth(
            self._id,
            "".join(self._text[text:]),
            "".join(self._reasoning[reasoning:]),
            self.choice.provider,
        )

    def so_far(self) -> Callable[[], Message]:
        """Makes the message of all that :meth:`take_growth` has given by now, whatever comes
        until it is called, in whatever thread."""
        text, reasoning = self._taken
        choice, said_at = self.choice, self._said_at

        def make() -> Message:
            private = {"reasoning": "".join(self._reasoning[:reasoning])} if reasoning else {}
            message = self._message("interrupted", private, "".join(self._text[:text]))
            return message._replace(model=choice.model, created_at=said_at or message.created_at)

        return make

    def _message(self, status: Status, private: Mapping[str, Any], text: str) -> Message:
        return Message(
            self._id,
            "assistant",
            text,
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
        for pieces, kind in ((self._text, TextDelta), (self._reasoning, ReasoningDelta)):
            pieces.extend(filter(None, [self._halves.pop(kind, "")]))
        given = storable(ending.provider_data) if isinstance(ending, Finished) else {}
        text, private = "".join(self._text), self._private(given)
        return self._message(self._status(ending), private, text)._replace(
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


def taken_by(reply: Reply) -> Callable[[Sequence[Event]], Coroutine[Any, Any, None]]:
    """Adds events to a reply of which nothing is kept while it comes."""

    async def take(events: Sequence[Event]) -> None:
        for event in events:
            reply.take(event)

    return take


def _joined(text: str) -> str:
    """The text with the halves of each character put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


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
