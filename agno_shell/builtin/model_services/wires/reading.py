"""What every protocol's reader has in common: the reply as it is put together."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agno_shell.builtin.model_services.wires.framing import DamagedError, StreamEvent, decoded
from agno_shell.builtin.model_services.wires.server_tools import ServerTools
from agno_shell.builtin.model_services.wires.thinking import BEGIN, END, ThinkTags
from agno_shell.events import (
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    TextDelta,
)
from agno_shell.types import ToolCall, Usage

KNOWN_REASONS = ("stop", "length", "content_filter", "tool_calls")
"""The reasons of :class:`~agno_shell.events.Finished`."""

Json = Mapping[str, Any]
Piece = TextDelta | ReasoningDelta | ProviderToolStarted | ProviderToolFinished


class ServerReportedError(Exception):
    """A server reported an error in place of a reply, or in the middle of one."""

    def __init__(self, body: Any) -> None:
        super().__init__("the server reported an error")
        self.body = body
        """The error as it came: an object, or a text."""


class Calls:
    """Calls of tools, whose ids, names and arguments come in pieces.

    Most servers number the calls; some number none, give several the same number, or send
    the arguments as an object.
    """

    def __init__(self) -> None:
        self._calls: list[dict[str, str]] = []
        self._by_index: dict[int, dict[str, str]] = {}
        self.signatures: dict[str, str] = {}
        """Of Google's models, by the id of the call."""

    def __len__(self) -> int:
        return len(self._calls)

    def piece(self, index: Any, call_id: Any, name: Any, arguments: Any) -> int:
        """Take a piece of a call; returns how many characters of arguments came."""
        given_id, given_name = optional_text(call_id, "id"), optional_text(name, "name")
        text = arguments_text(arguments)
        call = self._call(index if isinstance(index, int) else None, given_id, given_name)
        call["id"] = call["id"] or given_id
        call["name"] = call["name"] or given_name
        call["arguments"] += text
        return len(text)

    def _call(self, index: int | None, call_id: str, name: str) -> dict[str, str]:
        """The call that a piece belongs to; a new id, or a new name without one, begins one."""
        known = next((call for call in self._calls if call_id and call["id"] == call_id), None)
        if known is None and index is not None:
            known = self._by_index.get(index)
        elif known is None and self._calls:
            known = self._calls[-1]
        is_other = known is not None and (
            bool(call_id and known["id"] and known["id"] != call_id)
            or (index is None and not call_id and bool(name))
        )
        if known is None or is_other:
            known = {"id": call_id, "name": "", "arguments": ""}
            self._calls.append(known)
        if index is not None:
            self._by_index[index] = known
        return known

    def whole(self, call_id: str, name: str, arguments: Any, signature: str = "") -> int:
        """Take a call that came in one piece; returns the length of its arguments."""
        call = {
            "id": call_id or new_call_id(),
            "name": name,
            "arguments": arguments_text(arguments),
        }
        self._calls.append(call)
        if signature:
            self.signatures[call["id"]] = signature
        return len(call["arguments"])

    def events(self) -> Iterator[ToolCall]:
        """The calls, each with an id: some servers give none."""
        for call in self._calls:
            call["id"] = call["id"] or new_call_id()
            yield ToolCall(**call | {"arguments": paired(call["arguments"])})


def new_call_id() -> str:
    return f"call_{os.urandom(12).hex()}"


def arguments_text(arguments: Any) -> str:
    """Arguments as JSON text. Raises :class:`DamagedError`."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    if isinstance(arguments, Mapping):
        return json.dumps(arguments, ensure_ascii=False)
    raise DamagedError("arguments of a tool that are neither text nor an object")


def paired(text: str) -> str:
    """The text with the halves of each character put together: pieces may be cut within one."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


class Reader(ABC):
    """Reads the records of one reply.

    After the last one :attr:`reason` says how it ended: None as long as the protocol's own end
    has not come. ``stop``, ``length``, ``content_filter`` and ``tool_calls`` are the words of
    :class:`~agno_shell.events.Finished`; another word is a reason that is not known.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.is_over = False
        """Nothing that matters can come any more."""
        self.calls = Calls()
        self.server_tools = ServerTools()
        self.thoughts: list[str] = []
        self.blocks: list[dict[str, Any]] = []
        """Signed thoughts, in Anthropic's form."""
        self.items: list[dict[str, Any]] = []
        """Encrypted thoughts, in the form of OpenAI's Responses API."""
        self.usage: Usage | None = None
        self.counts: dict[str, Any] = {}
        """Token counts in OpenAI's form, for the price."""
        self.size = 0
        """Bytes of text, thoughts, arguments and results so far."""
        self.letters = 0
        """Of the text alone, as :func:`letters_in` counts them."""
        self.progress = 0
        """Grows with everything that comes of the reply, also where nothing of it is shown yet."""
        self._tags = ThinkTags()

    @property
    def is_ending(self) -> bool:
        """Whether the server has reported an end of the reply, whether or not all of it came."""
        return self.reason is not None

    def feed(self, record: StreamEvent) -> list[Piece]:
        """What a record brings to be shown. Raises :class:`DamagedError` for one that is
        not of the protocol, and :class:`ServerReportedError`."""
        return self._counted(self.read(record.event, decoded(record)))

    def whole(self, body: Json) -> list[Piece]:
        """The same for a reply that came in one piece, from a server that does not stream."""
        return [*self._counted(self.read_whole(body)), *self.end()]

    def end(self) -> list[Piece]:
        """What was held back until the end of the reply."""
        return self._counted(self._tags.end(), again=False)

    @abstractmethod
    def read(self, event: str, data: Json) -> Iterable[Piece]: ...

    @abstractmethod
    def read_whole(self, body: Json) -> Iterable[Piece]: ...

    def _counted(self, pieces: Iterable[Piece], *, again: bool = True) -> list[Piece]:
        shown = []
        for piece in pieces:
            if isinstance(piece, TextDelta | ReasoningDelta):
                if not piece.text:
                    continue
                self.size += _bytes(piece.text)
            else:
                self.size += _bytes(piece.call.name) + _bytes(piece.call.arguments)
            match piece:
                case ReasoningDelta(text):
                    self.thoughts.append(text)
                case TextDelta(text):
                    self.letters += letters_in(text)
                case ProviderToolFinished():
                    self.size += _bytes(piece.result)
            shown.append(piece)
        return shown

    # For the protocols' readers ---------------------------------------------------------

    def say(self, text: Any) -> Iterator[Piece]:
        """Text of the reply, without the thoughts that stand in it between tags."""
        said = optional_text(text, "text")
        self.progress += len(said)
        yield from self._tags.feed(said)

    def think(self, text: Any) -> Iterator[Piece]:
        thought = optional_text(text, "thoughts")
        self.progress += len(thought)
        yield ReasoningDelta(thought)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def letters_in(text: str) -> int:
    """The characters of a text except white space and the tags around thoughts, of which
    libraries take some away."""
    return sum(map(len, text.replace(BEGIN, "").replace(END, "").split()))


def optional_text(value: Any, what: str) -> str:
    """``value`` as a text; an empty one for nothing. Raises :class:`DamagedError`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise DamagedError(f"{what} that is not text")


def table(value: Any, what: str) -> Json:
    """``value`` as an object; an empty one for nothing. Raises :class:`DamagedError`."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise DamagedError(f"{what} that is not an object")


def rows(value: Any, what: str) -> list[Json]:
    """``value`` as a list of objects; an empty one for nothing."""
    if value is None:
        return []
    if isinstance(value, list):
        return [table(each, what) for each in value]
    raise DamagedError(f"{what} that is not a list")


def number(value: Any) -> int | None:
    """A count of tokens, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
