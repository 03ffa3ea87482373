"""One request in the model process: litellm called, its stream turned into events."""

from __future__ import annotations

import asyncio
import copy
import math
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from agno_shell.builtin.litellm_provider import errors, http_guard, requests
from agno_shell.builtin.litellm_provider.deltas import Thoughts, ToolCalls, usage_record
from agno_shell.builtin.litellm_provider.model_catalog import ModelCatalog
from agno_shell.builtin.litellm_provider.stream_tap import StreamTap
from agno_shell.builtin.litellm_provider.wire_watch import ToolEvent, WireWatch
from agno_shell.builtin.model_services import endpoints, failures, private_fields, reasoning
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import FailureContext
from agno_shell.builtin.model_services.keys import foreign_keys
from agno_shell.builtin.model_services.limits import Limits, seconds
from agno_shell.builtin.model_services.redact import Redactor, hidden, secrets
from agno_shell.builtin.model_services.services import service_of
from agno_shell.builtin.model_services.wires.failures import in_reading, unknown_end
from agno_shell.builtin.model_services.wires.reading import KNOWN_REASONS, letters_in
from agno_shell.errors import ProviderError
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    ProviderToolFinished,
    ReasoningDelta,
    TextDelta,
    UsageReported,
)
from agno_shell.types import NOTHING

Emit = Callable[[Event], None]

_REASONS = {
    **{name: name for name in ("stop", "length", "content_filter", "tool_calls")},
    "function_call": "tool_calls",  # its name before there could be several
}
"""The finish reasons of :class:`Finished`; what litellm passes on beside them is an end."""

_TURN = 0.01
"""Seconds of work after which the event loop is let go on."""

_CLOSING = 2.0
"""Seconds that closing a connection may take."""


class Completion:
    """One reply on its way from a server to ``emit``."""

    def __init__(
        self,
        record: Mapping[str, Any],
        catalog: ModelCatalog,
        limits: Limits,
        emit: Emit,
        files: Mapping[str, bytes] = NOTHING,
    ) -> None:
        self._record = record
        self._files = files
        self._model: str = record["model"]
        self._catalog = catalog
        self._limits = limits
        self._emit = emit
        self._waiting_for = "first_token"
        self._deadline = math.inf
        self._clock: asyncio.Timeout | None = None
        """Runs out when the next token is due."""
        self._bytes = 0
        self._letters = 0
        self._calls = ToolCalls()
        self._thoughts = Thoughts()
        self._wrapper: Any = None
        self._tap: StreamTap | None = None
        self._watch = WireWatch(self._emit_tool)

    async def run(self) -> StreamTap | None:
        """Emit the whole reply; the last event is Finished or Failed.

        Returns what is left of a complete reply's connection, for the caller to release.
        """
        released = False
        try:
            goal = self._catalog.destination(self._model, self._record["api_base"])
            self._target = self._catalog.target(goal)
            self._asked = requests.prepare(self._record, self._target, self._files)
        except ProviderError as error:
            self._emit(failures.as_failed(error))
            return None
        policy = http_guard.Policy(
            self._limits.connect,
            secrets(os.environ, goal.key_variable),
            goal.api_base,
            goal.api_key,
            goal.where,
            foreign_keys(goal.where, os.environ),
            self._limits.reply_bytes,
            goal.source,
            self._catalog.way,
            self._watch,
        )
        try:
            with http_guard.under(policy):
                await self._within_limits(goal)
            released = True
        except TimeoutError:
            self._emit(self._too_slow(goal))
        except ProviderError as error:
            self._emit(failures.as_failed(error))
        except Exception as error:
            # litellm raises anything at all; every failure becomes one sentence.
            self._emit(errors.explain(error, self._case(goal), self._watch))
        finally:
            if not released:
                await self._close()
        return self._tap if released else None

    def _case(self, goal: Destination) -> FailureContext:
        hide = Redactor(hidden(os.environ, goal.key_variable)).redact
        return FailureContext(goal, self._model, self._bytes > 0, hide, self._catalog.nearest)

    async def _within_limits(self, goal: Destination) -> None:
        start = asyncio.get_running_loop().time()
        self._deadline = start + self._limits.whole_reply
        until = self._wait_for("first_token", start + self._limits.first_token)
        async with asyncio.timeout_at(until) as self._clock:
            await self._open(goal)
            await self._read(goal, self._clock)

    def _wait_for(self, limit: str, until: float) -> float:
        """The time of the limit that comes first, which is then the one that is named."""
        self._waiting_for = limit if until <= self._deadline else "whole_reply"
        return min(until, self._deadline)

    async def _open(self, goal: Destination) -> None:
        """Ask, and again at once without a wish that the server refuses: some know only an
        older form of the protocol."""
        wishes = {"stream_options", "reasoning"}
        while True:
            call = self._place_and_limits(goal) | self._asked.arguments
            if "stream_options" in wishes:
                call["stream_options"] = {"include_usage": True}
            try:
                return await self._call(call)
            except Exception as error:
                refused = _refused(error, wishes, call)
                if refused is None:
                    raise
                wishes.remove(refused)
                if refused == "reasoning":
                    record = requests.without_reasoning(self._record)
                    self._asked = requests.prepare(record, self._target, self._files)

    def _place_and_limits(self, goal: Destination) -> dict[str, Any]:
        import httpx

        # The watchdog ends the wait; these only bound what it does not see.
        whole = self._limits.whole_reply
        timeout = httpx.Timeout(whole, connect=self._limits.connect)
        call = {"model": goal.model, "stream": True, "max_retries": 0, "timeout": timeout}
        if goal.api_base is not None:
            service = service_of(goal.model)
            base = endpoints.shaped(service, goal.api_base) if service else goal.api_base
            call |= {"api_base": base, "api_key": goal.api_key}
        return call

    async def _call(self, call: Mapping[str, Any]) -> None:
        import litellm

        # litellm writes into what it is given.
        self._wrapper = await litellm.acompletion(**copy.deepcopy(dict(call)))
        source = await self._source()
        if source is not None:
            self._tap = StreamTap(self._wrapper, source, self._watch)
            self._wrapper.completion_stream = self._tap

    async def _source(self) -> Any:
        """The stream below the wrapper; None where the wrapper is built otherwise."""
        if not hasattr(self._wrapper, "received_finish_reason"):
            return None
        if self._wrapper.completion_stream is None:
            await self._wrapper.fetch_stream()
        source = self._wrapper.completion_stream
        return source if hasattr(source, "__aiter__") else None

    async def _read(self, goal: Destination, clock: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        said: str | None = None
        yielded_at = loop.time()
        async for chunk in self._wrapper:
            if loop.time() - yielded_at > _TURN:
                # A fast server never lets the loop wait: cancelling must get its turn.
                await asyncio.sleep(0)
                yielded_at = loop.time()
            for choice in chunk.choices[:1]:
                if self._pass_on(choice.delta):
                    until = loop.time() + self._limits.between_tokens
                    clock.reschedule(self._wait_for("between_tokens", until))
                said = choice.finish_reason or said
            if said is not None and not self._lacks_end():
                break
        clock.reschedule(None)
        if said is not None and self._tap is not None and self._tap.finish_reason is not None:
            await self._tap.settle()
        self._finish(goal, said)

    def _pass_on(self, delta: Any) -> bool:
        """Emit what a delta holds; whether it held anything."""
        text = delta.content or ""
        thought = self._thoughts.feed(delta)
        size = self._calls.feed(delta.tool_calls)
        if thought:
            self._emit(ReasoningDelta(thought))
        if text:
            self._emit(TextDelta(text))
            self._letters += letters_in(text)
        if delta.tool_calls and not (thought or text):
            self._emit(HiddenDelta())
        self._bytes += len(text.encode("utf-8", "replace")) + size
        self._bytes += len(thought.encode("utf-8", "replace"))
        if self._bytes > self._limits.reply_bytes:
            raise failures.too_long(self._limits.reply_bytes)
        return bool(text or thought or delta.tool_calls)

    def _emit_tool(self, event: ToolEvent) -> None:
        """A tool that the service runs itself begins, or is over."""
        self._bytes += len(event.call.arguments.encode("utf-8", "replace"))
        if isinstance(event, ProviderToolFinished):
            self._bytes += len(event.result.encode("utf-8", "replace"))
        if self._clock is not None and self._clock.when() is not None:
            # A tool that the service runs may take as long as the reply.
            is_over = isinstance(event, ProviderToolFinished)
            wait = self._limits.between_tokens if is_over else math.inf
            until = asyncio.get_running_loop().time() + wait
            self._clock.reschedule(self._wait_for("between_tokens", until))
        self._emit(event)

    def _lacks_end(self) -> bool:
        """Whether the server is known not to have ended the reply, even if litellm reports it."""
        return self._watch.is_exact and self._watch.reason is None

    def _finish(self, goal: Destination, said: str | None) -> None:
        """The end of the stream: complete only if the server itself reported it."""
        watch = self._watch
        self._calls.drop(watch.server_tools)
        reason = watch.reason or _REASONS.get(said or "stop", "stop")
        if watch.trouble is not None:  # litellm has passed over it
            self._emit(in_reading(self._case(goal), watch.trouble))
        elif self._lacks_end() or (self._tap is not None and self._tap.finish_reason is None):
            raise errors.cut_off(goal, self._wrapper, anything=self._bytes > 0)
        elif reason not in KNOWN_REASONS:
            self._emit(unknown_end(self._case(goal), reason))
        elif watch.holds_more(self._letters, len(self._calls)):
            self._emit(errors.left_out(self._case(goal)))
        else:
            self._finish_for(reason, goal)

    def _finish_for(self, reason: str, goal: Destination) -> None:
        calls = list(self._calls.events())
        if calls and reason == "stop":
            reason = "tool_calls"  # some servers report "stop" anyway
        if not self._bytes and not calls:
            raise failures.empty(goal, self._model, reason)
        for call in calls:
            self._emit(call)
        counts = self._tap.usage if self._tap is not None else {}
        if counts:
            # At another address the model may be any, and so its price.
            cost = None if goal.elsewhere else self._catalog.cost(goal.model, counts)
            self._emit(UsageReported(usage_record(counts, cost)))
        self._emit(Finished(reason, self._private_fields(calls=bool(calls))))

    def _private_fields(self, *, calls: bool) -> dict[str, Any]:
        return private_fields.kept(
            self._target,
            self._asked.thinking,
            reasoning=self._thoughts.text,
            blocks=self._thoughts.blocks,
            signatures=self._calls.signatures,
            items=self._thoughts.items,
            calls=calls,
        )

    def _too_slow(self, goal: Destination) -> Failed:
        name, anything = self._waiting_for, self._bytes > 0
        limit = seconds(getattr(self._limits, name))
        return failures.as_failed(failures.too_slow(goal, name, limit, anything=anything))

    async def _close(self) -> None:
        """Close the connection, in any state."""
        if self._wrapper is None or not hasattr(self._wrapper, "aclose"):
            return
        try:
            async with asyncio.timeout(_CLOSING):
                await self._wrapper.aclose()
        except Exception:
            # Nothing depends on it: the reply has ended already.
            pass


def _refused(error: Exception, wishes: Collection[str], call: Mapping[str, Any]) -> str | None:
    """Which of the wishes a server has refused."""
    if "stream_options" in wishes and errors.is_refusal_of(error, "stream_options"):
        return "stream_options"
    thinks = any(name in call for name in reasoning.PARAMETERS)
    words = ("reasoning", "think")
    if "reasoning" in wishes and thinks and any(errors.is_refusal_of(error, w) for w in words):
        return "reasoning"
    return None
