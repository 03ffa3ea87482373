"""OpenAI's Responses API, for models that need it.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

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
    bearer,
    parts_of,
    text_of,
)
from agno_shell.types import Status, Usage

_INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}
_SERVER_TOOLS = (
    *("web_search_call", "file_search_call", "code_interpreter_call"),
    *("image_generation_call", "mcp_call"),
)
"""Items of tools that the service runs itself; others are for whoever asks."""
_STATUSES: Mapping[str, Status] = {"failed": "failed", "incomplete": "incomplete"}
_TAKEN = ("temperature", "top_p", "metadata", "service_tier", "tool_choice", "parallel_tool_calls")


def write(asked: ChatRequest) -> Post:
    body: Record = {
        "model": asked.target.name,
        "input": [item for message in asked.messages for item in _items(message)],
        "stream": True,
        # Nothing has to stay with the service: the thoughts come along, encrypted.
        "store": False,
    }
    body |= {name: asked.parameters[name] for name in _TAKEN if name in asked.parameters}
    if "max_tokens" in asked.parameters:
        body["max_output_tokens"] = asked.parameters["max_tokens"]
    if asked.tools:
        body["tools"] = [
            {"type": "function", "strict": False} | tool["function"] for tool in asked.tools
        ]
    if asked.target.abilities.reasoning is not False:
        body["include"] = ["reasoning.encrypted_content"]
        body["reasoning"] = {"summary": "auto"}
        if asked.reasoning is not None:
            effort = "none" if asked.reasoning == "off" else asked.reasoning
            body["reasoning"]["effort"] = effort
    return Post("/responses", body)


def _items(message: Mapping[str, Any]) -> Sequence[Record]:
    if message["role"] == "tool":
        call_id, output = message["tool_call_id"], message["content"]
        return [{"type": "function_call_output", "call_id": call_id, "output": output}]
    if message["role"] != "assistant":
        content = [_part(part) for part in parts_of(message)]
        return [{"role": message["role"], "content": content}]
    thoughts = [dict(item) for item in message.get("reasoning_items") or ()]
    # Parts of an earlier reply are only for a client that has the service's own id of it.
    said = text_of(message)
    calls = [
        {"type": "function_call", "call_id": call["id"]} | call["function"]
        for call in message.get("tool_calls") or ()
    ]
    return [*thoughts, *([{"role": "assistant", "content": said}] if said else []), *calls]


def _part(part: Record) -> Record:
    if part["type"] == "image_url":
        return {"type": "input_image", "image_url": part["image_url"]["url"], "detail": "auto"}
    if part["type"] == "file":
        return {"type": "input_file", **part["file"]}
    return {"type": "input_text", "text": part["text"]}


class ResponsesReader(Reader):
    def read(self, event: str, data: Json) -> Iterator[Piece]:
        kind = data.get("type") or event
        if not isinstance(kind, str) or not kind:
            raise DamagedError("an event without a type")
        if kind == "error":
            raise ServerReportedError(data.get("error") or dict(data))
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            yield from self.say(data.get("delta"))
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            yield from self.think(data.get("delta"))
        elif kind.endswith(".delta"):
            self.progress += 1  # arguments of a call, which comes as a whole afterwards
        elif kind == "response.output_item.added":
            yield from self._started(table(data.get("item"), "an item"))
        elif kind == "response.output_item.done":
            yield from self._item(table(data.get("item"), "an item"))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._end(table(data.get("response"), "a response"))

    def read_whole(self, body: Json) -> Iterator[Piece]:
        if error := body.get("error"):
            raise ServerReportedError(error)
        for item in rows(body.get("output"), "output"):
            yield from self._item(item)
            for part in rows(item.get("summary"), "a summary"):
                yield from self.think(part.get("text"))
            if item.get("type") == "message":
                for part in rows(item.get("content"), "content"):
                    yield from self.say(part.get("text") or part.get("refusal"))
        self._end(body)

    def _started(self, item: Json) -> Iterator[Piece]:
        if item.get("type") in _SERVER_TOOLS:
            call_id = optional_text(item.get("id"), "an id")
            yield self.server_tools.start(call_id, _tool_name(item), _arguments(item))

    def _item(self, item: Json) -> Iterator[Piece]:
        if item.get("type") == "function_call":
            call_id, name = str(item.get("call_id") or ""), str(item.get("name") or "")
            self.size += self.calls.whole(call_id, name, item.get("arguments"))
        elif item.get("type") == "reasoning" and item.get("encrypted_content"):
            kept = ("type", "id", "summary", "encrypted_content")
            self.items.append({name: item[name] for name in kept if name in item})
        elif item.get("type") in _SERVER_TOOLS:
            yield self.server_tools.finish(
                optional_text(item.get("id"), "an id"),
                _result(item),
                "failed"
                if item.get("error")
                else _STATUSES.get(str(item.get("status")), "complete"),
                name=_tool_name(item),
                arguments=_arguments(item),
            )

    def _end(self, response: Json) -> None:
        status = response.get("status")
        if status == "failed":
            raise ServerReportedError(response.get("error") or "The reply failed.")
        self._count(table(response.get("usage"), "usage"))
        if status == "completed":
            self.reason = "tool_calls" if len(self.calls) else "stop"
        else:
            said = table(response.get("incomplete_details"), "details").get("reason")
            self.reason = _INCOMPLETE.get(str(said), str(said or status or "unknown"))
        self.is_over = True

    def _count(self, counts: Json) -> None:
        if not counts:
            return
        asked = table(counts.get("input_tokens_details"), "details")
        said = table(counts.get("output_tokens_details"), "details")
        self.usage = Usage(
            number(counts.get("input_tokens")),
            number(counts.get("output_tokens")),
            number(said.get("reasoning_tokens")),
            number(asked.get("cached_tokens")),
        )
        self.counts = {
            "prompt_tokens": self.usage.input_tokens,
            "completion_tokens": self.usage.output_tokens,
            "cached_tokens": self.usage.cached_tokens,
        }


def _tool_name(item: Json) -> str:
    """``web_search``; of a tool of an MCP server its own name behind the server's."""
    if item["type"] == "mcp_call":
        return ".".join(str(item[key]) for key in ("server_label", "name") if item.get(key))
    return str(item["type"]).removesuffix("_call")


def _arguments(item: Json) -> object:
    """What a tool was given, as far as it is known."""
    if item["type"] == "mcp_call":
        return item.get("arguments")
    if item["type"] == "web_search_call":
        action = table(item.get("action"), "an action")
        return {key: value for key, value in action.items() if value and key != "sources"}
    return {key: item[key] for key in ("code", "queries") if item.get(key)}


def _result(item: Json) -> object:
    if item["type"] == "image_generation_call":
        return {"type": "image"} if item.get("result") else item.get("error")
    if item["type"] == "web_search_call":
        return table(item.get("action"), "an action").get("sources")
    return [item.get(key) for key in ("results", "outputs", "output", "error")]


WIRE = Wire("OpenAI responses", write, ResponsesReader, ServerSentEvents, bearer, "/models")
