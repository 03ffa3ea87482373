"""The tools that a service runs itself while it answers, such as its own search: what its
protocol says of them, as events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agno_shell.events import ProviderToolFinished, ProviderToolStarted
from agno_shell.types import Status, ToolCall

_LINES = (
    *("filename", "file_id", "text", "logs", "stdout", "stderr", "output", "result"),
    *("error_message", "error_code", "message", "content", "data", "results", "outputs"),
    *("tool_references", "tool_name", "sources"),
)
"""Where the words of a result are, in the order in which they are read."""

_UNREADABLE = ("image", "base64", "redacted", "image_file")
"""Types of what holds no words."""


class ServerTools:
    """Those of one reply."""

    def __init__(self) -> None:
        self._running: dict[str, ToolCall] = {}
        self.ids: set[str] = set()
        """Of all of them, so that a library that takes them for calls can be corrected."""

    @property
    def is_busy(self) -> bool:
        """Whether one of them runs: nothing else may come for a while."""
        return bool(self._running)

    def start(self, call_id: str, name: str, arguments: object) -> ProviderToolStarted:
        """A tool begins; ``arguments`` are a JSON text, or values, or not known yet."""
        call = ToolCall(call_id or f"tool_{len(self.ids) + 1}", name, _written(arguments))
        self._running[call.id] = call
        self.ids.add(call.id)
        return ProviderToolStarted(call)

    def finish(
        self,
        call_id: str,
        result: object,
        status: Status = "complete",
        *,
        name: str = "",
        arguments: object = None,
    ) -> ProviderToolFinished:
        """A tool is over; without an id, the one that began last. What was told of it at its
        beginning need not be told again."""
        if not call_id and self._running:
            call_id = next(reversed(self._running))
        call_id = call_id or f"tool_{len(self.ids) + 1}"
        began = self._running.pop(call_id, ToolCall(call_id, "tool", ""))
        self.ids.add(call_id)
        call = ToolCall(call_id, name or began.name, _written(arguments) or began.arguments)
        return ProviderToolFinished(call, readable(result), status)


def readable(value: object) -> str:
    """What is to be read in a result: its texts, a line each. What is encrypted or no text is
    left out, and what has another form is JSON."""
    return "\n".join(line for line in _lines(value) if line.strip())


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _lines(each)
    elif isinstance(value, Mapping):
        yield from _lines_of_object(value)


def _lines_of_object(value: Mapping[str, Any]) -> Iterator[str]:
    if value.get("type") in _UNREADABLE:
        yield f"({value['type']})"
        return
    place = [each for each in (value.get("title"), value.get("url")) if isinstance(each, str)]
    if place:
        yield " · ".join(place)
    known = [name for name in _LINES if value.get(name)]
    for name in known:
        yield from _lines(value[name])
    if value.get("return_code"):
        yield f"return code {value['return_code']}"
    source = value.get("source")
    if isinstance(source, Mapping):
        yield from _lines_of_object(source)
    elif not (place or known):
        rest = {
            name: each
            for name, each in value.items()
            if name != "type" and each is not None and not name.startswith("encrypted")
        }
        # Only what says something: a program that printed nothing has no output.
        if any(each not in ("", [], 0) for each in rest.values()):
            yield _written(rest)


def _written(arguments: object) -> str:
    """Arguments as text; nothing for none."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False, default=str) if arguments else ""
