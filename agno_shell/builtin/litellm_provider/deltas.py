"""Puts the pieces of a streamed reply together: tool calls, thinking blocks, token counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agno_shell.events import ToolCall
from agno_shell.types import Usage


class ToolCalls:
    """Function calls whose ids, names and arguments come in pieces, told apart by index."""

    def __init__(self) -> None:
        self._calls: list[dict[str, str]] = []
        self._open: dict[int, dict[str, str]] = {}
        """The last call of each index; some servers give several calls the same one."""

    def feed(self, pieces: Any) -> int:
        """Take one delta's pieces; returns how many characters of arguments came."""
        size = 0
        for piece in pieces or ():
            index = getattr(piece, "index", None) or 0
            call = self._call(index, getattr(piece, "id", None) or "")
            function = getattr(piece, "function", None)
            arguments = getattr(function, "arguments", None) or ""
            call["name"] = call["name"] or getattr(function, "name", None) or ""
            call["arguments"] += arguments
            size += len(arguments)
        return size

    def _call(self, index: int, call_id: str) -> dict[str, str]:
        """The call that a piece belongs to; a new id begins a new one."""
        call = self._open.get(index)
        if call is None or (call_id and call["id"] and call_id != call["id"]):
            call = self._open[index] = {"id": call_id, "name": "", "arguments": ""}
            self._calls.append(call)
        call["id"] = call["id"] or call_id
        return call

    def events(self) -> Iterator[ToolCall]:
        for call in self._calls:
            yield ToolCall(**call)

    def as_fields(self) -> list[dict[str, Any]]:
        """The calls in OpenAI's form, as they are handed back with the next request."""
        return [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in self._calls
        ]


class ThinkingBlocks:
    """Signed thoughts, which a model wants back unchanged with its calls of functions.

    Form: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
    """

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self._open = False

    def feed(self, pieces: Any) -> None:
        for piece in pieces or ():
            if piece.get("type") != "thinking":
                self.blocks.append(dict(piece))
                self._open = False
                continue
            if not self._open:
                self.blocks.append({"type": "thinking", "thinking": "", "signature": ""})
            block = self.blocks[-1]
            block["thinking"] += piece.get("thinking") or ""
            block["signature"] += piece.get("signature") or ""
            self._open = not block["signature"]


def usage_record(counts: Mapping[str, Any], cost: float | None) -> Usage:
    """Token counts in OpenAI's form as a :class:`Usage`."""
    said = _table(counts.get("completion_tokens_details"))
    asked = _table(counts.get("prompt_tokens_details"))
    return Usage(
        input_tokens=counts.get("prompt_tokens"),
        output_tokens=counts.get("completion_tokens"),
        reasoning_tokens=said.get("reasoning_tokens"),
        cached_tokens=asked.get("cached_tokens"),
        cost=cost,
    )


def _table(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else dict(vars(value))
