"""What a server really sent, read strictly below litellm.

litellm gives a reply an end that the server never gave, and passes over what it cannot read.
So the body of a streamed reply is read here first, by the readers of its protocol, and handed
on an event at a time, each in the plainest form that it can have: no comments, no ``retry:``,
one line of ASCII data. What is damaged is handed on to nobody. How the reply ended is then
known here, regardless of what litellm reports.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator

from agno_shell.builtin.model_services.wires import (
    anthropic,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from agno_shell.builtin.model_services.wires.framing import (
    DamagedError,
    Framing,
    JsonLines,
    LineTooLongError,
    ServerSentEvents,
    StreamEvent,
    decoded,
)
from agno_shell.builtin.model_services.wires.reading import Json, Piece, Reader, ServerReportedError
from agno_shell.builtin.model_services.wires.wire import Wire
from agno_shell.events import ProviderToolFinished, ProviderToolStarted

_BY_PATH = (
    ("/chat/completions", openai_chat.WIRE),
    ("/responses", openai_responses.WIRE),
    ("/messages", anthropic.WIRE),
    (":streamGenerateContent", gemini.WIRE),
    ("/api/chat", ollama.WIRE),
    ("/api/generate", ollama.WIRE),
)
"""How the paths of the protocols' pages end, wherever they begin."""

_EVENTS = "text/event-stream"
_LINES = ("application/x-ndjson", "application/jsonl", "application/stream+json")
_UNTOLD = ("text/plain", "application/octet-stream", "")
"""Media types that tell nothing of a body."""

_MOST_HELD = 65_536
"""Bytes in which the first event must begin, where the address does not tell the protocol."""

Trouble = DamagedError | LineTooLongError | ServerReportedError


ToolEvent = ProviderToolStarted | ProviderToolFinished


class WireWatch:
    """Watches the requests that are sent for one reply; the last streamed answer counts.
    ``told`` hears of the tools that the service runs itself, which litellm has no word for."""

    def __init__(self, told: Callable[[ToolEvent], object] = lambda _event: None) -> None:
        self._told = told
        self.reply: StreamedReply | None = None
        """None: no answer came that can be watched."""

    def follow(self, path: str, media_type: str, longest: float) -> StreamedReply | None:
        """The reader of the body of an answer from the page at ``path``, with lines of ``longest``
        bytes at most; None for one that is no stream of events."""
        wire = next((wire for end, wire in _BY_PATH if path.endswith(end)), None)
        framing = _framing(wire, media_type)
        if framing is None:
            self.reply = None
        else:
            self.reply = StreamedReply(framing(longest), wire, self._told)
        return self.reply

    # How it ended -----------------------------------------------------------------------

    @property
    def is_exact(self) -> bool:
        """Whether the reply is read here, and so its end is known."""
        return self.reply is not None and self.reply.is_read

    @property
    def reason(self) -> str | None:
        """As :attr:`Reader.reason <model_services.wires.reading.Reader.reason>`."""
        return None if self.reply is None else self.reply.reason

    @property
    def is_ending(self) -> bool:
        """Whether the server has reported how the reply ends, whether or not the end has come."""
        return self.reply is not None and self.reply.is_ending

    @property
    def is_over(self) -> bool:
        """Whether nothing that matters can come any more."""
        return self.reply is not None and self.reply.is_over

    @property
    def is_cut(self) -> bool:
        """Whether the body ended well, and the reply did not."""
        return self.reply is not None and self.reply.is_cut

    def holds_more(self, letters: int, calls: int) -> bool:
        """Whether the reply has more text, or calls of tools, than these; letters are counted
        as :func:`letters_in` does."""
        return self.reply is not None and self.reply.holds_more(letters, calls)

    @property
    def server_tools(self) -> Collection[str]:
        """The ids of the tools that the service has run itself."""
        return () if self.reply is None else self.reply.server_tools

    @property
    def trouble(self) -> Trouble | None:
        """What was wrong with the reply."""
        return None if self.reply is None else self.reply.trouble


def _framing(wire: Wire | None, media_type: str) -> Callable[[float], Framing] | None:
    if wire is ollama.WIRE:
        return None if media_type == "text/html" else JsonLines
    if media_type == _EVENTS or (wire is not None and media_type in _UNTOLD):
        return ServerSentEvents
    return JsonLines if media_type in _LINES else None


class StreamedReply:
    """The body of one answer: bytes in, plain events out."""

    def __init__(
        self,
        framing: Framing,
        wire: Wire | None,
        told: Callable[[ToolEvent], object] = lambda _event: None,
    ) -> None:
        self._framing = framing
        self._told = told
        self._reader = wire.reader() if wire else None
        self._held: list[bytes] = []
        """What came before the protocol was recognized by its first event."""
        self._is_raw = False
        """These are no events with JSON in them: they are handed on as they come."""
        self._is_done = False
        """Nothing more is handed on."""
        self._has_ended = False
        self.trouble: Trouble | None = None

    @property
    def is_read(self) -> bool:
        return self._reader is not None and not isinstance(self._reader, OtherEvents)

    @property
    def reason(self) -> str | None:
        return None if self._reader is None else self._reader.reason

    @property
    def is_ending(self) -> bool:
        return self._reader is not None and self._reader.is_ending

    @property
    def is_over(self) -> bool:
        return self._reader is not None and self._reader.is_over

    @property
    def is_cut(self) -> bool:
        return self._has_ended and self.is_read and self.reason is None

    @property
    def server_tools(self) -> Collection[str]:
        return () if self._reader is None else self._reader.server_tools.ids

    def holds_more(self, letters: int, calls: int) -> bool:
        reader = self._reader
        return reader is not None and (reader.letters > letters or len(reader.calls) > calls)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` completes. Raises what :attr:`trouble` is from then on."""
        if self._is_raw:
            yield data
        elif not self._is_done:
            if self._reader is None:
                self._held.append(data)
            yield from self._read(lambda: self._framing.feed(data))
            if self._reader is None and sum(map(len, self._held)) > _MOST_HELD:
                yield from self._let_go()

    def end(self) -> Iterator[bytes]:
        """What the end of the body completes."""
        if not (self._is_raw or self._is_done):
            yield from self._read(self._framing.end)
        if self._reader is None:
            yield from self._let_go()
        self._has_ended = True

    def _read(self, records: Callable[[], Iterator[StreamEvent]]) -> Iterator[bytes]:
        try:
            for record in records():
                if self._reader is None:
                    self._reader = _recognized(record)
                if self._reader is None:
                    yield from self._let_go()
                    break
                self._held.clear()
                for piece in self._reader.feed(record):
                    if isinstance(piece, ToolEvent):
                        self._told(piece)
                yield self._plain(record)
                self._is_done = self._reader.is_over
                if self._is_done:
                    break
        except (DamagedError, LineTooLongError, ServerReportedError) as error:
            self._is_done = True
            # Behind its end, nothing takes anything away from a reply.
            if self.reason is None:
                self.trouble = error
                raise

    def _let_go(self) -> Iterator[bytes]:
        self._is_raw = True
        if self._held:
            yield b"".join(self._held)
            self._held.clear()

    def _plain(self, record: StreamEvent) -> bytes:
        data = record.data.strip()
        if "\n" in data or not data.isascii():
            # Some readers of lines take more signs for the end of one than there are.
            with contextlib.suppress(DamagedError):
                data = json.dumps(decoded(record))
        if isinstance(self._framing, JsonLines):
            return f"{data}\n".encode()
        name = f"event: {record.event}\n" if record.event else ""
        return f"{name}data: {data}\n\n".encode()


class OtherEvents(Reader):
    """Reads events with JSON in them, of a protocol whose end is not known here.

    What is no JSON is damage if more events follow: at its end a protocol may have words of
    its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._doubt: DamagedError | None = None

    def feed(self, record: StreamEvent) -> list[Piece]:
        if self._doubt is not None:
            raise self._doubt
        try:
            decoded(record)
        except DamagedError as error:
            self._doubt = error
        return []

    def read(self, event: str, data: Json) -> tuple[Piece, ...]:
        return ()

    def read_whole(self, body: Json) -> tuple[Piece, ...]:
        return ()


def _recognized(record: StreamEvent) -> Reader | None:
    """The reader of a reply that begins with ``record``, where the address does not tell."""
    try:
        data = decoded(record)
    except DamagedError:
        return None
    wire = _wire_of(data)
    return wire.reader() if wire else OtherEvents()


def _wire_of(data: Json) -> Wire | None:
    kind = str(data.get("type") or "")
    if isinstance(data.get("choices"), list):
        return openai_chat.WIRE
    if isinstance(data.get("candidates"), list):
        return gemini.WIRE
    if kind == "message_start":
        return anthropic.WIRE
    if kind.startswith("response."):
        return openai_responses.WIRE
    return ollama.WIRE if isinstance(data.get("done"), bool) else None
