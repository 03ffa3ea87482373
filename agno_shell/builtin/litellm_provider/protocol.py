"""What the shell and the model process say to each other: JSON objects, one a line.

To the process, first ``{"do": "configure", …}``, then any number of
``{"id": N, "do": "stream" | "call" | "cancel", …}``. From it ``{"ready": true}`` or
``{"broken": SENTENCE}`` once, and for each id one event a line, the last of which is
``finished`` or ``failed``, or one ``result`` or ``error``. The ids let one connection
carry any number of requests at once. ASCII only, so that any byte stream will do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agno_shell.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCall,
    UsageReported,
)
from agno_shell.types import Message, Usage

Record = dict[str, Any]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

PROVIDER = "litellm"
"""The name under which this provider's private fields are kept with a message."""


def encode(record: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Record:
    """Raises ``ValueError`` for anything but a JSON object."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("a line of the protocol is a JSON object")  # noqa: TRY004
    return record


# Requests --------------------------------------------------------------------------------


def request_record(request: Request) -> Record:
    """A request as JSON values."""
    return {
        "model": request.model,
        "messages": list(model_messages(request.messages, request.model)),
        "parameters": dict(request.parameters),
        "api_base": request.api_base,
    }


def model_messages(messages: Sequence[Message], model: str) -> Iterator[Record]:
    """Messages in OpenAI's form; an assistant message without content is left out."""
    following = [*messages[1:], None]
    for message, after in zip(messages, following, strict=True):
        record: Record = {"role": message.role, "content": message.content}
        if message.role in ("assistant", "tool"):
            answered = after is not None and after.role == "tool"
            record = _private_fields(message, model, answered) | record
        if message.role != "assistant" or message.content or "tool_calls" in record:
            yield record


def _private_fields(message: Message, model: str, answered: bool) -> Record:
    """What this model, and no other, gave to be handed back to it."""
    data = message.provider_data.get(PROVIDER)
    if not isinstance(data, Mapping) or data.get("model", model) != model:
        return {}
    fields = {name: value for name, value in data.items() if name != "model"}
    if not answered:
        # Servers refuse a call of a function that no tool message answers.
        fields.pop("tool_calls", None)
    return fields


def sendable(value: Any) -> Any:
    """``value`` with every lone surrogate, which UTF-8 cannot hold, as U+FFFD.

    One may come from a model, and would else stop every later request of its session.
    """
    if isinstance(value, str):
        return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if isinstance(value, dict):
        return {name: sendable(item) for name, item in value.items()}
    return value


# Events ----------------------------------------------------------------------------------


def event_record(event: Event) -> Record:
    """An event as JSON values, without its id."""
    match event:
        case TextDelta(text):
            return {"text": text}
        case ReasoningDelta(text):
            return {"reasoning": text}
        case ToolCall(id, name, arguments):
            return {"tool_call": {"id": id, "name": name, "arguments": arguments}}
        case UsageReported(usage):
            return {"usage": usage._asdict()}
        case Finished(reason, data):
            return {"finished": {"reason": reason, "provider_data": dict(data)}}
        case Failed(kind, message, hint):
            return {"failed": {"kind": kind, "message": message, "hint": hint}}


def record_event(record: Record) -> Event:
    """The event in a record. Raises ``ValueError`` when there is none."""
    if "text" in record:
        return TextDelta(record["text"])
    if "reasoning" in record:
        return ReasoningDelta(record["reasoning"])
    if "tool_call" in record:
        return ToolCall(**record["tool_call"])
    if "usage" in record:
        return UsageReported(Usage(**record["usage"]))
    if "finished" in record:
        return Finished(**record["finished"])
    if "failed" in record:
        return Failed(**record["failed"])
    raise ValueError(f"no event in a record of {sorted(record)}")
