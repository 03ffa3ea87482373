"""One question and its answer: nothing is read from the sessions, and nothing is saved."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, BinaryIO, TextIO

from agno_shell.config import Agent
from agno_shell.contracts import Provider, Renderer
from agno_shell.conversation.context import build_request, system_message
from agno_shell.conversation.models import Choice
from agno_shell.conversation.report import metrics_line
from agno_shell.conversation.stream import Stream
from agno_shell.errors import ProviderError, UsageError
from agno_shell.events import Failed, Finished, Request, TextDelta, UsageReported
from agno_shell.plugins import Plugins
from agno_shell.terminal_text import Cleaner, clean
from agno_shell.types import Message, Timing, Usage, new_id, now

LONGEST_INPUT = 16 * 1024 * 1024
"""Bytes of standard input; more is no question."""


def question(text: str, piped: BinaryIO | None) -> str:
    """The text, with what is piped behind it; UsageError when that is no text."""
    if piped is None:
        return text
    data = piped.read(LONGEST_INPUT + 1)
    if len(data) > LONGEST_INPUT:
        raise UsageError(
            f"Standard input is larger than {LONGEST_INPUT // 1024**2} MiB; nothing was sent.",
            hint="Pipe a part of it.",
        )
    try:
        behind = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        behind = "\0"
    if "\0" in behind:
        raise UsageError("Standard input is binary; nothing was sent.", hint="Pipe text in UTF-8.")
    return f"{text}\n\n{behind}" if behind.strip() else text


class Answer:
    """The reply as it comes: to the screen line by line, or whole as JSON at its end."""

    def __init__(self, sink: TextIO, renderer: Renderer, *, as_json: bool) -> None:
        self._sink = sink
        self._json = as_json
        self._cleaner = Cleaner()
        self._stream = renderer.begin(0)
        self._parts: list[str] = []
        self._usage: Usage | None = None
        self._since = time.monotonic()
        self._first: float | None = None

    def take(self, event: object) -> None:
        """Show a text delta, remember the figures."""
        if isinstance(event, UsageReported):
            self._usage = event.usage
        elif isinstance(event, TextDelta):
            self._first = self._first or time.monotonic() - self._since
            self._parts.append(event.text)
            if not self._json:
                self._write(self._stream.feed(self._cleaner.feed(event.text)))

    def end(self, request: Request, ending: Finished | Failed) -> Message:
        """Show the rest; returns the reply."""
        reply = Message(
            new_id(),
            "assistant",
            "".join(self._parts),
            now(),
            model=request.model,
            usage=self._usage,
            timing=Timing(self._first, time.monotonic() - self._since),
        )
        if self._json:
            self._sink.write(json.dumps(_record(reply, ending), ensure_ascii=True) + "\n")
        else:
            rest = self._stream.feed(self._cleaner.finish())
            self._write([*rest, *self._stream.finish()])
        self._sink.flush()
        return reply

    def _write(self, lines: Any) -> None:
        text = "".join("".join(clean(part) for _style, part in line) + "\n" for line in lines)
        if text:
            encoding = self._sink.encoding or "utf-8"
            self._sink.write(text.encode(encoding, "replace").decode(encoding))
            self._sink.flush()


def _record(reply: Message, ending: Finished | Failed) -> dict[str, Any]:
    error = None
    if isinstance(ending, Failed):
        error = {"kind": ending.kind, "message": ending.sentence()}
    return {
        "model": reply.model,
        "reply": reply.content,
        "finish_reason": None if isinstance(ending, Failed) else ending.reason,
        "error": error,
        "usage": reply.usage._asdict() if reply.usage else None,
        "timing": reply.timing._asdict() if reply.timing else None,
    }


async def ask(
    text: str,
    *,
    provider: Provider,
    choice: Choice,
    agent: Agent | None,
    facts: Mapping[str, Any],
    api_base: str | None,
    plugins: Plugins,
    answer: Answer,
    metrics: bool,
) -> None:
    """Ask and show; raises ProviderError when the request failed."""
    system = system_message(agent.instructions if agent else "", facts)
    messages = [Message(new_id(), "user", text, now())]
    request = build_request([*([system] if system else []), *messages], choice, agent, api_base)
    request = plugins.prepare_request(None, request)
    ending: Finished | Failed = Failed("other", "The reply ended without being finished.")
    stream = Stream(provider, request)
    async with aclosing(stream.events()) as events:
        async for event in events:
            if isinstance(event, Finished | Failed):
                ending = event
            else:
                answer.take(event)
    reply = answer.end(request, ending)
    if metrics:
        print(metrics_line(reply), file=sys.stderr)  # noqa: T201
    if isinstance(ending, Failed):
        raise ProviderError(ending.message, hint=ending.hint, kind=ending.kind)
    if ending.reason != "stop" or not reply.content.strip():
        said = f"ended early ({ending.reason})" if ending.reason != "stop" else "is empty"
        raise ProviderError(f"The reply {said}.", kind="server")
