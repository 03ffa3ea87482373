"""The pieces of a streamed response: server-sent events, and JSON lines.

Server-sent events are read as the standard says
(https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation):
comments, ``retry:`` and unknown fields are passed over, lines end in LF, CR or CRLF, an event
may have several lines of data, and one that the end of the stream cuts off is no event.
"""

from __future__ import annotations

import codecs
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class DamagedError(Exception):
    """Something arrived that is not of the protocol; the text says what, in a few words."""


class LineTooLongError(Exception):
    """A line is longer than anybody wants to keep in memory; ``limit`` is in bytes."""

    def __init__(self, limit: float) -> None:
        super().__init__(f"a line of more than {limit:,.0f} bytes")
        self.limit = limit


class StreamEvent(NamedTuple):
    """One event of a stream."""

    event: str
    """The name of a server-sent event; empty where it has none, and for a JSON line."""
    data: str


class Lines:
    """Splits bytes into lines; ``longest`` is the most bytes of one that are kept."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._open: list[bytes] = []
        self._size = 0
        self._after_cr = False
        """The last byte was a CR: a LF that follows belongs to it."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their ends."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        if data:
            self._after_cr = data.endswith(b"\r")
        lines = data.splitlines()
        ends_open = bool(lines) and not data.endswith((b"\n", b"\r"))
        rest = lines.pop() if ends_open else b""
        if lines and self._open:
            lines[0] = b"".join([*self._open, lines[0]])
        if lines:
            self._open, self._size = [], 0
        if rest:
            self._open.append(rest)
            self._size += len(rest)
        if self._size > self._longest or any(len(line) > self._longest for line in lines):
            raise LineTooLongError(self._longest)
        return lines

    def rest(self) -> bytes:
        """What has come of a line that has no end."""
        return b"".join(self._open)


class Framing(ABC):
    """Turns the bytes of a body into records, however they are split."""

    @abstractmethod
    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        """The records that ``data`` completes, one by one, so that those before a damaged
        one count. Raises :class:`DamagedError` for bytes that are not UTF-8, and
        :class:`LineTooLongError`."""

    def end(self) -> Iterator[StreamEvent]:
        """The records that the end of the body completes."""
        yield from ()


class ServerSentEvents(Framing):
    def __init__(self, longest: float) -> None:
        self._lines = Lines(longest)
        self._event = ""
        self._data: list[str] = []
        self._is_first = True

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        for line in self._lines.feed(data):
            if self._is_first:
                line, self._is_first = line.removeprefix(codecs.BOM_UTF8), False
            if line:
                self._take(_text(line))
            else:
                yield from self._dispatch()

    def _take(self, line: str) -> None:
        name, _colon, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        elif name == "event":
            self._event = value.removeprefix(" ")

    def _dispatch(self) -> Iterator[StreamEvent]:
        record = StreamEvent(self._event, "\n".join(self._data))
        self._event, self._data = "", []
        if record.data.strip():
            yield record


class JsonLines(Framing):
    def __init__(self, longest: float) -> None:
        self._lines = Lines(longest)

    def feed(self, data: bytes) -> Iterator[StreamEvent]:
        for line in self._lines.feed(data):
            if line.strip():
                yield StreamEvent("", _text(line))

    def end(self) -> Iterator[StreamEvent]:
        # The last line of a body may go without its end; a half one is not JSON.
        if rest := self._lines.rest().strip():
            yield StreamEvent("", _text(rest))


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise DamagedError("bytes that are not UTF-8") from None


def decoded(record: StreamEvent) -> Mapping[str, Any]:
    """The JSON object in a record. Raises :class:`DamagedError`."""
    try:
        value = json.loads(record.data)
    except (ValueError, RecursionError):
        raise DamagedError("an event that is not JSON") from None
    if not isinstance(value, dict):
        raise DamagedError("an event that is not a JSON object")
    return value
