"""The answer to one question, as it is written: text line by line, or JSON at its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from agno_shell.contracts import Line, Renderer
from agno_shell.conversation.accounts.trace import Recorder
from agno_shell.events import Ending, Failed, FellBack, Finished, Retrying, TextDelta, TurnEvent
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
        self._cleaner = Cleaner()
        self._stream = renderer.begin(0)
        self._recorder = Recorder()
        self._retries: list[Retrying] = []
        self._fallbacks: list[FellBack] = []

    def take(self, event: TurnEvent) -> None:
        """Show a piece of text; remember what else happens."""
        self._recorder.feed(event)
        if isinstance(event, TextDelta) and not self._json:
            self._write(self._stream.feed(self._cleaner.feed(event.text)))
        elif isinstance(event, Retrying):
            self._retries.append(event)
            if self._aside.isatty():  # for a user who waits; a script waits for the end
                what = f"Try {event.attempt} of {event.attempts} in {seconds(event.seconds)}."
                self.note(clean_line(f"{event.failure.message} {what}", LONGEST_NOTE))
        elif isinstance(event, FellBack):
            self._fallbacks.append(event)
            self.note(clean_line(f"{event.failure.message} {event.to} is asked.", LONGEST_NOTE))

    def note(self, text: str) -> None:
        """Write a note that is no part of the reply."""
        if not self._json:
            self._say(text)

    def end(self, reply: Message, ending: Ending, attachments: Sequence[Attachment] = ()) -> None:
        """Show the rest; ``attachments`` went with the question."""
        if self._json:
            record = self._record(reply, ending)
            record["attachments"] = [each._asdict() for each in attachments]
            self._sink.write(json.dumps(record, ensure_ascii=True) + "\n")
        else:
            rest = self._stream.feed(self._cleaner.finish())
            self._write([*rest, *self._stream.finish()])
        self._sink.flush()
        if self._metrics:
            self.note(reply_line(reply))
        if self.traces:
            for line in trace_lines(self._recorder.step):
                self.note(line)

    def _write(self, lines: Iterable[Line]) -> None:
        text = "".join("".join(clean(part) for _style, part in line) + "\n" for line in lines)
        if text:
            _put(self._sink, text)

    def _say(self, text: str) -> None:
        _put(self._aside, f"{clean(text)}\n")

    def _record(self, reply: Message, ending: Ending) -> dict[str, Any]:
        error = None
        if isinstance(ending, Failed):
            error = {"kind": ending.kind, "message": ending.sentence()}
        thoughts = [private.get("reasoning") for private in reply.provider_data.values()]
        record: dict[str, Any] = {
            "model": reply.model,
            "reply": reply.content,
            "reasoning": next(filter(None, thoughts), None),
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
