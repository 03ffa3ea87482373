"""Records to rows and back.

What a user may want to query has a column of its own; the rest is a JSON object in
the column ``more``, which is NULL for the most frequent rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agno_shell import Memory, Message, Session
from agno_shell.toolkit import json_records
from agno_shell.toolkit.json_records import EPOCH
from agno_shell.types import NOTHING

Value = str | bytes | int | None
"""What stands in a column."""

MESSAGE_COLUMNS = "id, parent, role, created_at, content, more"
MEMORY_COLUMNS = "id, created_at, text, more"
SESSION_COLUMNS = "session_id, name, description, created_at, updated_at, message_count, head, more"

_MESSAGE_PLAIN = frozenset(("id", "parent", "role", "created_at", "content"))
_SESSION_PLAIN = frozenset(
    ("session_id", "name", "description", "created_at", "updated_at", "head")
)
_REST = "extra"
"""The key for what this version does not know, apart so that it shadows nothing."""


# Text -------------------------------------------------------------------------------------


def stored(text: str) -> str | bytes:
    """The text, or its bytes where it holds a lone surrogate, which UTF-8 cannot say. The
    same text always gives the same value, so that it can be looked up."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(value: object) -> str:
    """The text that :func:`stored` was given. What other programs wrote is shown as text."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else "" if value is None else str(value)


def is_damaged(value: str | bytes) -> bool:
    """Whether :func:`stored` cannot have made this."""
    try:
        if isinstance(value, bytes):
            value.decode("utf-8", "surrogatepass")
        else:
            value.encode()
    except UnicodeError:
        return True
    return False


def _optional(value: object) -> str | None:
    return None if value is None else text_of(value)


def _packed(fields: Mapping[str, Any], plain: frozenset[str], rest: Mapping[str, Any]) -> Value:
    """The JSON text of what has no column. Raises ``UnwritableError``."""
    more = {key: value for key, value in fields.items() if key not in plain}
    if rest:
        more[_REST] = dict(rest)
    return json_records.dumps(more).decode() if more else None


def unpacked(more: object) -> dict[str, Any]:
    """The object in the column ``more``. Raises one of ``json_records.Damage``."""
    if more is None:
        return {}
    value = json_records.loads(more if isinstance(more, bytes) else text_of(more).encode())
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - damage of a stored text
    return value


def _readable(more: object) -> dict[str, Any]:
    """Like :func:`unpacked`; damage costs what has no column, and nothing else."""
    try:
        return unpacked(more)
    except json_records.Damage:
        return {}


# Messages --------------------------------------------------------------------------------


def message_row(message: Message) -> tuple[Value, ...]:
    """The values of :data:`MESSAGE_COLUMNS`. Raises ``UnwritableError``."""
    fields = json_records.message_fields(message._replace(extra=NOTHING))
    return (
        stored(message.id),
        None if message.parent is None else stored(message.parent),
        message.role,
        json_records.stamp(message.created_at),
        stored(message.content),
        _packed(fields, _MESSAGE_PLAIN, message.extra),
    )


def message_of(row: tuple[Any, ...]) -> Message:
    """The message in the values of :data:`MESSAGE_COLUMNS`."""
    ident, parent, role, created_at, content, more = row
    ident, parent = text_of(ident), _optional(parent)
    raw = _readable(more) if more is not None else {}
    rest = raw.pop(_REST, None)
    raw.update(
        id=ident,
        parent=parent,
        role=text_of(role),
        created_at=text_of(created_at),
        content=text_of(content),
    )
    message = json_records.message_of(raw, ident, parent, EPOCH)
    return message._replace(extra=rest) if isinstance(rest, dict) else message


def size_of(row: tuple[Value, ...]) -> int:
    """Bytes of a row's texts."""
    return sum(
        len(each.encode() if isinstance(each, str) else each)
        for each in row
        if isinstance(each, str | bytes)
    )


# What to remember ------------------------------------------------------------------------


def memory_row(memory: Memory) -> tuple[Value, ...]:
    """The values of :data:`MEMORY_COLUMNS`. Raises ``UnwritableError``."""
    return (
        stored(memory.id),
        json_records.stamp(memory.created_at),
        stored(memory.text),
        json_records.dumps(dict(memory.extra)).decode() if memory.extra else None,
    )


def memory_of(row: tuple[Any, ...]) -> Memory:
    """The memory in the values of :data:`MEMORY_COLUMNS`."""
    ident, created_at, text, more = row
    return Memory(text_of(ident), text_of(text), moment(created_at), _readable(more) or NOTHING)


# Sessions --------------------------------------------------------------------------------


def session_row(session: Session) -> tuple[Value, ...]:
    """The values of :data:`SESSION_COLUMNS`. Raises ``UnwritableError``."""
    fields = json_records.session_fields(session._replace(extra=NOTHING))
    return (
        stored(session.session_id),
        stored(session.name),
        stored(session.description),
        json_records.stamp(session.created_at),
        json_records.stamp(session.updated_at),
        session.message_count,
        None if session.head is None else stored(session.head),
        _packed(fields, _SESSION_PLAIN, session.extra),
    )


def session_of(row: tuple[Any, ...]) -> Session:
    """The session in the values of :data:`SESSION_COLUMNS`."""
    ident, name, description, created_at, updated_at, count, head, more = row
    created = moment(created_at)
    session = Session(
        text_of(ident),
        text_of(name),
        created,
        moment(updated_at, created),
        text_of(description),
        count if isinstance(count, int) else 0,
        _optional(head),
    )
    if more is None:
        return session
    raw = _readable(more)
    rest = raw.pop(_REST, None)
    known = json_records.session_of(raw, session.session_id, EPOCH)
    return session._replace(
        model=known.model,
        api_base=known.api_base,
        agent=known.agent,
        tags=known.tags,
        pinned=known.pinned,
        reasoning=known.reasoning,
        extra=rest if isinstance(rest, dict) and rest else NOTHING,
    )


def moment(value: object, otherwise: datetime = EPOCH) -> datetime:
    """The time in a column."""
    return json_records.moment(value) or otherwise
