"""A reply that grows while it streams, its parts by speaker, the tools that the provider runs
in it, and the messages that it becomes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.conversation.models import Choice
from agno_shell.conversation.speakers import Change, Speakers
from agno_shell.events import (
    Ending,
    Event,
    Failed,
    Finished,
    Interrupted,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.types import (
    NEXT_SPEAKER,
    Growth,
    Message,
    ProviderTool,
    Status,
    Timing,
    ToolCall,
    Usage,
    new_id,
    now,
)


class _Running(NamedTuple):
    call: ToolCall
    since: float
    message_id: str
    """The message in which it began."""
    at: int


class RunningTools:
    """Those of one reply that have begun and are not over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: dict[str, _Running] = {}

    def start(self, call: ToolCall, message_id: str, at: int) -> None:
        """A tool begins in a message behind ``at`` characters of its content."""
        self._running[call.id] = _Running(call, self._clock(), message_id, at)

    def finish(self, event: ProviderToolFinished, message_id: str, at: int) -> ProviderTool:
        """What is kept of a tool that ends in a message behind ``at`` characters. It is part
        of that message; where it began in the same one, that is its place."""
        call = event.call
        began = self._running.pop(call.id, None)
        if began is None:
            return ProviderTool(*call, event.result, event.status, at=at)
        if began.message_id == message_id:
            at = began.at
        # Some tell the arguments with the beginning, others with the end.
        arguments = call.arguments or began.call.arguments
        seconds = max(0.0, self._clock() - began.since)
        name = call.name or began.call.name
        return ProviderTool(call.id, name, arguments, event.result, event.status, seconds, at)

    def left(self, status: Status, message_id: str, at: int) -> Iterator[ProviderTool]:
        """Those that the reply has not waited for, which end with it."""
        for began in list(self._running.values()):
            yield self.finish(ProviderToolFinished(began.call, "", status), message_id, at)


class Extent(NamedTuple):
    """How far a part has come: pieces of its text and reasoning, and tools."""

    text: int = 0
    reasoning: int = 0
    tools: int = 0


class Part:
    """Grows at its end alone, so that any beginning of it can be had later, in whatever
    thread."""

    def __init__(self, parent: str | None, speaker: str | None = None) -> None:
        self.id = new_id()
        self.parent = parent
        self.speaker = speaker
        self.length = 0
        """Characters of the text."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tools: list[ProviderTool] = []
        self._halves: dict[type, str] = {}
        """The first halves of characters whose second halves have not come yet."""
        self._said_at: datetime | None = None

    @property
    def extent(self) -> Extent:
        """All of it."""
        return Extent(len(self._text), len(self._reasoning), len(self._tools))

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    def say(self, event: TextDelta | ReasoningDelta) -> None:
        """Add a piece of text or of reasoning."""
        if text := self._without_half(type(event), event.text):
            self._add(type(event), text)

    def add_tool(self, tool: ProviderTool) -> None:
        """Add a tool that the provider has run."""
        self._tools.append(tool)
        self._said_at = self._said_at or now()

    def end(self) -> None:
        """Nothing more comes: halves of characters stay what they are."""
        for kind, half in self._halves.items():
            self._add(kind, half)
        self._halves.clear()

    def _add(self, kind: type, text: str) -> None:
        if kind is ReasoningDelta:
            self._reasoning.append(text)
        else:
            self._text.append(text)
            self.length += len(text)
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

    def growth(self, since: Extent, provider: str) -> Growth:
        """What has come ``since``, but for tools."""
        text = "".join(self._text[since.text :])
        return Growth(self.id, text, "".join(self._reasoning[since.reasoning :]), provider)

    def message(self, upto: Extent, provider: str, model: str) -> Message:
        """The message of what had come when it was this far."""
        reasoning = "".join(self._reasoning[: upto.reasoning])
        private = {"reasoning": reasoning} if reasoning else {}
        return self._message(upto, "interrupted", {provider: private} if private else {}, model)

    def whole(self, status: Status, data: Mapping[str, Any], model: str) -> Message:
        """The message of all that has come; ``data`` is the provider's, by its name."""
        return self._message(self.extent, status, data, model)

    def _message(
        self, upto: Extent, status: Status, data: Mapping[str, Any], model: str
    ) -> Message:
        return Message(
            self.id,
            "assistant",
            "".join(self._text[: upto.text]),
            # The same in each state of the reply, so that a storage need only keep what was
            # added to the one before.
            self._said_at or now(),
            parent=self.parent,
            status=status,
            model=model,
            provider_data=data,
            speaker=self.speaker,
            provider_tools=tuple(self._tools[: upto.tools]),
        )


def _joined(text: str) -> str:
    """The text with the halves of each character put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


WHOLE = ("stop", "tool_calls")
"""Reasons for an end that leave nothing missing."""

CONTENT = (TextDelta, ReasoningDelta, ToolCall, ProviderToolStarted, ProviderToolFinished)
"""What is part of a reply."""


class Reply:
    """One reply. What each speaker says in it is a :class:`Part` and becomes a message."""

    def __init__(self, parent: str | None, choice: Choice) -> None:
        self.choice = choice
        """Who answers; another one after a fallback."""
        self._part = Part(parent)
        """What whoever speaks now has said."""
        self._ended: deque[Message] = deque()
        """The messages of those who spoke before."""
        self._speakers = Speakers()
        self._taken = Extent()
        """How much of the part :meth:`take_growth` has given."""
        self._calls: list[ToolCall] = []
        self._tools = RunningTools()
        self._has_words = False
        self._usage: Usage | None = None
        self._began = 0.0
        self._first_token: float | None = None

    def begin(self, choice: Choice) -> None:
        """A request leaves for ``choice``."""
        self.choice = choice
        self._began = time.monotonic()

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a word in it nor a call."""
        return not (self._calls or self._has_words)

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
        if change := self._speakers.feed(event):
            self._change(change)
        if not isinstance(event, CONTENT):
            return
        if self._first_token is None:
            self._first_token = time.monotonic() - self._began
        match event:
            case TextDelta() | ReasoningDelta():
                self._part.say(event)
                if isinstance(event, TextDelta) and not self._has_words:
                    self._has_words = bool(event.text) and not event.text.isspace()
            case ToolCall():
                self._calls.append(event)
            case ProviderToolStarted(call):
                self._tools.start(call, self._part.id, self._part.length)
            case ProviderToolFinished():
                tool = self._tools.finish(event, self._part.id, self._part.length)
                self._part.add_tool(tool)

    def _change(self, change: Change) -> None:
        """Another speaker begins, perhaps before anybody has said something."""
        if not change.ends_message:
            self._part.speaker = change.name
            return
        self._part.end()
        part = self._part
        data = self._data(part, {})
        message = part.whole("complete", data, self.choice.model)
        self._ended.append(message._replace(extra={"finish_reason": NEXT_SPEAKER}))
        self._part, self._taken = Part(part.id, change.name), Extent()

    def ended(self) -> Iterator[Message]:
        """The messages of speakers behind whom another one has begun, each of them once."""
        while self._ended:
            yield self._ended.popleft()

    def judge(self, ending: Ending) -> Ending:
        """A reply without a word in it is no answer, whatever the provider says."""
        if isinstance(ending, Finished) and ending.reason in WHOLE and self.is_empty:
            return Failed("server", "The model sent an empty reply.", "/retry asks again.")
        return ending

    # As far as it has come ---------------------------------------------------------------

    @property
    def message_id(self) -> str:
        """That of the message that grows now."""
        return self._part.id

    @property
    def has_grown(self) -> bool:
        """Whether :meth:`take_growth` has something to give."""
        return self._taken != self._part.extent

    @property
    def has_new_tools(self) -> bool:
        """Whether something of it has come that a growth does not say: see :class:`Growth`."""
        return self._taken.tools != self._part.extent.tools

    def take_growth(self) -> Growth:
        """What has come since this was asked before."""
        since, self._taken = self._taken, self._part.extent
        return self._part.growth(since, self.choice.provider)

    def so_far(self) -> Callable[[], Message]:
        """Makes the message of all that :meth:`take_growth` has given by now, whatever comes
        until it is called, in whatever thread."""
        part, taken, choice = self._part, self._taken, self.choice
        return lambda: part.message(taken, choice.provider, choice.model)

    def _data(self, part: Part, given: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's own fields, with the reasoning even of a reply without an end."""
        if part.reasoning and "reasoning" not in given:
            given = {**given, "reasoning": part.reasoning}
        return {self.choice.provider: dict(given)} if given else {}

    def finish(self, ending: Ending) -> Message:
        """The message to be stored, of several in the reply the last one."""
        part = self._part
        part.end()
        cut: Status = "interrupted" if isinstance(ending, Interrupted) else "incomplete"
        for tool in self._tools.left(cut, part.id, part.length):
            part.add_tool(tool)
        given = storable(ending.provider_data) if isinstance(ending, Finished) else {}
        made = part.whole(self._status(ending), self._data(part, given), self.choice.model)
        return made._replace(
            usage=self._usage,
            timing=Timing(self._first_token, time.monotonic() - self._began)
            if self._began
            else Timing(),
            tool_calls=self.tool_calls(ending),
            extra=_reason(ending),
        )

    def finish_as_one(self, ending: Ending) -> Message:
        """One message with the text of all of them, where who speaks is of no interest."""
        *before, last = (*self.ended(), self.finish(ending))
        if not before:
            return last
        texts = (each.content.strip() for each in (*before, last))
        return last._replace(content="\n\n".join(filter(None, texts)), speaker=None)

    def _status(self, ending: Ending) -> Status:
        if isinstance(ending, Interrupted):
            return "interrupted"
        if isinstance(ending, Failed):
            return "incomplete" if any(self._part.extent) else "failed"
        return "complete" if ending.reason in WHOLE else "incomplete"


def taken_by(reply: Reply) -> Callable[[Sequence[Event]], Coroutine[Any, Any, None]]:
    """Adds events to a reply of which nothing is kept while it comes."""

    async def take(events: Sequence[Event]) -> None:
        for event in events:
            reply.take(event)

    return take


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
