"""The ids that may become part of a path, checked by their whole text.

``uuid.UUID()`` is no check: it takes ``urn:``, braces and digits of other scripts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SESSION_ID = re.compile(_UUID)
_TRASH_ID = rf"({_UUID})-([0-9]{{8}}T[0-9]{{12}}Z)"
_TRASH_TIME = "%Y%m%dT%H%M%S%fZ"


def is_session_id(value: object) -> bool:
    """Whether ``value`` is a session id: a lower-case UUID and nothing else."""
    return isinstance(value, str) and _SESSION_ID.fullmatch(value) is not None


def trash_id(session_id: str, when: datetime) -> str:
    """The name of a deleted session's folder: its id and the moment in UTC."""
    when = when.astimezone(UTC)
    # The C library may write a year before 1000 with fewer digits.
    return f"{session_id}-{when.year:04d}{when.strftime(_TRASH_TIME.removeprefix('%Y'))}"


def split_trash_id(value: object) -> tuple[str, datetime] | None:
    """The session id and the moment of deletion, or None if this is no trash id."""
    match = re.fullmatch(_TRASH_ID, value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        when = datetime.strptime(match[2], _TRASH_TIME)
    except ValueError:
        return None
    return match[1], when.replace(tzinfo=UTC)
