"""How long, and how much, a reply may take, whoever's plugin the provider is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from agno_shell.config import Config, settings
from agno_shell.events import (
    Event,
    Failed,
    HiddenDelta,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    SpeakerChanged,
    TextDelta,
)
from agno_shell.toolkit.wording import count
from agno_shell.types import ToolCall

STARTING = 10.0
"""Seconds that a provider may take to get ready, before those until the first token count."""

GRACE = 1.0
"""Seconds behind a limit in which a provider may say itself that it has passed: it knows which
server was too slow, and what else has happened."""


RECORD_BYTES = 100
"""What a tool or a change of the speaker counts beside its texts: each of them makes a record."""


class ReplyLimits(NamedTuple):
    """``[provider.limits]`` as far as they bound what a provider yields: seconds, and bytes of
    text, reasoning, calls and results together."""

    connect: float = 10.0
    first_token: float = 60.0
    between_tokens: float = 60.0
    whole_reply: float = 900.0
    reply_bytes: float = 16 * 1024 * 1024

    @classmethod
    def of(cls, config: Config) -> ReplyLimits:
        return cls(
            config[settings.LIMIT_CONNECT],
            config[settings.LIMIT_FIRST_TOKEN],
            config[settings.LIMIT_BETWEEN_TOKENS],
            config[settings.LIMIT_WHOLE_REPLY],
            config[settings.LIMIT_REPLY_BYTES],
        )


DEFAULT_LIMITS = ReplyLimits()


class LimitWatch:
    """Watches one reply, and calls ``passed`` once when it takes too long or too much.

    A token costs a note of the time: one timer stands for all of them, and is set anew only
    when it has run out.
    """

    def __init__(self, limits: ReplyLimits, model: str, passed: Callable[[Failed], None]) -> None:
        self._limits = limits
        self._model = model
        self._passed = passed
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._whole_by = now + limits.whole_reply + GRACE
        self._next_by = now + STARTING + limits.connect + limits.first_token + GRACE
        self._has_begun = False
        self._bytes = 0
        self._running: set[str] = set()
        """The tools that the provider runs: they may take as long as the reply."""
        self._is_held = False
        """Whether the provider waits for what it has yielded to be taken."""
        self._timer: asyncio.TimerHandle | None = None
        self._set(min(self._next_by, self._whole_by))

    def note(self, event: Event) -> bool:
        """Count an event; False when it is one too many."""
        if (size := size_of(event)) is None:
            return True
        self._bytes += size
        if isinstance(event, ProviderToolStarted):
            self._running.add(event.call.id)
        elif isinstance(event, ProviderToolFinished):
            self._running.discard(event.call.id)
        self._next_by = self._loop.time() + self._limits.between_tokens + GRACE
        if not self._has_begun:
            self._has_begun = True
            # The timer stands where the first token was due, which may be later.
            self._set(min(self._next_by, self._whole_by))
        if self._bytes <= self._limits.reply_bytes:
            return True
        most = self._limits.reply_bytes
        self._end("reply_bytes", f"The reply was cut off: it is longer than {most:,.0f} bytes.")
        return False

    def hold(self) -> None:
        """The provider is made to wait: that is no silence of its own."""
        self._is_held = True

    def go_on(self) -> None:
        self._is_held = False
        self._next_by = self._loop.time() + self._limits.between_tokens + GRACE

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _set(self, when: float) -> None:
        self.close()
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        now, limits = self._loop.time(), self._limits
        is_busy = self._is_held or bool(self._running)
        until = self._whole_by if is_busy else min(self._next_by, self._whole_by)
        if is_busy and now < until:
            self._set(min(until, now + limits.between_tokens))
        elif now < until:
            self._set(until)
        elif now >= self._whole_by:
            amount = _seconds(limits.whole_reply)
            self._end("whole_reply", f"The reply was cut off: it took longer than {amount}.")
        elif self._has_begun:
            amount = _seconds(limits.between_tokens)
            said = f"The reply was cut off: nothing came from {self._model} for {amount}."
            self._end("between_tokens", said)
        else:
            amount = _seconds(limits.first_token)
            self._end("first_token", f"{self._model} did not begin to answer within {amount}.")

    def _end(self, limit: str, message: str) -> None:
        self.close()
        again = "" if limit == "reply_bytes" else "/retry asks again. "
        hint = f"{again}[provider.limits] {limit} in the config file sets the limit."
        kind = "other" if limit == "reply_bytes" else "timeout"
        self._passed(Failed(kind, message, hint))


def size_of(event: Event) -> int | None:
    """Bytes that count of an event; None for one with which nothing of the reply comes."""
    if isinstance(event, TextDelta | ReasoningDelta):  # most of them
        return _size(event.text)
    match event:
        case ToolCall():
            return _size(event.arguments)
        case ProviderToolStarted(call):
            return RECORD_BYTES + _size(call.name) + _size(call.arguments)
        case ProviderToolFinished(call, result):
            return RECORD_BYTES + _size(call.name) + _size(call.arguments) + _size(result)
        case SpeakerChanged(name):
            return RECORD_BYTES + _size(name or "")
        case HiddenDelta():
            return 0
    return None


def _size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _seconds(value: float) -> str:
    return count(int(value), "second") if value == int(value) else f"{value:g} seconds"
