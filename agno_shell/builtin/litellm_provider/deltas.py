"""Puts the pieces of a streamed reply together: tool calls, thinking blocks, token counts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agno_shell.types import ToolCall, Usage

_SIGNATURE = "__thought__"
"""litellm puts the signature of Google's models behind the id of a call and this."""


class ToolCalls:
    """Function calls whose ids, names and arguments come in pieces, distinguished by index."""

    def __init__(self) -> None:
        self._calls: list[dict[str, str]] = []
        self.signatures: dict[str, str] = {}
        """By the id of the call; private to the model that gave them."""
        self._open: dict[int, dict[str, str]] = {}
        """The last call of each index; some servers give several calls the same one."""

    def __len__(self) -> int:
        return len(self._calls)

    def feed(self, pieces: Any) -> int:
        """Take one delta's pieces; returns how many characters of arguments came."""
        size = 0
        for piece in pieces or ():
            index = getattr(piece, "index", None) or 0
            call_id, _, signature = (getattr(piece, "id", None) or "").partition(_SIGNATURE)
            call = self._call(index, call_id)
            if signature:
                self.signatures[call["id"]] = signature
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

    def drop(self, ids: Collection[str]) -> None:
        """Forget the calls with these ids: the service has run them itself."""
        self._calls = [call for call in self._calls if call["id"] not in ids]

    def events(self) -> Iterator[ToolCall]:
        """The calls, each with an id: some servers give none."""
        for call in self._calls:
            call["id"] = call["id"] or f"call_{os.urandom(12).hex()}"
            yield ToolCall(**call)


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


class Thoughts:
    """All that a model thinks before it answers: as text, signed, and encrypted."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._signed = ThinkingBlocks()
        self.items: list[dict[str, Any]] = []
        """Of OpenAI's Responses API."""

    def feed(self, delta: Any) -> str:
        """Take what one delta holds; returns its text."""
        text = getattr(delta, "reasoning_content", None) or ""
        if text:
            self._texts.append(text)
        self._signed.feed(getattr(delta, "thinking_blocks", None))
        self.items += [dict(item) for item in getattr(delta, "reasoning_items", None) or ()]
        return text

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """In Anthropic's form."""
        return self._signed.blocks


_CACHED = ("cache_read_input_tokens", "prompt_cache_hit_tokens")
"""Names of the same count at Anthropic and at DeepSeek."""


def usage_record(counts: Mapping[str, Any], cost: float | None) -> Usage:
    """Token counts in OpenAI's form as a :class:`Usage`."""
    said = _table(counts.get("completion_tokens_details"))
    asked = _table(counts.get("prompt_tokens_details"))
    cached = [asked.get("cached_tokens"), *(counts.get(name) for name in _CACHED)]
    return Usage(
        input_tokens=counts.get("prompt_tokens"),
        output_tokens=counts.get("completion_tokens"),
        reasoning_tokens=said.get("reasoning_tokens"),
        cached_tokens=max((count for count in cached if count is not None), default=None),
        cost=cost,
    )


def _table(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else dict(vars(value))
