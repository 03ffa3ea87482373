"""Strict JSON: what every file of the store is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


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
