"""Google's generateContent.

https://ai.google.dev/api/generate-content
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
from agno_shell.types import Status, Usage

REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "FUNCTION_CALL": "tool_calls",  # not Google's own word, but that of servers that copy it
    **dict.fromkeys(
        (
            *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"),
            *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
        ),
        "content_filter",
    ),
}

_PARAMETERS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
}

_BUDGETS = {"off": 0, "low": 1_024, "medium": 8_192, "high": 24_576}
"""Tokens that a model may think, of each level; what Gemini 2.5 takes."""


# What is sent -----------------------------------------------------------------------------


def write(asked: ChatRequest) -> Post:
    body: Record = {"contents": _contents(asked.messages)}
    system = [part for one in asked.messages if one["role"] == "system" for part in parts_of(one)]
    if system:
        body["systemInstruction"] = {"parts": [{"text": part["text"]} for part in system]}
    if asked.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in asked.tools]}]
    if configuration := _configuration(asked):
        body["generationConfig"] = configuration
    return Post(f"/models/{asked.target.name}:streamGenerateContent?alt=sse", body)


def _tool(tool: Mapping[str, Any]) -> Record:
    function = tool["function"]
    return {
        "name": function["name"],
        "description": function["description"],
        "parametersJsonSchema": function["parameters"],
    }


def _configuration(asked: ChatRequest) -> Record:
    given = asked.parameters
    made: Record = {ours: given[name] for name, ours in _PARAMETERS.items() if name in given}
    if stop := given.get("stop"):
        made["stopSequences"] = [stop] if isinstance(stop, str) else stop
    if asked.target.abilities.reasoning is False:
        return made
    thinks = asked.reasoning is not None or asked.target.abilities.reasoning
    if thinks:
        thinking: Record = {"includeThoughts": asked.reasoning != "off"}
        if asked.reasoning is not None:
            thinking |= _level(asked.target.name, asked.reasoning)
        made["thinkingConfig"] = thinking
    return made


def _level(model: str, level: str) -> Record:
    """Models before Gemini 3 take a number of tokens, later ones a word."""
    if any(old in model for old in ("gemini-1", "gemini-2")):
        return {"thinkingBudget": _BUDGETS[level]}
    return {"thinkingLevel": "minimal" if level == "off" else level}


def _contents(messages: Sequence[Record]) -> list[Record]:
    names = {
        call["id"]: call["function"]["name"]
        for message in messages
        for call in message.get("tool_calls") or ()
    }
    written: list[Record] = []
    for message in messages:
        if message["role"] == "system":
            continue
        role = "model" if message["role"] == "assistant" else "user"
        parts = _parts(message, names)
        if written and written[-1]["role"] == role:
            written[-1]["parts"] += parts
        elif parts:
            written.append({"role": role, "parts": parts})
    return written


def _parts(message: Record, names: Mapping[str, str]) -> list[Record]:
    if message["role"] == "tool":
        name = names.get(message["tool_call_id"], "unnamed")
        return [{"functionResponse": {"name": name, "response": {"result": message["content"]}}}]
    said = [_part(part) for part in parts_of(message)]
    return [*said, *map(_call, message.get("tool_calls") or ())]


def _call(call: Record) -> Record:
    function = call["function"]
    made: Record = {
        "functionCall": {"name": function["name"], "args": json.loads(function["arguments"])}
    }
    signature = (call.get("provider_specific_fields") or {}).get("thought_signature")
    return made | ({"thoughtSignature": signature} if signature else {})


def _part(part: Record) -> Record:
    if part["type"] == "text":
        return {"text": part["text"]}
    media_type, data = data_url(part)
    return {"inlineData": {"mimeType": media_type, "data": data}}


# What comes back --------------------------------------------------------------------------


class ContentReader(Reader):
    def read(self, event: str, data: Json) -> Iterator[Piece]:
        if error := data.get("error"):
            raise ServerReportedError(error)
        if not data.keys() & {"candidates", "usageMetadata", "promptFeedback", "responseId"}:
            raise DamagedError("an event that is not of a reply")
        self._count(table(data.get("usageMetadata"), "usage"))
        blocked = table(data.get("promptFeedback"), "feedback").get("blockReason")
        if blocked and not data.get("candidates"):
            self.reason, self.is_over = "content_filter", True
        for candidate in rows(data.get("candidates"), "candidates")[:1]:
            content = table(candidate.get("content"), "content")
            for part in rows(content.get("parts"), "parts"):
                yield from self._part(part)
            # The service sends its counts with every event, and the reason with the last.
            if reason := candidate.get("finishReason"):
                self.reason = REASONS.get(str(reason), str(reason))

    def read_whole(self, body: Json) -> Iterator[Piece]:
        yield from self.read("", body)
        self.is_over = True

    def _part(self, part: Json) -> Iterator[Piece]:
        if call := part.get("functionCall"):
            call = table(call, "a call")
            self.size += self.calls.whole(
                str(call.get("id") or ""),
                str(call.get("name") or ""),
                call.get("args") or {},
                str(part.get("thoughtSignature") or ""),
            )
        elif (piece := self._server_tool(part)) is not None:
            yield piece
        elif part.get("thought"):
            yield from self.think(part.get("text"))
        else:
            yield from self.say(part.get("text"))

    def _server_tool(self, part: Json) -> Piece | None:
        """What a part tells of a tool that the service runs itself; None: nothing."""
        tools = self.server_tools
        if part.get("executableCode"):
            code = table(part["executableCode"], "code")
            given = {name: code[name] for name in ("language", "code") if code.get(name)}
            return tools.start(str(code.get("id") or ""), "code_execution", given)
        if part.get("codeExecutionResult"):
            result = table(part["codeExecutionResult"], "a result")
            is_ok = result.get("outcome") in (None, "OUTCOME_OK")
            said = result.get("output") or ("" if is_ok else result["outcome"])
            status: Status = "complete" if is_ok else "failed"
            return tools.finish(str(result.get("id") or ""), said, status)
        if part.get("toolCall"):
            call = table(part["toolCall"], "a call")
            name = str(call.get("toolType") or "tool").lower()
            return tools.start(str(call.get("id") or ""), name, call.get("args"))
        if part.get("toolResponse"):
            answer = table(part["toolResponse"], "a result")
            return tools.finish(str(answer.get("id") or ""), answer.get("response"))
        return None

    def _count(self, counts: Json) -> None:
        if not counts:
            return
        asked, said, thought, cached = (
            number(counts.get(name))
            for name in (
                *("promptTokenCount", "candidatesTokenCount"),
                *("thoughtsTokenCount", "cachedContentTokenCount"),
            )
        )
        # Google counts thoughts apart from the reply; elsewhere they are part of it.
        whole = None if said is None and thought is None else (said or 0) + (thought or 0)
        self.usage = Usage(asked, whole, thought, cached)
        self.counts = {
            "prompt_tokens": asked,
            "completion_tokens": whole,
            "cached_tokens": cached,
        }


WIRE = Wire(
    "Gemini",
    write,
    ContentReader,
    ServerSentEvents,
    lambda key: {"x-goog-api-key": key},
    "/models",
)
