"""What the shell and the model process say to each other: JSON objects, one a line.

To the process, first ``{"do": "configure", …}``, then any number of
``{"id": N, "do": "stream" | "call" | "cancel", …}``. A record with ``files``, a list of
``[SHA-256, size]``, is followed by the bytes of these files, one after the other: nobody
encodes and decodes what may be as large as a film. From the process ``{"ready": true}`` or
``{"broken": SENTENCE}`` once, and for each id one event a line, the last of which is
``finished`` or ``failed``, or one ``result`` or ``error``. While it is being started, and while
it works on anything, it sends ``{"alive": true}`` every second. The ids let one connection
carry any number of requests at once. The lines are ASCII only, so that any byte stream
will do.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from agno_shell.builtin.model_services.sendable import message_record
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    HiddenDelta,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    Request,
    SpeakerChanged,
    TextDelta,
    UsageReported,
)
from agno_shell.types import Status, ToolCall, Usage

Record = dict[str, Any]

PROVIDER = "litellm"
"""The name under which this provider's private fields are kept with a message."""


def encode(record: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(record, separators=(",", ":"), default=_plain).encode("ascii") + b"\n"


def _plain(value: Any) -> Any:
    """What stands in JSON for a mapping that is no ``dict``."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"JSON knows no object of type {type(value).__name__}")


def decode(line: bytes) -> Record:
    """Raises ``ValueError`` for anything but a JSON object."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("a line of the protocol is a JSON object")  # noqa: TRY004
    return record


# Requests --------------------------------------------------------------------------------


def request_record(request: Request) -> Record:
    """A request as JSON values, without the contents of its files."""
    return {
        "model": request.model,
        "messages": [message_record(message) for message in request.messages],
        "parameters": dict(request.parameters),
        "api_base": request.api_base,
        "tools": [tool._asdict() for tool in request.tools],
        "reasoning": request.reasoning,
    }


def list_files(files: Mapping[str, bytes]) -> list[list[Any]]:
    """The value of ``files`` in a record that is followed by these contents."""
    return [[sha256, len(content)] for sha256, content in files.items()]


def read_files(listed: list[list[Any]], stream: BinaryIO) -> dict[str, bytes]:
    """The contents that follow a record. Raises ``EOFError`` where they end too early."""
    files = {}
    for sha256, size in listed:
        content = stream.read(size)
        if len(content) != size:
            raise EOFError(f"a file of {size} bytes ended after {len(content)}")
        files[sha256] = content
    return files


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
        case ProviderToolStarted(call):
            return {"tool_started": call._asdict()}
        case ProviderToolFinished(call, result, status):
            return {"tool_finished": {**call._asdict(), "result": result, "status": status}}
        case SpeakerChanged(name):
            return {"speaker": name}
        case UsageReported(usage):
            return {"usage": usage._asdict()}
        case HiddenDelta():
            return {"progress": True}
        case Finished(reason, data):
            return {"finished": {"reason": reason, "provider_data": dict(data)}}
        case Failed():
            return {"failed": dataclasses.asdict(event)}


def record_event(record: Record) -> Event:
    """The event in a record. Raises ``ValueError`` when there is none."""
    if "text" in record:
        return TextDelta(record["text"])
    if "reasoning" in record:
        return ReasoningDelta(record["reasoning"])
    if "tool_call" in record:
        return ToolCall(**record["tool_call"])
    if "tool_started" in record:
        return ProviderToolStarted(ToolCall(**record["tool_started"]))
    if "tool_finished" in record:
        return _tool_finished(**record["tool_finished"])
    if "speaker" in record:
        return SpeakerChanged(record["speaker"])
    if "usage" in record:
        return UsageReported(Usage(**record["usage"]))
    if "progress" in record:
        return HiddenDelta()
    if "finished" in record:
        return Finished(**record["finished"])
    if "failed" in record:
        return Failed(**record["failed"])
    raise ValueError(f"no event in a record of {sorted(record)}")


def _tool_finished(result: str, status: Status, **call: str) -> ProviderToolFinished:
    return ProviderToolFinished(ToolCall(**call), result, status)
