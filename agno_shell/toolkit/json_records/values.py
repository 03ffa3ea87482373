"""The values in the files of the store: strict JSON, and times as they are written in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

EPOCH = datetime.fromtimestamp(0, UTC)
"""Stands where no time at all is known."""


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
