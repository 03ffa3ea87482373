"""Where the messages of a long file stand, and which ones part from the row: the outline.

Nearly every message follows the one that was saved before it. So the shape of a million of
them is a few stretches, and a few offsets lead to any of them; nothing is decoded for that.
The outline of a large file is kept in the cache folder, and read on from where it ended. It
is never trusted: the bytes before its end are compared, and what is read by it says itself
what it is.
"""

from __future__ import annotations

import os
import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterator
from contextlib import suppress
from hashlib import blake2b
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import disk, layout, tree
from agno_shell.toolkit import json_records
from agno_shell.types import Message, Stretch

VERSION = 1
LARGE = 4 << 20
"""Bytes; of a smaller file the outline is made in the time that reading it would take."""
_BLOCK = 1 << 20
_ENDING = 64
_HEADING = b"[\n"
_ID = re.compile(rb'\n,\{"id":"([^"\\]+)"')
# A quote within a text is written with a backslash: this stands behind the text alone.
_PARENT = re.compile(rb'","created_at":"[^"\\]{32}","parent":(?:"([^"\\]+)"|null)')


class IrregularError(ValueError):
    """The file has to be read as a whole to be understood."""


class Block(NamedTuple):
    """Where some of the lines begin."""

    offset: int
    place: int
    """Of its first message, in the order of saving."""


class Outline(NamedTuple):
    """What is known of a file up to an offset."""

    inode: int
    size: int
    mtime_ns: int
    end: int
    """Where the next message will begin."""
    ending: bytes
    """The last bytes before that."""
    total: int
    last: str
    """The id of the last message."""
    blocks: list[Block]
    stretches: list[Stretch]


_NOTHING = Outline(-1, -1, -1, len(_HEADING), _HEADING, 0, "", [], [])


def of(path: str, kept: str, last: Outline | None = None) -> Outline:
    """The outline of the messages at ``path``; of a large file it is kept at ``kept``, where
    that is not empty. ``last`` is what it was before, if that is known. Raises
    :class:`IrregularError` and ``OSError``."""
    fd, status = disk.open_and_look(path)
    try:
        known = last
        if known is None and kept and status.st_size >= LARGE:
            known = _read(kept)
        is_known = known is not None and _goes_on(known, fd, status)
        outline = known if known is not None and is_known else _NOTHING
        if outline[:3] == (status.st_ino, status.st_size, status.st_mtime_ns):
            return outline
        outline = _followed(outline, fd, status)
    finally:
        disk.close(fd)
    if kept and status.st_size >= LARGE:
        with suppress(OSError):  # it is made again each time then
            _keep(kept, outline)
    return outline


def goes_on(before: Outline, after: Outline) -> bool:
    """Whether what was at some place before is still there."""
    return before.inode == after.inode and after.blocks[: len(before.blocks)] == before.blocks


def part(path: str, outline: Outline, start: int, stop: int) -> list[Message]:
    """The messages at these places. Raises :class:`IrregularError` and ``OSError``."""
    start, stop = max(0, start), min(stop, outline.total)
    found: list[Message] = []
    if start >= stop:
        return found
    fd = disk.open_to_read(path)
    try:
        block = outline.blocks[bisect_right(outline.blocks, start, key=lambda b: b.place) - 1]
        place = block.place
        for _offset, data in _lines(fd, block.offset, outline.end):
            lines = data.split(b"\n")[:-1]
            found += map(_message, lines[max(0, start - place) : max(0, stop - place)])
            place += len(lines)
            if place >= stop:
                break
    finally:
        disk.close(fd)
    if len(found) != stop - start:
        raise IrregularError
    return found


def locate(path: str, outline: Outline, ids: Collection[str]) -> dict[str, int]:
    """The places of messages; what is not there is left out."""
    wanted = {ident: _written(ident) for ident in ids}
    fd = disk.open_to_read(path)
    try:
        return _located(fd, outline.blocks, outline.end, wanted)
    finally:
        disk.close(fd)


def place_of_cache(cache_path: str, root: str, session_id: str) -> str:
    """Where the outline of a session is kept; empty without a cache folder."""
    if not cache_path:
        return ""
    digest = blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()
    return f"{cache_path}/outlines/{digest}/{session_id}.json"


# Making it -------------------------------------------------------------------------------


def _followed(outline: Outline, fd: int, status: os.stat_result) -> Outline:
    """The outline with what has been added to the file."""
    end = status.st_size - len(layout.CLOSING)
    if disk.read_at(fd, 0, len(_HEADING)) != _HEADING:
        raise IrregularError
    if disk.read_at(fd, end - 1, len(layout.TAIL)) != layout.TAIL:
        raise IrregularError
    blocks, stretches = list(outline.blocks), list(outline.stretches)
    count, last = outline.total, outline.last.encode("utf-8", "surrogatepass")
    hashes = array("q")
    parted = False
    for offset, data in _lines(fd, outline.end, end):
        blocks.append(Block(offset, count))
        ids, parents = _ids_and_parents(data, first=count == 0)
        hashes.extend(map(hash, ids))
        if parents != [last, *ids[:-1]]:
            parted = True
            _part(fd, blocks, stretches, last, ids, parents, count)
        elif not stretches:
            stretches.append(Stretch(0, 0, None))
        count, last = count + len(ids), ids[-1]
        stretches[-1] = stretches[-1]._replace(stop=count)
    # Of two messages with one id, which only a hand makes, the first to come twice does not
    # follow the one before it.
    if parted and len(set(hashes)) < len(hashes):
        raise IrregularError
    ending = disk.read_at(fd, max(0, end - _ENDING), min(end, _ENDING))
    look = status.st_ino, status.st_size, status.st_mtime_ns
    name = last.decode("utf-8", "surrogatepass")
    return Outline(*look, end, ending, count, name, blocks, stretches)


def _lines(fd: int, position: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines, many at a time, and the offset of the first."""
    size = _BLOCK
    while position < end:
        data = disk.read_at(fd, position, min(size, end - position))
        data = data[: data.rfind(b"\n") + 1]
        if data:
            yield position, data
            position, size = position + len(data), _BLOCK
        elif size >= end - position:
            raise IrregularError
        else:
            size *= 2  # a line that is longer than the block


def _ids_and_parents(data: bytes, *, first: bool) -> tuple[list[bytes], list[bytes]]:
    """Of each line, as far as the layout allows without decoding it; no parent is empty."""
    lines = data.count(b"\n")
    ids = _ID.findall((b"\n," if first else b"\n") + data)
    parents = _PARENT.findall(data)
    if len(ids) == len(parents) == lines:
        return ids, parents
    try:
        body = data[:-1] if first else data[1:-1]
        objects: list[dict[str, Any]] = json_records.loads(b"[" + body + b"]")
    except json_records.Damage:
        raise IrregularError from None
    if len(objects) != lines or not all(isinstance(raw, dict) for raw in objects):
        raise IrregularError
    begins = [b'{"id":' + json_records.dumps(raw.get("id")) for raw in objects]
    each = body.split(b"\n,")
    if not tree.all_settled(objects) or not all(map(bytes.startswith, each, begins)):
        raise IrregularError
    return (
        [raw["id"].encode("utf-8", "surrogatepass") for raw in objects],
        [(raw["parent"] or "").encode("utf-8", "surrogatepass") for raw in objects],
    )


def _part(
    fd: int,
    blocks: list[Block],
    stretches: list[Stretch],
    before: bytes,
    ids: list[bytes],
    parents: list[bytes],
    count: int,
) -> None:
    """Begin a stretch with each message that does not follow the one before it."""
    here = {ident: count + number for number, ident in enumerate(ids)}
    for number, (ident, parent) in enumerate(zip(ids, parents, strict=True)):
        if parent != before or not stretches:
            place = here.get(parent) if parent else None
            if parent and place is None:
                # Most often it is near; a block's end is where the next one begins.
                name = parent.decode("utf-8", "surrogatepass")
                wanted = {name: _written(name)}
                place = _located(fd, blocks[:-1], blocks[-1].offset, wanted).get(name)
            if parent and (place is None or place >= count + number):
                raise IrregularError
            if stretches:
                stretches[-1] = stretches[-1]._replace(stop=count + number)
            stretches.append(Stretch(count + number, count + number, place))
        before = ident


def _located(fd: int, blocks: list[Block], end: int, wanted: dict[str, bytes]) -> dict[str, int]:
    """Look for messages from the end."""
    found: dict[str, int] = {}
    left = dict(wanted)
    for number in range(len(blocks) - 1, -1, -1):
        if not left:
            break
        block = blocks[number]
        stop = blocks[number + 1].offset if number + 1 < len(blocks) else end
        data = b"\n" + (b"," if block.place == 0 else b"")
        data += disk.read_at(fd, block.offset, stop - block.offset)
        for ident, written in list(left.items()):
            at = data.find(written)
            if at >= 0:
                found[ident] = block.place + data.count(b"\n", 0, at)
                del left[ident]
    return found


def _written(ident: str) -> bytes:
    """How the line of a message begins, behind the line before it."""
    return b'\n,{"id":' + json_records.dumps(ident)


def _message(line: bytes) -> Message:
    try:
        raw = json_records.loads(line.removeprefix(b","))
    except json_records.Damage:
        raise IrregularError from None
    if not isinstance(raw, dict) or not json_records.is_settled(raw):
        raise IrregularError
    message = json_records.message_of(raw, raw["id"], raw["parent"], json_records.EPOCH)
    if message.created_at is json_records.EPOCH:
        raise IrregularError  # its time is that of the one before
    return message


# Keeping it ------------------------------------------------------------------------------


def _goes_on(outline: Outline, fd: int, status: os.stat_result) -> bool:
    """Whether the file may be what was read, and perhaps more."""
    if outline.inode != status.st_ino or status.st_size < outline.size:
        return False
    if status.st_size == outline.size:
        return status.st_mtime_ns == outline.mtime_ns
    length = len(outline.ending)
    return disk.read_at(fd, outline.end - length, length) == outline.ending


def _read(kept: str) -> Outline | None:
    """What is kept; None where that is nothing that can be used."""
    try:
        raw = json_records.loads(disk.read(kept))
        if raw["version"] != VERSION:
            return None
        outline = Outline(
            int(raw["inode"]),
            int(raw["size"]),
            int(raw["mtime_ns"]),
            int(raw["end"]),
            bytes.fromhex(raw["ending"]),
            int(raw["total"]),
            str(raw["last"]),
            [Block(*map(int, each)) for each in raw["blocks"]],
            [Stretch(*each) for each in raw["stretches"]],
        )
    except (OSError, KeyError, TypeError, *json_records.Damage):
        return None
    return outline if outline.blocks and outline.stretches else None


def _keep(kept: str, outline: Outline) -> None:
    folder = kept.rpartition("/")[0]
    disk.make_folders(folder)
    raw = outline._asdict() | {"version": VERSION, "ending": outline.ending.hex()}
    disk.replace(kept, json_records.dumps(raw))
