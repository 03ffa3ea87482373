"""What a turn tells while it runs, and the request that starts it.

A provider yields :data:`Event` values; the engine adds what it does itself. A
shell, a one-shot command, a test and a plugin all read the same stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agno_shell.types import NOTHING, Message, Usage

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
    "other",
)
"""Why a turn failed, in words that a program can compare."""


@dataclass(frozen=True)
class Request:
    """What a provider is asked. The system text, if any, is the first message."""

    model: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Model parameters under their usual names: temperature, top_p, max_tokens, …"""
    api_base: str | None = None


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    """The next piece of what the model thinks aloud before it answers."""

    text: str


@dataclass(frozen=True)
class ToolCall:
    """The model asks for a function; ``arguments`` is JSON text as it came."""

    id: str
    name: str
    arguments: str


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
    """The person stopped the reply; what came is kept."""


@dataclass(frozen=True)
class Failed:
    """The reply ended without being finished; what came is kept. Always the last event."""

    kind: str
    """A word of :data:`FAILURES`."""
    message: str
    """One sentence, without secrets; foreign text in it is not yet cleaned."""
    hint: str = ""

    def sentence(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class RequestPrepared:
    """What is about to be sent. The person's message is on disk by now."""

    request: Request
    omitted: int = 0
    """How many earlier messages did not fit the model's window."""


@dataclass(frozen=True)
class MessageSaved:
    """``message`` is durable in its session."""

    message: Message


@dataclass(frozen=True)
class NotSaved:
    """``message`` could not be written; it stays in the shell's memory."""

    message: Message
    reason: str


Event = TextDelta | ReasoningDelta | ToolCall | UsageReported | Finished | Failed
"""What a provider yields."""

TurnEvent = Event | Interrupted | RequestPrepared | MessageSaved | NotSaved
"""What a turn yields."""
