"""What a turn tells while it runs, and the request that starts it.

A provider yields :data:`Event` values; the engine adds what it does itself. A
shell, a one-shot command, a test and a plugin all read the same stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args

from agno_shell.types import (
    NOTHING,
    Message,
    Reasoning,
    Role,
    Status,
    ToolCall,
    ToolSchema,
    Usage,
)

FAILURES = (
    "authentication",
    "unknown_model",
    "unreachable",
    "rate_limited",
    "overflow",
    "timeout",
    "refused",
    "server",
    "provider_died",
    "storage",
    "not_sent",
    "plugin_failed",
    "wrong_address",
    "other",
)
"""Why a turn failed, in words that a program can compare. ``refused`` is what the other side
refuses for what it holds, or a plugin for it; ``not_sent`` is what the settings or the budget
keep from leaving, and ``plugin_failed`` what a plugin was to look at and could not;
``wrong_address`` is an answer of a server that is none for models."""

NOT_SENT_AGAIN = ("refused", "overflow", "plugin_failed")
"""Failures that would meet every later request with the same message in it; a plugin may have
failed at what that message holds."""


@dataclass(frozen=True)
class Request:
    """What a provider is asked. The system text, if any, is the first message."""

    model: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Model parameters under their usual names: temperature, top_p, max_tokens, …"""
    api_base: str | None = None
    tools: tuple[ToolSchema, ...] = ()
    """What the model may ask for."""
    reasoning: Reasoning | None = None
    """None: as the model does by itself."""
    files: Mapping[str, bytes] = field(default_factory=lambda: NOTHING)
    """The contents of the messages' attachments that are no text, by their SHA-256. Those
    that are text stand in the content of their messages already."""

    @property
    def asks(self) -> bool:
        """Whether its last message is one to be answered."""
        last = self.messages[-1] if self.messages else None
        if last is None or last.role not in ("user", "tool"):
            return False
        return last.role == "tool" or bool(last.content.strip() or last.attachments)


def what_is_wrong(changed: object, before: Request) -> str:
    """Why what a plugin made of the request ``before`` cannot be sent; empty: it can."""
    if not isinstance(changed, Request):
        return f"it returned {type(changed).__name__}, not Request"
    for message in changed.messages:
        if not isinstance(message, Message):
            return f"it returned a Request with {type(message).__name__} as a message"
        if not isinstance(message.content, str):
            return f"it returned a message with {type(message.content).__name__} as its content"
        if message.role not in get_args(Role):
            return f"it returned a message with {message.role!r} as its role"
    return "it returned a Request that asks nothing" if before.asks and not changed.asks else ""


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    """The next piece of what the model thinks aloud before it answers."""

    text: str


@dataclass(frozen=True)
class HiddenDelta:
    """Something of the reply has come that is not shown, such as a part of a tool's call. It
    counts as a token for ``between_tokens``; a server's keep-alive is none."""


@dataclass(frozen=True)
class ProviderToolStarted:
    """The provider runs a tool itself, such as its service's own search. It is shown and
    stored with the reply; nobody here is asked, and it is never sent back as a call."""

    call: ToolCall
    """With its arguments as far as they are known, as text; with an id that no other call of
    the reply has."""


@dataclass(frozen=True)
class ProviderToolFinished:
    """A tool that the provider runs itself is over. One that began unseen may end."""

    call: ToolCall
    """With the id with which it started, and all of its arguments."""
    result: str = ""
    """What is to be shown and kept of what it gave, as text."""
    status: Status = "complete"
    """complete, failed, or why it was not run to its end."""


@dataclass(frozen=True)
class SpeakerChanged:
    """Who speaks from here on in this reply, such as a member of a team. What each of them
    says is a message of its own. The engine passes it on with the first thing that the
    speaker says, and behind the ``MessageSaved`` of who spoke before."""

    name: str | None = None
    """None, or an empty name: the model itself, as at the beginning of every reply."""


@dataclass(frozen=True)
class UsageReported:
    """Token counts and cost, as far as they are known."""

    usage: Usage


@dataclass(frozen=True)
class Finished:
    """The model said itself that it is done; always the last event of a provider."""

    reason: str = "stop"
    """stop, length, content_filter or tool_calls."""
    provider_data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Private fields to hand back to this provider with the next request."""


@dataclass(frozen=True)
class Interrupted:
    """The user stopped the reply; what came is kept."""


@dataclass(frozen=True)
class Failed:
    """The reply ended without being finished; what came is kept. Always the last event."""

    kind: str
    """A word of :data:`FAILURES`."""
    message: str
    """One sentence, without secrets; foreign text in it is not yet cleaned."""
    hint: str = ""
    temporary: bool = False
    """The same request may well succeed in a moment: what is busy, down or limits how much
    it is asked. Tried again as long as nothing of the reply was shown."""
    retry_after: float | None = None
    """Seconds after which the other side wants to be asked again, if it said so."""

    def sentence(self) -> str:
        return f"{self.message} {self.hint}".strip()


Why = Literal["instructions", "summary", "pinned", "recent", "question"]
"""Why a message is sent: the system text with what the session remembers; what stands for
earlier ones; chosen by the user; among the newest; what is to be answered."""


class ReceiptRow(NamedTuple):
    """One message of a request, or a part of one."""

    message: Message
    """As it is sent; where rows are joined, with its own part of the text."""
    tokens: int
    why: Why
    joined: bool = False
    """Sent in one message with the row before it, because both have the same role."""


class LeftOut(NamedTuple):
    """Messages of the path that are not sent."""

    messages: int
    """How many."""
    why: Literal["window", "summary", "empty", "refused"]
    """The window is full; a summary stands for them; they hold nothing; the other side has
    refused them."""
    at_least: bool = False
    """There are more: the path is not read to its beginning for a request."""


class Receipt(NamedTuple):
    """Exactly what a request holds, and what it does not."""

    rows: tuple[ReceiptRow, ...]
    left_out: tuple[LeftOut, ...]
    tool_tokens: int
    """Tokens of the descriptions of the tools."""
    window: int
    """Tokens that a request and its reply may have together."""
    window_known: bool
    """Whether the provider knows the window; else it is the configured one."""
    reserve: int
    """Tokens of the window that are kept free for the reply."""
    estimated: bool
    """Whether the tokens are an estimate, and not counted as this model counts them."""

    @property
    def tokens(self) -> int:
        """All tokens of the request."""
        return sum(row.tokens for row in self.rows) + self.tool_tokens


@dataclass(frozen=True)
class RequestPrepared:
    """What is about to be sent. The user's message is on disk by now. In a turn with
    tools there are several."""

    request: Request
    receipt: Receipt


@dataclass(frozen=True)
class Retrying:
    """A request failed before its reply began, and is tried again after ``seconds``."""

    failure: Failed
    seconds: float
    attempt: int
    """The number of the try that comes: 2 or more."""
    attempts: int
    """How many there are at most."""


@dataclass(frozen=True)
class FellBack:
    """A model is down; the next of the configured ones is asked."""

    failure: Failed
    model: str
    """The one that failed."""
    to: str
    """The one that is asked now."""


@dataclass(frozen=True)
class ToolStarted:
    """A tool was allowed, and runs."""

    call: ToolCall


@dataclass(frozen=True)
class ToolFinished:
    """A tool's result, or why there is none; the message is saved next."""

    call: ToolCall
    result: Message


@dataclass(frozen=True)
class MessageSaved:
    """``message`` is durable in its session."""

    message: Message


@dataclass(frozen=True)
class NotSaved:
    """``message`` could not be written; it stays in the shell's memory."""

    message: Message
    reason: str


Event = (
    TextDelta
    | ReasoningDelta
    | ToolCall
    | ProviderToolStarted
    | ProviderToolFinished
    | SpeakerChanged
    | UsageReported
    | HiddenDelta
    | Finished
    | Failed
)
"""What a provider yields."""

Ending = Finished | Failed | Interrupted
"""How a turn ends."""

TurnEvent = (
    Event
    | Interrupted
    | RequestPrepared
    | Retrying
    | FellBack
    | ToolStarted
    | ToolFinished
    | MessageSaved
    | NotSaved
)
"""What a turn emits. Each reply, each part of one that another speaker follows, and each
result of a tool, is followed by its ``MessageSaved`` or ``NotSaved``; there is one
:data:`Ending`, before that of the last. In a reply that is stopped, the ending may come
before that of a part."""

Emit = Callable[[TurnEvent], object]
"""Gets the events of a turn, one after the other, while it runs."""

EVENT_FIELDS: Mapping[type, Mapping[str, type | tuple[type, ...]]] = {
    TextDelta: {"text": str},
    ReasoningDelta: {"text": str},
    ToolCall: {"id": str, "name": str, "arguments": str},
    ProviderToolStarted: {"call": ToolCall},
    ProviderToolFinished: {"call": ToolCall, "result": str, "status": str},
    SpeakerChanged: {"name": (str, NoneType)},
    UsageReported: {"usage": Usage},
    HiddenDelta: {},
    Finished: {"reason": str, "provider_data": Mapping},
    Failed: {"kind": str, "message": str, "hint": str, "retry_after": (int, float, NoneType)},
}
"""What a provider may yield, and the types of its fields: the engine checks each event."""
