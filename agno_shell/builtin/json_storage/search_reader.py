"""Reading message files for the search index: only what is new, in large pieces."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from operator import itemgetter
from types import NoneType
from typing import Any

from agno_shell.builtin.json_storage import disk, layout, message_reader, tree
from agno_shell.builtin.json_storage.search_index import (
    ROLE_BITS,
    ROLES,
    Batch,
    FileState,
    first_row,
    span,
)
from agno_shell.toolkit import json_records
from agno_shell.toolkit.full_text import prepared

_BLOCK = 1 << 17
_ENDING = 64
_HEADING = b"[\n"
_BEGINNING = b"[\n{"
"""Of a file that holds messages. One that was indented goes on with blanks."""
_PLAIN = itemgetter("id", "parent", "role", "content", "created_at")
_OFFSET_FROM_UTC = itemgetter(slice(26, None))
"""Times as the store writes them are 32 characters in UTC: such texts can be compared."""

MessageFile = tuple[Sequence[str], Sequence[str], Sequence[datetime]]
Columns = tuple[Sequence[str], Iterable[str], Sequence[str]]
_LOOKS = 5
_SECOND_LOOK = 0.005
"""Seconds until a file that ends in the middle of a line is looked at again: another shell
may be appending to it, which takes microseconds."""


class OtherLayoutError(ValueError):
    """The file is not in the store's layout, or does not go on where it was left."""


def lines(path: str, generation: int, start: int, ending: bytes) -> Iterator[Batch]:
    """The messages of a file in the store's layout, from the offset ``start`` on, before
    which it must say ``ending``; 0: from its beginning. The last batch has the ``look``.

    Raises :class:`OtherLayoutError` and ``OSError``.
    """
    fd = disk.open_to_read(path)
    try:
        look = _settled_look(fd)
        position, first = _begin(fd, start, ending)
        end = look.size - len(layout.CLOSING)
        size = _BLOCK
        while position < end:
            block = disk.read_at(fd, position, min(size, end - position))
            block = block[: block.rfind(b"\n") + 1]
            if not block:
                if size >= end - position:
                    raise OtherLayoutError
                size *= 2  # one line that is longer than the block
                continue
            batch = _batch(block, position, generation, first=first)
            position, first, size = batch.end, False, _BLOCK
            if position < end:
                yield batch
            else:
                yield batch._replace(look=look)
                return
        if position > end:
            raise OtherLayoutError
        yield Batch([], {}, 0, position, ending or _HEADING, look)
    finally:
        disk.close(fd)


def whole(path: str, generation: int) -> Batch:
    """All messages of a file in any layout; their offsets are positions in what
    :func:`message_reader.load` gives. Raises ``OSError``."""
    raw = message_reader.read(path)
    roles, contents, times = _columns_without_ids(raw.objects) or _columns_as_loaded(raw.objects)
    base = first_row(generation)
    rows = [
        (base | position << ROLE_BITS | ROLES[role], prepared(text))
        for position, (role, text) in enumerate(zip(roles, contents, strict=True))
        if text
    ]
    newest: dict[int, datetime] = {}
    for position, moment in enumerate(times):
        newest[span(position)] = max(moment, newest.get(span(position), moment))
    stamps = {number: json_records.stamp(moment) for number, moment in newest.items()}
    status = disk.status(path)
    # The reader does not say of which inode it read; size and time do.
    look = FileState(status.st_ino if status else 0, raw.size, raw.mtime_ns)
    return Batch(rows, stamps, len(roles), 0, b"", look)


def _columns_without_ids(objects: list[dict[str, Any]]) -> MessageFile | None:
    """The roles, texts and times of messages that differ by their places, as in the
    old layout, without making messages of them; None if there are others among them."""
    times: list[datetime] = []
    for raw in objects:
        time_ = json_records.moment(raw.get("created_at")) or json_records.moment(
            raw.get("timestamp")
        )
        times.append(time_ or (times[-1] if times else json_records.EPOCH))
    roles: list[Any] = [raw.get("role") for raw in objects]
    contents: list[Any] = [raw.get("content") for raw in objects]
    plain = (
        not any("id" in raw for raw in objects)
        and set(map(type, contents)) <= {str}
        and set(map(type, roles)) <= {str}
        and ROLES.keys() >= set(roles)
    )
    return (roles, contents, times) if plain else None


def _columns_as_loaded(objects: list[dict[str, Any]]) -> MessageFile:
    messages, _settled = tree.adopt(objects)
    return (
        [message.role for message in messages],
        [message.content for message in messages],
        [message.created_at for message in messages],
    )


def line_at(fd: int, offset: int) -> bytes:
    """The line that begins at ``offset``, without its newline; empty behind the end."""
    length = 4096
    while True:
        data = disk.read_at(fd, offset, length)
        end = data.find(b"\n")
        if end >= 0:
            return data[:end]
        if len(data) < length:
            return b""
        length *= 8


def _settled_look(fd: int) -> FileState:
    """How the file looks when no append is in work. Raises :class:`OtherLayoutError`: at once
    for a file that begins in another way, in which no append can be in work."""
    if disk.read_at(fd, 0, len(_BEGINNING)) not in (_BEGINNING, layout.EMPTY):
        raise OtherLayoutError
    for _ in range(_LOOKS):
        status = disk.status_of(fd)
        tail = disk.read_at(fd, max(0, status.st_size - len(layout.TAIL)), len(layout.TAIL))
        if tail == layout.TAIL:
            return FileState(status.st_ino, status.st_size, status.st_mtime_ns)
        time.sleep(_SECOND_LOOK)
    raise OtherLayoutError


def _begin(fd: int, start: int, ending: bytes) -> tuple[int, bool]:
    """Where the first line to be read begins, and whether it is the first of the file."""
    if start:
        if disk.read_at(fd, start - len(ending), len(ending)) != ending:
            raise OtherLayoutError
        return start, start == len(_HEADING)
    if disk.read_at(fd, 0, len(_HEADING)) != _HEADING:
        raise OtherLayoutError
    return len(_HEADING), True


def _batch(block: bytes, position: int, generation: int, *, first: bool) -> Batch:
    """The messages in whole lines, of which the first begins at ``position``.

    Thousands of messages are looked at at once: a call for each would take as long as all
    that SQLite does with them.
    """
    # Behind the first message of a file each line begins with a comma.
    comma = 0 if first else 1
    body = block[comma:-1]
    each = body.split(b"\n,")
    if block[:comma] not in (b"", b",") or not body.startswith(b"{"):
        raise OtherLayoutError
    if not len(each) == body.count(b"\n") + 1 == body.count(b"\n,{") + 1:
        raise OtherLayoutError
    try:
        objects = json_records.loads(b"[" + body + b"]")
    except json_records.Damage:
        raise OtherLayoutError from None
    if len(objects) != len(each) or set(map(type, objects)) != {dict}:
        raise OtherLayoutError
    roles, contents, stamps = _plain_columns(objects) or _odd_columns(objects)
    contents = map(prepared, contents)
    base = first_row(generation)
    # Lines are two bytes apart, the newline and the comma.
    begins = accumulate(map((2).__add__, map(len, each)), initial=position + comma)
    rows = [
        (base | begin << ROLE_BITS | role, text)
        for begin, role, text in zip(begins, map(ROLES.__getitem__, roles), contents, strict=False)
        if text
    ]
    end = position + len(block)
    newest = dict.fromkeys(range(span(position), span(end) + 1), max(stamps))
    return Batch(rows, newest, len(each), end, block[-_ENDING:])


def _plain_columns(objects: list[dict[str, Any]]) -> Columns | None:
    """The roles, contents and times of messages with nothing special about them; None if
    there are others among them."""
    try:
        ids, parents, roles, contents, stamps = zip(*map(_PLAIN, objects), strict=True)
        plain = (
            len(set(ids)) == len(ids)
            and {str} == set(map(type, ids)) == set(map(type, contents)) == set(map(type, stamps))
            and {str, NoneType} >= set(map(type, parents))
            and ROLES.keys() >= set(roles)
            and set(map(len, stamps)) == {32}
            and set(map(_OFFSET_FROM_UTC, stamps)) == {"+00:00"}
        )
    except (KeyError, TypeError):  # a key is missing; a role is a list
        return None
    return (roles, contents, stamps) if plain else None


def _odd_columns(objects: list[dict[str, Any]]) -> Columns:
    """The same for any message that says itself what it is."""
    if not tree.all_settled(objects):
        raise OtherLayoutError
    if any(json_records.moment(raw.get("created_at")) is None for raw in objects):
        raise OtherLayoutError  # such a time is that of the message before
    messages = [json_records.message_of(raw, "", None, json_records.EPOCH) for raw in objects]
    return (
        [message.role for message in messages],
        [message.content for message in messages],
        [json_records.stamp(message.created_at) for message in messages],
    )
