"""Anthropic's messages.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agno_shell.builtin.model_services.wires.framing import DamagedError, ServerSentEvents
from agno_shell.builtin.model_services.wires.reading import (
    Json,
    Piece,
    Reader,
    ServerReportedError,
    number,
    optional_text,
    rows,
    table,
)
from agno_shell.builtin.model_services.wires.wire import (
    ChatRequest,
    Post,
    Record,
    Wire,
    data_url,
    parts_of,
)
from agno_shell.types import Usage

VERSION = "2023-06-01"

REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}

_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 24_576}
"""Tokens that a model may think, of each level."""

_REPLY_TOKENS = 4_096
"""What every model may write; the protocol wants a limit."""
_MOST_REPLY_TOKENS = 32_000

_TAKEN = ("temperature", "top_p", "top_k", "metadata", "service_tier", "tool_choice", "thinking")
_NOT_WHILE_THINKING = ("temperature", "top_k")


_SERVER_TOOLS = ("server_tool_use", "mcp_tool_use")
"""Blocks of tools that the service runs itself."""


# What is sent -----------------------------------------------------------------------------


def write(asked: ChatRequest) -> Post:
    system = [part for one in asked.messages if one["role"] == "system" for part in parts_of(one)]
    body: Record = {
        "model": asked.target.name,
        "max_tokens": asked.parameters.get("max_tokens") or _reply_tokens(asked.target.entry),
        "messages": _messages(asked.messages),
        "stream": True,
    }
    if system:
        body["system"] = system
    if asked.tools:
        body["tools"] = [_tool(tool) for tool in asked.tools]
    body |= {name: asked.parameters[name] for name in _TAKEN if name in asked.parameters}
    if stop := asked.parameters.get("stop"):
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if asked.reasoning and asked.target.abilities.reasoning is not False:
        _let_think(body, asked.reasoning, asked.target.entry)
    return Post("/v1/messages", body)


def _reply_tokens(entry: Mapping[str, Any]) -> int:
    most = entry.get("max_output_tokens")
    return min(most, _MOST_REPLY_TOKENS) if isinstance(most, int) and most > 0 else _REPLY_TOKENS


def _let_think(body: Record, level: str, entry: Mapping[str, Any]) -> None:
    if level == "off":
        body["thinking"] = {"type": "disabled"}
        return
    if entry.get("supports_adaptive_thinking") and not entry.get("supports_legacy_thinking"):
        body["thinking"] = {"type": "adaptive"}
        body["output_config"] = {"effort": level}
    else:
        budget = _BUDGETS[level]
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
        body["max_tokens"] = max(body["max_tokens"], budget + _REPLY_TOKENS)
    for name in _NOT_WHILE_THINKING:
        body.pop(name, None)


def _tool(tool: Mapping[str, Any]) -> Record:
    function = tool["function"]
    made: Record = {
        "name": function["name"],
        "description": function["description"],
        "input_schema": function["parameters"],
    }
    return made | _mark(tool)


def _mark(marked: Mapping[str, Any]) -> Record:
    return {"cache_control": marked["cache_control"]} if "cache_control" in marked else {}


def _messages(messages: Sequence[Record]) -> list[Record]:
    """User and assistant in turn; results of tools are content of the user's next message."""
    written: list[Record] = []
    for message in messages:
        if message["role"] == "system":
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        content = _content(message)
        if written and written[-1]["role"] == role:
            written[-1]["content"] += content
        elif content:
            written.append({"role": role, "content": content})
    return written


def _content(message: Record) -> list[Record]:
    if message["role"] == "tool":
        result = {
            "type": "tool_result",
            "tool_use_id": message["tool_call_id"],
            "content": message["content"],
        }
        return [result | _mark(message)]
    thoughts = [dict(block) for block in message.get("thinking_blocks") or ()]
    said = [_part(part) for part in parts_of(message)]
    calls = [
        {
            "type": "tool_use",
            "id": call["id"],
            "name": call["function"]["name"],
            "input": json.loads(call["function"]["arguments"]),
        }
        for call in message.get("tool_calls") or ()
    ]
    return [*thoughts, *said, *calls]


def _part(part: Record) -> Record:
    if part["type"] == "text":
        return part
    media_type, data = data_url(part)
    source = {"type": "base64", "media_type": media_type, "data": data}
    if part["type"] == "image_url":
        return {"type": "image", "source": source} | _mark(part)
    title = {"title": part["file"]["filename"]}
    return {"type": "document", "source": source} | title | _mark(part)


# What comes back --------------------------------------------------------------------------


class MessagesReader(Reader):
    def __init__(self) -> None:
        super().__init__()
        self._said: str | None = None
        """The stop reason; it counts when the message has stopped."""
        self._open: dict[int, Json] = {}
        """Blocks that have begun and not stopped, by their index."""
        self._inputs: dict[int, list[str]] = {}
        """What has come of the arguments of tools that the service runs, by the same."""

    @property
    def is_ending(self) -> bool:
        return self._said is not None

    def read(self, event: str, data: Json) -> Iterator[Piece]:
        kind = data.get("type") or event
        if kind == "error":
            raise ServerReportedError(data.get("error") or dict(data))
        if not isinstance(kind, str) or not kind:
            raise DamagedError("an event without a type")
        if kind == "message_start":
            self._count(table(table(data.get("message"), "a message").get("usage"), "usage"))
        elif kind == "content_block_start":
            yield from self._begin(data)
        elif kind == "content_block_delta":
            yield from self._delta(data)
        elif kind == "content_block_stop":
            yield from self._stop(self._index(data))
        elif kind == "message_delta":
            self._said = table(data.get("delta"), "a delta").get("stop_reason") or self._said
            self._count(table(data.get("usage"), "usage"))
        elif kind == "message_stop":
            if self._said is None or self._open:
                raise DamagedError("a message that stopped in the middle")
            self.reason, self.is_over = REASONS.get(self._said, self._said), True

    def read_whole(self, body: Json) -> Iterator[Piece]:
        if body.get("type") == "error" or "error" in body:
            raise ServerReportedError(body.get("error") or dict(body))
        reason = body.get("stop_reason")
        if not isinstance(reason, str):
            raise DamagedError("an answer without a stop reason")
        for index, block in enumerate(rows(body.get("content"), "content")):
            yield from self._begin({"index": index, "content_block": block})
            if block.get("type") == "tool_use":
                self.size += self.calls.piece(index, None, None, block.get("input") or {})
            yield from self._stop(index)
        self._count(table(body.get("usage"), "usage"))
        self.reason, self.is_over = REASONS.get(reason, reason), True

    def _index(self, data: Json) -> int:
        index = data.get("index")
        if not isinstance(index, int):
            raise DamagedError("a block without an index")
        return index

    def _begin(self, data: Json) -> Iterator[Piece]:
        index, block = self._index(data), table(data.get("content_block"), "a block")
        self._open[index] = block
        kind = block.get("type")
        if kind == "text":
            yield from self.say(block.get("text"))
        elif kind == "thinking":
            signed = {"thinking": block.get("thinking"), "signature": block.get("signature")}
            self.blocks.append({"type": "thinking"} | {k: v or "" for k, v in signed.items()})
            yield from self.think(block.get("thinking"))
        elif kind == "redacted_thinking":
            self.blocks.append(dict(block))
        elif kind == "tool_use":
            self.calls.piece(index, block.get("id"), block.get("name"), None)
        elif kind in _SERVER_TOOLS:
            self._inputs[index] = []
            self.progress += 1
        elif isinstance(kind, str) and kind.endswith("_tool_result"):
            yield self._result(block)

    def _stop(self, index: int) -> Iterator[Piece]:
        """A block is whole. A tool that the service runs begins now: its arguments are known."""
        block, pieces = self._open.pop(index, None), self._inputs.pop(index, None)
        if block is None or pieces is None:
            return
        name, server = (optional_text(block.get(key), "a name") for key in ("name", "server_name"))
        yield self.server_tools.start(
            optional_text(block.get("id"), "an id"),
            f"{server}.{name}" if server else name,
            "".join(pieces) or block.get("input"),
        )

    def _result(self, block: Json) -> Piece:
        """A result comes in one piece. Errors are told by a type of their own, or a mark."""
        content = block.get("content")
        kind = str(content.get("type") or "") if isinstance(content, Mapping) else ""
        is_error = block.get("is_error") is True or kind.endswith("_error")
        call_id = optional_text(block.get("tool_use_id"), "an id")
        return self.server_tools.finish(call_id, content, "failed" if is_error else "complete")

    def _delta(self, data: Json) -> Iterator[Piece]:
        index, delta = self._index(data), table(data.get("delta"), "a delta")
        if index not in self._open:
            raise DamagedError("a piece of a block that has not begun")
        self.progress += 1
        kind = delta.get("type")
        if kind == "text_delta":
            yield from self.say(delta.get("text"))
        elif kind == "thinking_delta":
            self.blocks[-1]["thinking"] += str(delta.get("thinking") or "")
            yield from self.think(delta.get("thinking"))
        elif kind == "signature_delta":
            self.blocks[-1]["signature"] += str(delta.get("signature") or "")
        elif kind == "input_json_delta" and index in self._inputs:
            self._inputs[index].append(optional_text(delta.get("partial_json"), "arguments"))
        elif kind == "input_json_delta":
            self.size += self.calls.piece(index, None, None, delta.get("partial_json"))

    def _count(self, counts: Json) -> None:
        known = {**self.counts.get("own", {}), **{k: v for k, v in counts.items() if v is not None}}
        if not known:
            return
        fresh, read, kept = (
            number(known.get(name))
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )
        # Unlike others, Anthropic counts what it read from its cache apart.
        whole = None if fresh is None else fresh + (read or 0) + (kept or 0)
        said = number(known.get("output_tokens"))
        self.usage = Usage(whole, said, None, read)
        self.counts = {
            "own": known,
            "prompt_tokens": whole,
            "completion_tokens": said,
            "cached_tokens": read,
            "cache_creation_tokens": kept,
        }


WIRE = Wire(
    "Anthropic messages",
    write,
    MessagesReader,
    ServerSentEvents,
    lambda key: {"x-api-key": key},
    "/v1/models",
    {"anthropic-version": VERSION},
)
