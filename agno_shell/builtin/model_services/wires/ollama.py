"""Ollama's chat: JSON lines.

https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agno_shell.builtin.model_services.wires.framing import DamagedError, JsonLines
from agno_shell.builtin.model_services.wires.reading import (
    Json,
    Piece,
    Reader,
    ServerReportedError,
    number,
    rows,
    table,
)
from agno_shell.builtin.model_services.wires.wire import (
    ChatRequest,
    Post,
    Record,
    Wire,
    bearer,
    data_url,
    parts_of,
    text_of,
)
from agno_shell.types import Usage

REASONS = {"stop": "stop", "length": "length"}

_OPTIONS = {"max_tokens": "num_predict"}
"""Parameters that Ollama calls otherwise."""
_TOP_LEVEL = ("format", "keep_alive", "think")


def write(asked: ChatRequest) -> Post:
    names = {
        call["id"]: call["function"]["name"]
        for message in asked.messages
        for call in message.get("tool_calls") or ()
    }
    body: Record = {
        "model": asked.target.name,
        "messages": [_message(message, names) for message in asked.messages],
        "stream": True,
    }
    options = {}
    for name, value in asked.parameters.items():
        if name in _TOP_LEVEL:
            body[name] = value
        else:
            options[_OPTIONS.get(name, name)] = value
    if options:
        body["options"] = options
    if asked.tools:
        body["tools"] = list(asked.tools)
    if asked.reasoning is not None and asked.target.abilities.reasoning is not False:
        body["think"] = _think(asked.target.name, asked.reasoning)
    return Post("/api/chat", body)


def _think(model: str, level: str) -> bool | str:
    """gpt-oss takes a level, and cannot be asked not to think; the others take yes or no."""
    if "gpt-oss" in model:
        return "low" if level == "off" else level
    return level != "off"


def _message(message: Mapping[str, Any], names: Mapping[str, str]) -> Record:
    written: Record = {"role": message["role"], "content": text_of(message)}
    images = [data_url(part)[1] for part in parts_of(message) if part["type"] == "image_url"]
    if images:
        written["images"] = images
    if thoughts := message.get("reasoning_content"):
        written["thinking"] = thoughts
    if message["role"] == "tool":
        written["tool_name"] = names.get(message["tool_call_id"], "unnamed")
    if calls := message.get("tool_calls"):
        written["tool_calls"] = [
            {
                "function": {
                    "name": call["function"]["name"],
                    "arguments": json.loads(call["function"]["arguments"]),
                }
            }
            for call in calls
        ]
    return written


class OllamaReader(Reader):
    def read(self, event: str, data: Json) -> Iterator[Piece]:
        if error := data.get("error"):
            raise ServerReportedError(error)
        if "message" not in data and "done" not in data:
            raise DamagedError("a line that is not of a reply")
        message = table(data.get("message"), "a message")
        yield from self.think(message.get("thinking"))
        yield from self.say(message.get("content"))
        for call in rows(message.get("tool_calls"), "a tool call"):
            function = table(call.get("function"), "a function")
            name, arguments = str(function.get("name") or ""), function.get("arguments") or {}
            self.size += self.calls.whole(str(call.get("id") or ""), name, arguments)
        if data.get("done"):
            self._end(data)

    def read_whole(self, body: Json) -> Iterator[Piece]:
        return self.read("", body)

    def _end(self, data: Json) -> None:
        said = str(data.get("done_reason") or "stop")  # older servers give no reason
        self.reason, self.is_over = REASONS.get(said, said), True
        asked, answered = number(data.get("prompt_eval_count")), number(data.get("eval_count"))
        self.usage = Usage(asked, answered)
        self.counts = {"prompt_tokens": asked, "completion_tokens": answered}


WIRE = Wire("Ollama", write, OllamaReader, JsonLines, bearer, "/api/tags")
