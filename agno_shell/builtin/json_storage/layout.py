"""The bytes of ``messages.json``: a JSON array, one object a line, comma first.

::

    [\\n
    {message 1}\\n
    ,{message 2}\\n
    ]\\n

The comma comes first because then a message's own bytes, its newline included, are
never written again: an append overwrites the closing ``]\\n`` and nothing else, so a
torn one costs only the message in flight. Nothing here touches a disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from agno_shell.toolkit import json_records

EMPTY = b"[\n]\n"
CLOSING = b"]\n"
"""What an append overwrites."""
TAIL = b"\n]\n"
"""What a file that is whole ends with."""
_HEADING = b"[\n"
_PIECE = 1 << 20

Form = Literal["ours", "foreign", "damaged", "empty"]
"""In this layout; valid JSON in another one; not valid; no bytes at all."""


class FileContents(NamedTuple):
    """What was found in a file."""

    objects: list[dict[str, Any]]
    form: Form


# Writing ---------------------------------------------------------------------------------


def whole(lines: Iterable[bytes]) -> bytes:
    """A file that holds these lines."""
    body = b"\n,".join(lines)
    return _HEADING + body + TAIL if body else EMPTY


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same, a part at a time."""
    piece = bytearray(_HEADING)
    first = True
    for line in lines:
        piece += line if first else b"\n," + line
        first = False
        if len(piece) >= _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece + (CLOSING if first else TAIL))


# Reading ---------------------------------------------------------------------------------


def count(data: bytes) -> int | None:
    """How many messages a file in this layout holds, by its lines alone; None if it
    is in another one and must be read."""
    if data == EMPTY:
        return 0
    lines = data.count(b"\n") - 2
    if data.startswith(b"[\n{") and data.endswith(b"}\n]\n") and data.count(b"\n,{") == lines - 1:
        return lines
    return None


def count_added(data: bytes, *, first: bool) -> int | None:
    """How many messages were added, given the bytes from where :data:`CLOSING` was;
    None if these bytes are no additions."""
    if data == CLOSING:
        return 0
    if not first:
        if not data.startswith(b","):
            return None
        data = data[1:]
    return count(_HEADING + data)


def read(data: bytes) -> FileContents:
    """Everything that can be read: the whole; else the longest valid prefix and every
    later object that decodes."""
    if not data:
        return FileContents([], "empty")
    try:
        value = json.loads(
            data, parse_constant=json_records.refuse_constant, parse_float=json_records.finite
        )
    except json_records.Damage:
        return FileContents(_salvage(data), "damaged")
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]  # as other programs keep a conversation
    if not isinstance(value, list):
        return FileContents(_salvage(data), "damaged")
    objects = [each for each in value if isinstance(each, dict)]
    if len(objects) < len(value):
        return FileContents(objects or _salvage(data), "damaged")
    return FileContents(objects, "ours" if count(data) == len(objects) else "foreign")


def _salvage(data: bytes) -> list[dict[str, Any]]:
    """The messages in a damaged text."""
    return salvage(data, ("content", "role"), "messages")


def salvage(data: bytes, keys: Sequence[str], whole: str) -> list[dict[str, Any]]:
    """The objects in a damaged text that have one of ``keys``, one after the other, and
    those in a list that another object holds under ``whole``.

    Where an object does not decode, reading goes on at the next line: a newline inside
    a text is always escaped in JSON, so that no object of ours can begin in another.
    """
    text = data.decode("utf-8", "replace")
    found = []
    position, end = 0, len(text)
    while position < end:
        if text[position] in "[], \t\r\n\0\ufeff":
            position += 1
            continue
        if text[position] == "{" and (scanned := _object_at(text, position)) is not None:
            value, position = scanned
            if any(key in value for key in keys):
                found.append(value)
            elif isinstance(value.get(whole), list):
                found += [each for each in value[whole] if isinstance(each, dict)]
            continue
        newline = text.find("\n", position)
        position = end if newline < 0 else newline + 1
    return found


def _object_at(text: str, position: int) -> tuple[dict[str, Any], int] | None:
    """The object that begins at a brace, and where it ends.

    Its line is decoded, and more than that only where the line is the beginning of an
    object: an error in the middle of a long text costs the whole of it, to say where it
    is, and there may be one in each of 100,000 lines.
    """
    length = 0
    while True:
        newline = text.find("\n", position + 2 * length)
        piece = text[position : newline if newline >= 0 else len(text)]
        try:
            value, used = json_records.scan(piece, 0)
        except json.JSONDecodeError as error:
            if newline < 0 or error.pos < len(piece.rstrip()):
                return None
            length = len(piece)
        except json_records.Damage:
            return None
        else:
            return value, position + used
