"""What a plugin registers, looked at before anybody uses it: a wrong record is named with its
plugin when it is registered, and not when a user first needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agno_shell.errors import PluginError

LONGEST_NAME = 60


def check(record: Any) -> None:
    """Raises :class:`PluginError` for a record of which something cannot be used; the first
    thing is named."""
    for field, value in zip(record._fields, record, strict=True):
        if wrong := _CHECKS[field](value):
            raise PluginError(f"the {field} of {_called(record)} {wrong}")


def _called(record: Any) -> str:
    kind, name = type(record).__name__, record.name
    return f"a {kind}" if _name(name) else f"the {kind} {name!r}"


def _name(value: Any) -> str:
    if not isinstance(value, str):
        return f"is {_shown(value)}, not a text"
    if not value or not value.isprintable() or any(sign.isspace() for sign in value):
        return f"is {value[:LONGEST_NAME]!r}; it must be one word"
    if value[0] in "-/" or len(value) > LONGEST_NAME:
        return (
            f"is {value[:LONGEST_NAME]!r}; it must begin with neither - nor /, and have at most "
            f"{LONGEST_NAME} letters"
        )
    return ""


def _names(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return f"are {_shown(value)}, not a tuple of texts"
    return next((wrong for each in value if (wrong := _name(each))), "")


def _line(value: Any) -> str:
    if not isinstance(value, str):
        return f"is {_shown(value)}, not a text"
    return "" if len(value.splitlines()) < 2 else "has several lines; it must be one"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else f"is {_shown(value)}, not a text"


def _function(value: Any) -> str:
    return "" if callable(value) else f"is {_shown(value)}, not a function"


def _function_or_none(value: Any) -> str:
    return "" if value is None else _function(value)


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else f"is {_shown(value)}, not True or False"


def _shown(value: Any) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"


_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "name": _name,
    "aliases": _names,
    "summary": _line,
    "usage": _line,
    "details": _text,
    "add": _function,
    "run": _function,
    "open": _function,
    "complete": _function_or_none,
    "default_model": _function,
    "answers": _function,
    "multiline": _flag,
}
"""By field, what is wrong with a value; empty: nothing is. Every record's fields are here."""
