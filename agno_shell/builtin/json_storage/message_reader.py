"""Reading one ``messages.json``: without a lock, without writing, as little as needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import disk, layout, tree
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message

NAME = "messages.json"
_SECOND_LOOK = 0.005
"""Seconds until a file that looks damaged is read again: another shell may be in the
middle of an append, which takes microseconds."""
_LOOKS = 5
_BLOCK = 16 * 1024
_OPENING = layout.EMPTY.removesuffix(layout.CLOSING)


class Count(NamedTuple):
    """How many messages a file holds, and which state of the file was counted."""

    messages: int
    newest_at: datetime | None
    """When the newest message was made."""
    size: int
    mtime_ns: int


class MessageFile(NamedTuple):
    """Everything that a file holds."""

    messages: list[Message]
    form: layout.Form
    """``foreign`` also for a file in our layout whose messages lack ids."""
    data: bytes
    size: int
    mtime_ns: int


class Head(NamedTuple):
    """Where a conversation was set to stand. It holds only while ``newest`` is still the
    newest message: a later message becomes the head."""

    message: str
    """``ROOT``: before the first one."""
    newest: str | None
    """``ROOT``: there was none yet. None: it holds in any case."""


class RawMessages(NamedTuple):
    """The objects in a file as they stand there."""

    objects: list[dict[str, Any]]
    form: layout.Form
    data: bytes
    size: int
    """-1: there is no file."""
    mtime_ns: int


def load(path: str) -> MessageFile:
    """The whole file; a missing one is empty."""
    objects, form, data, size, mtime_ns = read(path)
    messages, settled = tree.adopt(objects, _written_at(mtime_ns))
    return MessageFile(
        messages,
        "foreign" if form == "ours" and not settled else form,
        data,
        size,
        mtime_ns,
    )


def read(path: str) -> RawMessages:
    """The whole file, undecided what its objects mean; a missing one is empty."""
    found, data, size, mtime_ns = _settled(path)
    return RawMessages(found.objects, found.form, data, size, mtime_ns)


def _settled(path: str) -> tuple[layout.FileContents, bytes, int, int]:
    """What is read once nobody is in the middle of an append."""
    previous = None
    for _ in range(_LOOKS):
        data, size, mtime_ns = _snapshot(path)
        found = layout.read(data)
        if found.form != "damaged" or data == previous:
            break
        previous = data
        time.sleep(_SECOND_LOOK)
    return found, data, size, mtime_ns


def _written_at(mtime_ns: int) -> datetime:
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC)


def count(path: str) -> Count:
    """Count the messages, by the lines alone where the layout allows it."""
    data, size, mtime_ns = _snapshot(path)
    number = layout.count(data)
    if number == 0:
        return Count(0, None, size, mtime_ns)
    if number is not None:
        newest_at = _time_of_last(data)
        if newest_at is not None:
            return Count(number, newest_at, size, mtime_ns)
    found = layout.read(data)
    if found.form == "damaged":
        found, _data, size, mtime_ns = _settled(path)
    number, newest_at = tree.tally(found.objects, _written_at(mtime_ns))
    return Count(number, newest_at, size, mtime_ns)


def count_sound(path: str) -> int | None:
    """How many messages a file holds that can be appended to as it is: in our layout,
    every message with its own id and its parent. None for any other file."""
    found = layout.read(_snapshot(path)[0])
    if found.form != "ours" or not tree.all_settled(found.objects):
        return None
    return len(found.objects)


def is_torn(path: str) -> bool:
    """Whether an append to a file in our layout was cut off: all of its lines are whole but
    the last. Of a file that is whole no more than both ends are read."""
    try:
        fd, status = disk.open_and_look(path)
    except FileNotFoundError:
        return False
    try:
        begins = disk.read_at(fd, 0, len(_OPENING)) == _OPENING
        ends = disk.read_at(fd, max(0, status.st_size - len(layout.TAIL)), len(layout.TAIL))
    finally:
        disk.close(fd)
    if not begins or ends == layout.TAIL:
        return False
    raw = read(path)
    if raw.form != "damaged":
        return False
    *whole, _last = raw.data.rstrip(b"\0\n").split(b"\n")[1:] or [b""]
    try:
        return all(isinstance(json_records.loads(each.removeprefix(b",")), dict) for each in whole)
    except json_records.Damage:
        return False


def newest_id(path: str) -> str | None:
    """The id of the newest message, from the end of the file."""
    newest = conversation(path, None, 1)
    return newest[-1].id if newest else None


def has(path: str, message_id: str) -> bool:
    """Whether a message is in the file, looking from the end."""
    try:
        fd = disk.open_to_read(path)
    except FileNotFoundError:
        return False
    try:
        for line in lines_backwards(_reader(fd), _size(fd)):
            # An id is looked for as text first: most lines need no decoding then.
            if (
                json_records.dumps(message_id) in line
                and json_records.loads(line).get("id") == message_id
            ):
                return True
    except json_records.Damage:
        return any(message.id == message_id for message in load(path).messages)
    finally:
        disk.close(fd)
    return False


def lacking(path: str, message_ids: Collection[str]) -> set[str]:
    """Which of these ids no message in the file has, looking from the end."""
    left = set(message_ids)
    if not left:
        return left
    try:
        fd = disk.open_to_read(path)
    except FileNotFoundError:
        return left
    try:
        for raw in _objects_backwards(fd, _size(fd), len(left)):
            left.discard(raw.get("id", ""))
            if not left:
                return left
    except json_records.Damage:  # another layout, or damaged
        return left - {message.id for message in load(path).messages}
    finally:
        disk.close(fd)
    return left


def conversation(
    path: str,
    head: Head | None,
    last: int,
    whole: Callable[[str], list[Message]] = lambda path: load(path).messages,
) -> list[Message]:
    """The last messages of the path to the head, read from the end of the file; or by
    ``whole`` where it is in another layout, or damaged."""
    if last <= 0:
        return []
    try:
        fd = disk.open_to_read(path)
    except FileNotFoundError:
        return []
    try:
        for _ in range(_LOOKS):
            size = _size(fd)
            try:
                return _walk(fd, size, head, last)
            except json_records.Damage:
                if _size(fd) == size:  # it is no append that came in between
                    break
    finally:
        disk.close(fd)
    messages = whole(path)
    return tree.path(messages, effective(head, messages))[-last:]


def effective(head: Head | None, messages: list[Message]) -> str | None:
    """The id that a head names, unless a message came after it was set."""
    if head is None or not messages:
        return None
    return head.message if head.newest in (None, messages[-1].id) else None


def _walk(fd: int, size: int, head: Head | None, last: int) -> list[Message]:
    """Follow the parents from line to line: a parent always stands before its child.

    Raises ``ValueError`` where the file must be read as a whole to be understood.
    """
    found: list[Message] = []
    wanted: str | None = None
    newest = True
    for raw in _objects_backwards(fd, size, last):
        if not json_records.is_settled(raw):
            raise ValueError("a message lacks its id or parent")
        if newest:
            newest = False
            wanted = raw["id"]
            if head is not None and head.newest in (None, wanted):
                wanted = head.message
                if wanted == ROOT:
                    return []
        if raw["id"] != wanted:
            continue
        message = json_records.message_of(raw, raw["id"], raw["parent"], json_records.EPOCH)
        if message.created_at is json_records.EPOCH:
            raise ValueError("a message lacks its time, which is that of the one before")
        found.append(message)
        if len(found) == last:
            break
        wanted = raw["parent"]
        if wanted is None:
            break
    else:
        if wanted is not None:
            raise ValueError("a message names one before it that is not there")
    found.reverse()
    return found


def _objects_backwards(fd: int, size: int, together: int) -> Iterator[dict[str, Any]]:
    """The objects of the file, the last first; so many lines are decoded in one go, which
    takes half the time of one after the other. Raises ``ValueError``."""
    lines = lines_backwards(_reader(fd), size)
    while part := list(islice(lines, max(1, together))):
        objects = json_records.loads(b"[" + b",".join(reversed(part)) + b"]")
        # Together they are what the file says; a line that is none by itself shows here.
        if len(objects) != len(part) or set(map(type, objects)) != {dict}:
            raise ValueError("a line is not an object")
        yield from reversed(objects)


def lines_backwards(read_at: Callable[[int, int], bytes], size: int) -> Iterator[bytes]:
    """The objects of a file in this layout as bytes, the last first, without reading
    more of it than is asked for. ``read_at`` takes an offset and a length.

    Raises ``ValueError`` where the file turns out to be in another layout.
    """
    start = max(0, size - _BLOCK)
    rest = read_at(start, size - start)
    if len(rest) != size - start or not rest.endswith(layout.TAIL):
        raise ValueError("the file does not end like one in this layout")
    rest = rest[: -len(layout.TAIL)]
    block = _BLOCK
    while True:
        lines = rest.split(b"\n")
        if start == 0:
            if lines[0] != b"[" or (len(lines) > 1 and not lines[1].startswith(b"{")):
                raise ValueError("the file does not begin like one in this layout")
            yield from _bare(lines[2:], comma=True)
            yield from _bare(lines[1:2], comma=False)
            return
        yield from _bare(lines[1:], comma=True)
        rest = lines[0]
        # Doubling keeps one huge line from being put together again and again.
        block = max(_BLOCK, 2 * len(rest)) if len(lines) == 1 else block
        begin = max(0, start - block)
        rest = read_at(begin, start - begin) + rest
        start = begin


def _bare(lines: list[bytes], *, comma: bool) -> Iterator[bytes]:
    for line in reversed(lines):
        if not line.startswith(b",{" if comma else b"{"):
            raise ValueError("a line does not begin like one in this layout")
        yield line[1:] if comma else line


def _snapshot(path: str) -> tuple[bytes, int, int]:
    try:
        fd, status = disk.open_and_look(path)
    except FileNotFoundError:
        return b"", -1, -1
    try:
        data = disk.read_at(fd, 0, status.st_size)
        # An append that falls into a long read overwrites the closing and nothing before
        # it: only what follows is read again, or a busy session would never be sound.
        kept, added = max(0, len(data) - len(layout.CLOSING)), b""
        for _ in range(_LOOKS):
            if (added or data).endswith(layout.TAIL):
                break
            later = disk.status_of(fd)
            if later.st_size <= status.st_size:
                break
            status, added = later, disk.read_at(fd, kept, later.st_size - kept)
        return data[:kept] + added if added else data, status.st_size, status.st_mtime_ns
    finally:
        disk.close(fd)


def _time_of_last(data: bytes) -> datetime | None:
    last = data[data.rfind(b"\n", 0, -len(layout.TAIL)) + 1 : -len(layout.TAIL)]
    try:
        return json_records.moment(json_records.loads(last.removeprefix(b",")).get("created_at"))
    except json_records.Damage:
        return None


def _size(fd: int) -> int:
    return disk.status_of(fd).st_size


def _reader(fd: int) -> Callable[[int, int], bytes]:
    return lambda offset, length: disk.read_at(fd, offset, length)


def oldest_at(path: str) -> datetime | None:
    """When the first message was made."""
    messages = load(path).messages
    return messages[0].created_at if messages else None
