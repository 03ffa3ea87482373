"""Times as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

EPOCH = datetime.fromtimestamp(0, UTC)
"""Stands where no time at all is known."""


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: always 32 characters."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")


def local_stamp(moment: datetime) -> str:
    """The same in the local time of this machine and without an offset, as programs write
    it that compare such times: always 26 characters. In the hour that a clock goes through
    twice it does not say which of the two is meant."""
    return moment.astimezone().replace(tzinfo=None).isoformat(timespec="microseconds")


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


def time_of(raw: Mapping[str, Any]) -> datetime | None:
    """When a message was made, as its object says; ``timestamp`` is an older name for it."""
    return moment(raw.get("created_at")) or moment(raw.get("timestamp"))


def _moment_of_number(value: object) -> datetime | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return datetime.fromtimestamp(value / 1000 if abs(value) >= 1e11 else value, UTC)
