"""Records to JSON objects and back: what the files say, whoever keeps them.

Decoding never refuses an object: what cannot be used is read as if it were missing
and kept, under its own key, in ``extra``. Encoding writes ``extra`` last, so that
an object that was read and is written again says what it said.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any

from agno_shell.types import (
    NOTHING,
    Attachment,
    Message,
    Session,
    Timing,
    Usage,
    default_session_name,
)

ROLES = frozenset(("user", "assistant", "system", "tool"))
STATUSES = frozenset(("complete", "interrupted", "incomplete", "failed"))
EPOCH = datetime.fromtimestamp(0, UTC)
"""Stands where no time at all is known."""

_PLAIN = frozenset(("id", "role", "content", "created_at", "parent"))
"""The keys of a message with nothing special about it, the most frequent kind."""
_USUAL = _PLAIN | {"status", "model", "usage", "timing"}
"""Those of a reply."""
_ABSENT = object()


# JSON ------------------------------------------------------------------------------------


class UnwritableError(ValueError):
    """A record holds something that JSON cannot say, such as NaN or an object."""


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_FORM: Any = {"allow_nan": False, "separators": (",", ":"), "default": _plain}
_readable = json.JSONEncoder(ensure_ascii=False, **_FORM)
_escaped = json.JSONEncoder(ensure_ascii=True, **_FORM)


def dumps(value: object) -> bytes:
    """Compact strict JSON in UTF-8, on one line.

    A lone surrogate has no UTF-8 form: a value that holds one is written in ASCII with
    escapes. Raises :class:`UnwritableError` for what JSON cannot say.
    """
    try:
        return _readable.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        return _escaped.encode(value).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        raise UnwritableError(str(error)) from error


def refuse_constant(name: str) -> object:
    """For ``parse_constant``: NaN and the infinities are no JSON."""
    raise ValueError(f"{name} is not JSON")


def finite(digits: str) -> object:
    """For ``parse_float``: a number that no float can hold, such as 1e999, stays the text
    it is. Read as infinite it could never be written again, nor what stands beside it."""
    value = float(digits)
    return value if math.isfinite(value) else digits


_strict = json.JSONDecoder(parse_constant=refuse_constant, parse_float=finite)
_lenient = json.JSONDecoder(parse_constant=lambda _name: None, parse_float=finite)
Damage = (ValueError, RecursionError)
"""What reading a damaged text raises: also for a number of 5,000 digits, and for
nesting deeper than the interpreter can follow."""


def loads(data: bytes) -> Any:
    """The value of a strict JSON text in UTF-8; raises one of :data:`Damage`."""
    text = data.decode("utf-8")
    if text.startswith(("{", "[")):
        value, end = _strict.raw_decode(text)
        if end == len(text) or not text[end:].strip(" \t\r\n"):
            return value
    return _strict.decode(text)  # which knows of white space before it, and what is wrong


def scan(text: str, position: int) -> tuple[Any, int]:
    """The JSON value that begins at ``position``, and where it ends; NaN is read as
    null. Raises one of :data:`Damage`."""
    return _lenient.raw_decode(text, position)


# Times -----------------------------------------------------------------------------------


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: always 32 characters."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")


def moment(value: object) -> datetime | None:
    """The time an ISO 8601 text means, in UTC; one without an offset is local time. A
    number is seconds since 1970, or milliseconds where seconds would be past the year
    5138."""
    try:
        if not isinstance(value, str):
            return _moment_of_number(value)
        parsed = datetime.fromisoformat(value)
        return parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _moment_of_number(value: object) -> datetime | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, UTC)


# Messages --------------------------------------------------------------------------------


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
    if message.attachments:
        fields["attachments"] = [each._asdict() for each in message.attachments]
    if message.provider_data:
        fields["provider_data"] = dict(message.provider_data)


def message_line(message: Message) -> bytes:
    """A message as one line of JSON, without its newline."""
    if not (message.attachments or message.provider_data or message.extra):
        try:
            return _line_of_text_and_numbers(message).encode("utf-8")
        except (ValueError, TypeError):
            pass  # a lone surrogate, or something that is not what it should be
    return dumps(message_fields(message))


def _line_of_text_and_numbers(message: Message) -> str:
    """The same for nearly all messages: half of what saving one takes before the disk has
    it would be the encoder's, which is made anew for each object."""
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
    return "".join(parts) + "}"


def message_of(raw: Mapping[str, Any], ident: str, parent: str | None, before: datetime) -> Message:
    """The message in a JSON object. ``ident`` and ``parent`` are settled by the caller;
    ``before`` is the time of the message before it, used where this one has none."""
    role, content = raw.get("role"), raw.get("content")
    created_at = moment(raw.get("created_at")) or moment(raw.get("timestamp"))
    known = _one_of(role, ROLES, "user")
    text = content if isinstance(content, str) else _text(content)
    is_said = created_at is not None and known == role and text is content
    if is_said and raw.keys() <= _PLAIN:
        return Message(ident, known, text, created_at or before, parent)
    is_usual = is_said and raw.keys() <= _USUAL
    model, provider_data = raw.get("model"), raw.get("provider_data")
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
        () if is_usual else _attachments(raw.get("attachments")),
        provider_data if isinstance(provider_data, dict) else NOTHING,
    )
    if is_usual and _says_all(raw, message):
        return message
    # Once a time was found, an old file's other name for it says nothing more.
    settled = {"id", "parent", *(("created_at", "timestamp") if created_at else ())}
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
    says; told without writing it, because there may be hundreds to show."""
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


def _text(content: object) -> str:
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


# Sessions --------------------------------------------------------------------------------


def session_fields(session: Session) -> dict[str, Any]:
    """The JSON object of ``session.json``: what is true of a session whatever its
    messages are, so without ``message_count``."""
    fields: dict[str, Any] = {
        "session_id": session.session_id,
        "name": session.name,
        "description": session.description,
        "created_at": stamp(session.created_at),
        "updated_at": stamp(session.updated_at),
    }
    if session.head is not None:
        fields["head"] = session.head
    if session.model is not None:
        fields["model"] = session.model
    if session.api_base is not None:
        fields["api_base"] = session.api_base
    if session.agent is not None:
        fields["agent"] = session.agent
    if session.tags:
        fields["tags"] = list(session.tags)
    if session.pinned:
        fields["pinned"] = list(session.pinned)
    fields.update(session.extra)
    return fields


def session_of(raw: Mapping[str, Any], session_id: str, fallback: datetime) -> Session:
    """The session in a JSON object, with the id that its place gives it; ``fallback``
    stands for times that are missing."""
    get = raw.get
    name, description, count = get("name"), get("description"), get("message_count")
    created_at = moment(get("created_at")) or fallback
    updated_at = moment(get("updated_at")) or created_at
    session = Session(
        session_id,
        name if isinstance(name, str) and name.strip() else default_session_name(created_at),
        created_at,
        updated_at if updated_at > created_at else created_at,
        description if isinstance(description, str) else "",
        count if type(count) is int and count > 0 else 0,
    )
    if raw.keys() <= _PLAIN_SESSION:  # nearly all; there may be ten thousand in a list
        return session
    head, model, api_base, agent = (raw.get(key) for key in ("head", "model", "api_base", "agent"))
    return session._replace(
        head=head if isinstance(head, str) else None,
        model=model if isinstance(model, str) else None,
        api_base=api_base if isinstance(api_base, str) else None,
        agent=agent if isinstance(agent, str) else None,
        tags=_strings(raw.get("tags")),
        pinned=_strings(raw.get("pinned")),
        extra={key: value for key, value in raw.items() if key not in _SESSION_KEYS} or NOTHING,
    )


_PLAIN_SESSION = frozenset(Session._fields[:6])
_SESSION_KEYS = frozenset(Session._fields[:-1])


def _strings(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, (list, tuple)):
        return ()
    return tuple(each for each in raw if isinstance(each, str))
