"""Sessions as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agno_shell.toolkit.json_records.values import moment, stamp
from agno_shell.types import NOTHING, Session, default_session_name

REASONINGS = frozenset(("off", "low", "medium", "high"))


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
    if session.reasoning is not None:
        fields["reasoning"] = session.reasoning
    for key, value in session.extra.items():
        fields.setdefault(key, value)  # what was chosen since stands in the record
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
    chosen: dict[str, Any]
    chosen = {key: value for key in _TEXTS if isinstance(value := raw.get(key), str)}
    if chosen.get("reasoning", "off") not in REASONINGS:
        del chosen["reasoning"]
    return session._replace(
        **chosen,
        tags=_strings(raw.get("tags")),
        pinned=_strings(raw.get("pinned")),
        extra={key: value for key, value in raw.items() if _is_further(key, value, chosen)}
        or NOTHING,
    )


def _is_further(key: str, value: object, chosen: Mapping[str, Any]) -> bool:
    """Whether the record has no place for this: a key, or a choice, of a later version."""
    if key == "reasoning":
        return isinstance(value, str) and key not in chosen
    return key not in _SESSION_KEYS


_PLAIN_SESSION = frozenset(Session._fields[:6])
_SESSION_KEYS = frozenset(Session._fields[:-1])
_TEXTS = ("head", "model", "api_base", "agent", "reasoning")


def _strings(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, (list, tuple)):
        return ()
    return tuple(each for each in raw if isinstance(each, str))
