"""OpenAI's chat completions, which most services and local servers speak.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agno_shell.builtin.model_services.wires.framing import DamagedError, ServerSentEvents
from agno_shell.builtin.model_services.wires.reading import (
    Json,
    Piece,
    Reader,
    ServerReportedError,
    number,
    rows,
    table,
)
from agno_shell.builtin.model_services.wires.wire import ChatRequest, Post, Record, Wire, bearer
from agno_shell.types import Usage

DONE = "[DONE]"

REASONS = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
"""Finish reasons of OpenAI and of the services that have words of their own, as
:class:`~agno_shell.events.Finished` has them."""

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Where services put what a model thinks: DeepSeek and most servers; OpenRouter, Groq; others."""

_MARKS_OF_A_CHUNK = frozenset(("id", "object", "type", "usage", "created"))


def write(asked: ChatRequest) -> Post:
    body: Record = {
        "model": asked.target.name,
        "messages": list(asked.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **asked.parameters,
    }
    if asked.tools:
        body["tools"] = list(asked.tools)
    if "max_tokens" in body and asked.target.provider in ("openai", "azure"):
        body["max_completion_tokens"] = body.pop("max_tokens")
    if asked.reasoning is not None and asked.target.abilities.reasoning is not False:
        body |= _reasoning(asked.target.provider, asked.reasoning)
    return Post("/chat/completions", body)


def _reasoning(provider: str, level: str) -> Record:
    effort = "none" if level == "off" else level
    if provider == "openrouter":
        return {"reasoning": {"effort": effort}}
    if provider == "deepseek":
        return {"thinking": {"type": "disabled" if level == "off" else "enabled"}}
    return {"reasoning_effort": effort}


class ChatReader(Reader):
    def feed(self, record: Any) -> list[Piece]:
        if record.data.strip() == DONE:
            self.is_over = self.reason is not None
            return []
        return super().feed(record)

    def read(self, event: str, data: Json) -> Iterator[Piece]:
        if error := data.get("error"):
            raise ServerReportedError(error)
        if event == "error":
            raise ServerReportedError(dict(data))
        if "choices" not in data and not _MARKS_OF_A_CHUNK & data.keys():
            raise DamagedError("an event that is not of a chat completion")
        self._count(table(data.get("usage"), "usage"))
        for choice in rows(data.get("choices"), "choices")[:1]:
            if self.reason is None:  # some servers begin again after the end
                yield from self._choice(choice, table(choice.get("delta"), "a delta"))

    def read_whole(self, body: Json) -> Iterator[Piece]:
        if error := body.get("error"):
            raise ServerReportedError(error)
        choices = rows(body.get("choices"), "choices")
        if not choices:
            raise DamagedError("an answer without a choice")
        self._count(table(body.get("usage"), "usage"))
        yield from self._choice(choices[0], table(choices[0].get("message"), "a message"))
        self.is_over = True

    def _choice(self, choice: Json, delta: Json) -> Iterator[Piece]:
        thought = next((delta[name] for name in _THOUGHTS if delta.get(name)), None)
        if isinstance(thought, str):
            yield from self.think(thought)
        content = delta.get("content")
        if isinstance(content, list):  # Mistral gives thoughts and text as parts
            yield from self._parts(rows(content, "a part"))
        else:
            yield from self.say(content)
        yield from self.say(delta.get("refusal"))
        for piece in rows(delta.get("tool_calls"), "a tool call"):
            function = table(piece.get("function"), "a function")
            self.size += self.calls.piece(
                piece.get("index"),
                piece.get("id"),
                function.get("name"),
                function.get("arguments"),
            )
        reason = choice.get("finish_reason")
        if reason is not None and reason != "":
            if not isinstance(reason, str):
                raise DamagedError("a finish reason that is not text")
            self.reason = REASONS.get(reason, reason)
            if reason == "error":
                raise ServerReportedError(choice.get("error") or "The reply ended with an error.")

    def _parts(self, parts: list[Json]) -> Iterator[Piece]:
        for part in parts:
            if part.get("type") == "thinking":
                for thought in rows(part.get("thinking"), "a thought"):
                    yield from self.think(thought.get("text"))
            else:
                yield from self.say(part.get("text"))

    def _count(self, counts: Json) -> None:
        if not counts:
            return
        said = _details(counts.get("completion_tokens_details"))
        asked = _details(counts.get("prompt_tokens_details"))
        known = map(number, (asked.get("cached_tokens"), counts.get("prompt_cache_hit_tokens")))
        cached = max((count for count in known if count is not None), default=None)
        asked_in_all, said_in_all = map(
            number, (counts.get("prompt_tokens"), counts.get("completion_tokens"))
        )
        # Some servers send running counts: the last ones are the largest.
        self.counts = {
            "prompt_tokens": asked_in_all,
            "completion_tokens": said_in_all,
            "cached_tokens": cached,
        }
        thought = number(said.get("reasoning_tokens"))
        self.usage = Usage(asked_in_all, said_in_all, thought, cached)


def _details(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


WIRE = Wire("OpenAI chat", write, ChatReader, ServerSentEvents, bearer, "/models")
