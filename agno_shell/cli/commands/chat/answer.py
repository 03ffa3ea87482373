"""The answer to one question, as it is written: text line by line, or JSON at its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from agno_shell.contracts import Line, Renderer
from agno_shell.conversation.accounts.trace import Recorder
from agno_shell.events import (
    Ending,
    Failed,
    FellBack,
    Finished,
    ProviderToolFinished,
    ProviderToolStarted,
    Retrying,
    SpeakerChanged,
    TextDelta,
    TurnEvent,
)
from agno_shell.toolkit.reports import (
    reply_line,
    seconds,
    tokens_per_second,
    trace_lines,
    trace_record,
)
from agno_shell.toolkit.terminal_text import Cleaner, clean, clean_line
from agno_shell.types import Attachment, Message

LONGEST_NOTE = 1_000
"""Characters."""

LONGEST_CALL = 200
"""Characters of a call of which there is only a note."""


class Answer:
    """What comes, on its way out: the reply to ``sink``, and notes about it to
    ``aside``, or all of it in one record to ``sink``."""

    def __init__(
        self,
        sink: TextIO,
        aside: TextIO,
        renderer: Renderer,
        *,
        as_json: bool,
        trace: bool = False,
        metrics: bool = False,
    ) -> None:
        self._sink = sink
        self._aside = aside
        self._json = as_json
        self.traces = trace
        """Whether it says what happened, and when."""
        self._metrics = metrics
        self._renderer = renderer
        self._begin()
        self._has_written = False
        """Whether what comes next stands apart from what was written."""
        self._recorder = Recorder()
        self._retries: list[Retrying] = []
        self._fallbacks: list[FellBack] = []

    def take(self, event: TurnEvent) -> None:
        """Show a piece of text; remember what else happens."""
        self._recorder.feed(event)
        if isinstance(event, TextDelta) and not self._json:
            self._is_text = True
            self._write(self._stream.feed(self._cleaner.feed(event.text)))
        elif isinstance(event, SpeakerChanged) and not self._json:
            self._finish()
            if event.name:
                self._write([(("", f"{clean_line(event.name, 100)}:"),)])
                self._has_written = False
        elif isinstance(event, ProviderToolStarted | ProviderToolFinished) and not self._json:
            self._finish()
            self._tool(event)
        elif isinstance(event, Retrying):
            self._retries.append(event)
            if self._aside.isatty():  # for a user who waits; a script waits for the end
                what = f"Try {event.attempt} of {event.attempts} in {seconds(event.seconds)}."
                self.note(clean_line(f"{event.failure.message} {what}", LONGEST_NOTE))
        elif isinstance(event, FellBack):
            self._fallbacks.append(event)
            self.note(clean_line(f"{event.failure.message} {event.to} is asked.", LONGEST_NOTE))

    def _begin(self) -> None:
        self._cleaner = Cleaner()
        self._stream = self._renderer.begin(0)
        self._is_text = False
        """Whether some text of what is in work has come."""

    def _finish(self) -> None:
        """The text so far is whole; what comes next begins anew below it."""
        if self._is_text:
            rest = self._stream.feed(self._cleaner.finish())
            self._write([*rest, *self._stream.finish()])
            self._begin()
            self._has_written = True

    def _tool(self, event: ProviderToolStarted | ProviderToolFinished) -> None:
        """For who waits: a script is told of it in the record alone."""
        if self._aside.isatty():
            call = event.call
            what = f"{call.name} {call.arguments}".strip()
            status = event.status if isinstance(event, ProviderToolFinished) else "begins"
            self.note(f"({clean_line(what, LONGEST_CALL)} · run by the provider · {status})")

    def note(self, text: str) -> None:
        """Write a note that is no part of the reply."""
        if not self._json:
            self._say(text)

    def end(
        self, replies: Sequence[Message], ending: Ending, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Show the rest. ``replies`` are the messages of the reply, of which there are several
        where several have spoken; ``attachments`` went with the question."""
        reply = replies[-1]
        if self._json:
            record = self._record(replies, ending)
            record["attachments"] = [each._asdict() for each in attachments]
            self._sink.write(json.dumps(record, ensure_ascii=True) + "\n")
        else:
            self._finish()
        self._sink.flush()
        if self._metrics:
            self.note(reply_line(reply))
        if self.traces:
            for line in trace_lines(self._recorder.step):
                self.note(line)

    def _write(self, lines: Iterable[Line]) -> None:
        text = "".join("".join(clean(part) for _style, part in line) + "\n" for line in lines)
        if text:
            _put(self._sink, "\n" * self._has_written + text)
            self._has_written = False

    def _say(self, text: str) -> None:
        _put(self._aside, f"{clean(text)}\n")

    def _record(self, replies: Sequence[Message], ending: Ending) -> dict[str, Any]:
        reply, error = replies[-1], None
        if isinstance(ending, Failed):
            error = {"kind": ending.kind, "message": ending.sentence()}
        private = [data for each in replies for data in each.provider_data.values()]
        thoughts = [data["reasoning"] for data in private if data.get("reasoning")]
        record: dict[str, Any] = {
            "model": reply.model,
            "reply": "\n\n".join(each.content for each in replies),
            "parts": [{"speaker": each.speaker, "text": each.content} for each in replies],
            "provider_tools": [t._asdict() for each in replies for t in each.provider_tools],
            "reasoning": "\n\n".join(thoughts) or None,
            "status": reply.status,
            "finish_reason": ending.reason if isinstance(ending, Finished) else None,
            "error": error,
            "retries": [
                {"error": _failure(each.failure), "seconds": each.seconds} for each in self._retries
            ],
            "fallbacks": [
                {"model": each.model, "error": _failure(each.failure), "to": each.to}
                for each in self._fallbacks
            ],
            "usage": reply.usage._asdict() if reply.usage else None,
            "timing": reply.timing._asdict() if reply.timing else None,
            "tokens_per_second": tokens_per_second(reply),
        }
        if self.traces:
            record["trace"] = trace_record(self._recorder.step)
        return record


def _failure(failed: Failed) -> dict[str, str]:
    return {"kind": failed.kind, "message": failed.message}


def _put(stream: TextIO, text: str) -> None:
    """Write text of which the stream's encoding may not have every letter."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()
