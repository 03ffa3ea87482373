"""Messages as JSON objects, and the one line that each of them has in a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

from agno_shell.toolkit.json_records.values import dumps, stamp, time_of
from agno_shell.types import (
    NOTHING,
    Attachment,
    Message,
    ProviderTool,
    Timing,
    ToolCall,
    Usage,
)

ROLES = frozenset(("user", "assistant", "system", "tool", "summary"))
STATUSES = frozenset(("complete", "interrupted", "incomplete", "failed"))

_PLAIN = frozenset(("id", "role", "content", "created_at", "parent"))
"""The keys of a message with nothing special about it, the most frequent kind."""
_USUAL = _PLAIN | {"status", "model", "usage", "timing"}
"""Those of a reply."""
_objects = attrgetter("provider_data", "attachments", "tool_calls", "provider_tools", "extra")
"""The fields that are more than a text and some numbers."""
_ABSENT = object()


def message_fields(message: Message) -> dict[str, Any]:
    """The JSON object of a message; keys with nothing to say are left out."""
    fields: dict[str, Any] = {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "created_at": stamp(message.created_at),
        "parent": message.parent,
    }
    _add_further(fields, message)
    fields.update(message.extra)
    return fields


def _add_further(fields: dict[str, Any], message: Message) -> None:
    """What only some messages have."""
    if message.status != "complete":
        fields["status"] = message.status
    if message.model is not None:
        fields["model"] = message.model
    if message.usage is not None:
        fields["usage"] = _numbers(message.usage)
    if message.timing is not None:
        fields["timing"] = _numbers(message.timing)
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    if message.speaker is not None:
        fields["speaker"] = message.speaker
    if message.covers is not None:
        fields["covers"] = message.covers
    if message.tool_calls:
        fields["tool_calls"] = [each._asdict() for each in message.tool_calls]
    if message.provider_tools:
        fields["provider_tools"] = [_tool_fields(each) for each in message.provider_tools]
    if message.attachments:
        fields["attachments"] = [each._asdict() for each in message.attachments]
    if message.provider_data:
        fields["provider_data"] = dict(message.provider_data)


def message_line(message: Message) -> bytes:
    """A message as one line of JSON, without its newline."""
    if not any(_objects(message)):
        try:
            return _line_of_text_and_numbers(message).encode("utf-8")
        except (ValueError, TypeError):
            pass  # a lone surrogate, or something that is not what it should be
    return dumps(message_fields(message))


def _line_of_text_and_numbers(message: Message) -> str:
    """The same for nearly all messages: half of what saving one takes before the disk has
    it would be the encoder's, which is created again for each object."""
    text = encode_basestring
    parent = "null" if message.parent is None else text(message.parent)
    parts = [
        f'{{"id":{text(message.id)},"role":{text(message.role)},"content":',
        text(message.content),
        f',"created_at":"{stamp(message.created_at)}","parent":{parent}',
    ]
    if message.status != "complete":
        parts.append(f',"status":{text(message.status)}')
    if message.model is not None:
        parts.append(f',"model":{text(message.model)}')
    if message.usage is not None:
        parts.append(f',"usage":{_text_of_numbers(message.usage)}')
    if message.timing is not None:
        parts.append(f',"timing":{_text_of_numbers(message.timing)}')
    if message.tool_call_id is not None:
        parts.append(f',"tool_call_id":{text(message.tool_call_id)}')
    if message.speaker is not None:
        parts.append(f',"speaker":{text(message.speaker)}')
    if message.covers is not None:
        parts.append(f',"covers":{text(message.covers)}')
    return "".join(parts) + "}"


def is_settled(raw: Mapping[str, Any]) -> bool:
    """Whether an object says itself what it is and what it follows."""
    parent = raw.get("parent", 0)
    return isinstance(raw.get("id"), str) and (parent is None or isinstance(parent, str))


def message_of(raw: Mapping[str, Any], ident: str, parent: str | None, before: datetime) -> Message:
    """The message in a JSON object. ``ident`` and ``parent`` are settled by the caller;
    ``before`` is the time of the message before it, used where this one has none."""
    role, content = raw.get("role"), raw.get("content")
    created_at = time_of(raw)
    known = _one_of(role, ROLES, "user")
    text = content if isinstance(content, str) else text_of(content)
    is_usual = created_at is not None and known == role and text is content
    if is_usual and raw.keys() <= _PLAIN:
        return Message(ident, known, text, created_at or before, parent)
    model = raw.get("model")
    message = Message(
        ident,
        known,
        text,
        created_at or before,
        parent,
        _one_of(raw.get("status"), STATUSES, "complete"),
        model if isinstance(model, str) else None,
        _usage(raw.get("usage")),
        _timing(raw.get("timing")),
    )
    if is_usual and raw.keys() <= _USUAL and _says_all(raw, message):
        return message
    return _with_the_rest(raw, message, created_at is not None)


def _with_the_rest(raw: Mapping[str, Any], message: Message, has_time: bool) -> Message:
    """The message with what only few have, and with all that it does not say otherwise."""
    provider_data, call, speaker, covers = map(
        raw.get, ("provider_data", "tool_call_id", "speaker", "covers")
    )
    message = message._replace(
        attachments=_attachments(raw.get("attachments")),
        provider_data=provider_data if isinstance(provider_data, dict) else NOTHING,
        tool_calls=_tool_calls(raw.get("tool_calls")),
        tool_call_id=call if isinstance(call, str) else None,
        speaker=speaker if isinstance(speaker, str) else None,
        provider_tools=_provider_tools(raw.get("provider_tools")),
        covers=covers if isinstance(covers, str) else None,
    )
    # Once a time was found, the older name for it in the same object adds nothing.
    settled = {"id", "parent", *(("created_at", "timestamp") if has_time else ())}
    written = {"role": message.role, "content": message.content}
    _add_further(written, message)
    return message._replace(
        extra={
            key: value
            for key, value in raw.items()
            if key not in settled and written.get(key, _ABSENT) != value
        }
    )


def _says_all(raw: Mapping[str, Any], message: Message) -> bool:
    """Whether writing ``message`` would say all that ``raw``, with the keys of a reply,
    says; found out without writing it, because there may be hundreds to show."""
    return (
        ("status" in raw) == (message.status != "complete")
        and ("model" in raw) == (message.model is not None)
        and _says_numbers(raw.get("usage", _ABSENT), message.usage)
        and _says_numbers(raw.get("timing", _ABSENT), message.timing)
    )


def _says_numbers(raw: object, record: Usage | Timing | None) -> bool:
    if record is None or not isinstance(raw, dict):
        return raw is _ABSENT
    return len(raw) == len(record) - record.count(None)  # numbers are taken as they are


def _one_of(value: object, words: frozenset[str], otherwise: str) -> Any:
    return value if isinstance(value, str) and value in words else otherwise


def text_of(content: object) -> str:
    """What can be shown of content that is no text, such as a list of typed parts."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        if any(isinstance(part, str) for part in parts):
            return "".join(part for part in parts if isinstance(part, str))
    return dumps(content).decode("utf-8")


def _numbers(record: Usage | Timing) -> dict[str, Any]:
    # A price that is not a number would make the whole message unwritable.
    return {
        key: value
        for key, value in zip(record._fields, record, strict=True)
        if value is not None and math.isfinite(value)
    }


def _text_of_numbers(record: Usage | Timing) -> str:
    parts = []
    for key, value in zip(record._fields, record, strict=True):
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            parts.append(f'"{key}":{value!r}')
        elif value is not None and type(value) is not float:
            raise TypeError("not a number of a kind that JSON has")
    return "{" + ",".join(parts) + "}"


def _whole(value: object) -> int | None:
    return value if type(value) is int else None  # and not a bool, which is an int as well


def _finite(value: object) -> float | None:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    return None


def _usage(raw: object) -> Usage | None:
    if not isinstance(raw, dict):
        return None
    get = raw.get
    return Usage(
        _whole(get("input_tokens")),
        _whole(get("output_tokens")),
        _whole(get("reasoning_tokens")),
        _whole(get("cached_tokens")),
        _finite(get("cost")),
    )


def _timing(raw: object) -> Timing | None:
    if not isinstance(raw, dict):
        return None
    return Timing(_finite(raw.get("first_token")), _finite(raw.get("total")))


def _tool_calls(raw: object) -> tuple[ToolCall, ...]:
    found = []
    for each in raw if isinstance(raw, list) else ():
        if not isinstance(each, dict):
            return ()
        ident, name, arguments = (each.get(key) for key in ToolCall._fields)
        if not (isinstance(ident, str) and isinstance(name, str) and isinstance(arguments, str)):
            return ()
        found.append(ToolCall(ident, name, arguments))
    return tuple(found)


def _tool_fields(tool: ProviderTool) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": tool.id, "name": tool.name, "arguments": tool.arguments}
    fields["result"] = tool.result
    if tool.status != "complete":
        fields["status"] = tool.status
    if tool.seconds is not None and math.isfinite(tool.seconds):
        fields["seconds"] = tool.seconds
    if tool.at:
        fields["at"] = tool.at
    return fields


def _provider_tools(raw: object) -> tuple[ProviderTool, ...]:
    found = []
    for each in raw if isinstance(raw, list) else ():
        if not isinstance(each, dict):
            return ()
        texts: dict[str, Any] = {
            key: each.get(key) for key in ("id", "name", "arguments", "result")
        }
        if not all(isinstance(text, str) for text in texts.values()):
            return ()
        status = _one_of(each.get("status"), STATUSES, "complete")
        seconds, at = _finite(each.get("seconds")), _whole(each.get("at")) or 0
        found.append(ProviderTool(**texts, status=status, seconds=seconds, at=at))
    return tuple(found)


def _attachments(raw: object) -> tuple[Attachment, ...]:
    if not isinstance(raw, list):
        return ()
    found = []
    for each in raw:
        if not isinstance(each, dict):
            return ()
        name, media_type, digest = (each.get(key) for key in ("name", "media_type", "sha256"))
        size = _whole(each.get("size"))
        if not (isinstance(name, str) and isinstance(media_type, str) and isinstance(digest, str)):
            return ()
        found.append(Attachment(name, media_type, digest, size or 0))
    return tuple(found)
