"""How a test of the contract reports what is wrong: in words, and briefly.

A plain ``assert`` would have pytest compare two messages of 4 MB letter by letter.
"""

from __future__ import annotations

import reprlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from agno_shell.contracts import Storage
from agno_shell.types import Finding, Memory, Message, Session, TrashedSession

Item = TypeVar("Item")

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 160
_short.maxlist = _short.maxtuple = _short.maxdict = 8


def same(found: object, expected: object, what: str) -> None:
    """Fail unless ``found == expected``; ``what`` is a sentence that says what holds."""
    __tracebackhide__ = True
    if found != expected:
        raise AssertionError(f"{what}, but {difference(found, expected)}.")


def only(found: Sequence[Item], what: str) -> Item:
    """The one item that there is; ``what`` is a sentence that says so."""
    __tracebackhide__ = True
    if len(found) != 1:
        raise AssertionError(f"{what}, but there are {len(found)} instead of 1.")
    return found[0]


def difference(found: Any, expected: Any) -> str:
    """Where two values that should be equal differ first, in one line."""
    fields = getattr(expected, "_fields", None)
    if fields is not None and type(found) is type(expected):
        if found[0] != expected[0]:  # the id: it is another record altogether
            return f"it is {_label(found)} instead of {_label(expected)}"
        for name in fields:
            one, other = getattr(found, name), getattr(expected, name)
            if one != other:
                return f"{name}: {difference(one, other)}"
    if isinstance(expected, dict) and isinstance(found, dict) and found.keys() == expected.keys():
        for key, value in expected.items():
            if found[key] != value:
                return f"{key}: {difference(found[key], value)}"
    if isinstance(expected, list) and isinstance(found, list):
        return _lists_differ(found, expected)
    if isinstance(expected, str) and isinstance(found, str):
        return _texts_differ(found, expected)
    return f"it is {_label(found)} instead of {_label(expected)}"


def _lists_differ(found: list[Any], expected: list[Any]) -> str:
    if len(found) != len(expected):
        too_many = [_label(each) for each in found if each not in expected]
        missing = [_label(each) for each in expected if each not in found]
        return (
            f"there are {len(found)} instead of {len(expected)}"
            + (f", with {', '.join(too_many[:3])}" if too_many else "")
            + (f", without {', '.join(missing[:3])}" if missing else "")
        )
    pairs = enumerate(zip(found, expected, strict=True), start=1)
    number, one, other = next((at, *pair) for at, pair in pairs if pair[0] != pair[1])
    return f"number {number} of {len(found)} differs: {difference(one, other)}"


def _texts_differ(found: str, expected: str) -> str:
    if len(found) < 50 and len(expected) < 50:
        return f"it is {found!r} instead of {expected!r}"
    at = bisect_left(
        range(min(len(found), len(expected))),
        True,
        key=lambda at: found[: at + 1] != expected[: at + 1],
    )
    near = slice(max(0, at - 20), at + 40)
    return (
        f"from character {at} on it is {found[near]!r} ({len(found)} characters in all)"
        f" instead of {expected[near]!r} ({len(expected)})"
    )


def _label(value: Any) -> str:
    """A value in few words; a record by what a user knows it by."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Message):
        return f"the {value.role} message {_short.repr(value.content)} ({value.id[:8]})"
    if isinstance(value, Session):
        return f"the session {_short.repr(value.name)} ({value.session_id[:8]})"
    if isinstance(value, TrashedSession):
        return f"{_label(value.session)}, deleted {_label(value.deleted_at)}"
    if isinstance(value, Memory):
        return f"the memory {_short.repr(value.text)} ({value.id[:8]})"
    if isinstance(value, Finding):
        return _short.repr(value.problem)
    return _short.repr(value)


@contextmanager
def refuses(error: type[Exception], what: str) -> Iterator[None]:
    """Fail unless the block raises ``error``."""
    __tracebackhide__ = True
    try:
        yield
    except error:
        return
    except Exception as other:
        raise AssertionError(
            f"{what} raises {error.__name__}, but it raised {_short.repr(other)}."
        ) from other
    raise AssertionError(f"{what} raises {error.__name__}, but it raised nothing.")


def everything(store: Storage) -> dict[str, Any]:
    """All that a store returns without searching and without rescuing a reply."""
    sessions = store.sessions()
    ids = [session.session_id for session in sessions]
    trash = store.trash()
    return {
        "sessions()": sessions,
        "current()": store.current(),
        "messages()": {session_id: store.messages(session_id) for session_id in ids},
        "tree()": {session_id: store.tree(session_id) for session_id in ids},
        "partials()": {session_id: store.partials(session_id) for session_id in ids},
        "memories()": {session_id: store.memories(session_id) for session_id in ids},
        "trash()": trash,
        "trashed_messages()": {
            each.trash_id: store.trashed_messages(each.trash_id) for each in trash
        },
        "trashed_memories()": {
            each.trash_id: store.trashed_memories(each.trash_id) for each in trash
        },
    }


@contextmanager
def unchanged(store: Storage, what: str) -> Iterator[None]:
    """Fail if the block changes anything in the store."""
    __tracebackhide__ = True
    before = everything(store)
    yield
    same(everything(store), before, f"{what} changes nothing")
