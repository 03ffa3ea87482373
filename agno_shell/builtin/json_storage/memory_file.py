"""``memory.json``: what the model is to remember in a session.

A JSON array in the layout of ``messages.json``, one object a line. It is small and
written by hand now and then, so every change replaces it as a whole. Reading takes no
lock; changing wants the session's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import disk, layout, tree
from agno_shell.builtin.json_storage.folder import MEMORY
from agno_shell.builtin.json_storage.layout import Form
from agno_shell.builtin.json_storage.repair import replace_keeping
from agno_shell.toolkit import json_records
from agno_shell.toolkit.wording import count
from agno_shell.types import Memory

_KEY, _LIST = "text", "memories"


class MemoryFile(NamedTuple):
    """What a file says."""

    memories: list[Memory]
    form: Form
    data: bytes = b""


def load(folder: str) -> MemoryFile:
    """What stands in a session's folder; a missing file is empty. Raises ``OSError``."""
    try:
        fd, status = disk.open_and_look(f"{folder}/{MEMORY}")
    except FileNotFoundError:
        return MemoryFile([], "empty")
    try:
        data = disk.read_at(fd, 0, status.st_size)
    finally:
        disk.close(fd)
    return parse(data, datetime.fromtimestamp(status.st_mtime, UTC))


def change(
    folder: str,
    changed: Callable[[list[Memory]], list[Memory]],
    notice: Callable[[str], None],
) -> None:
    """Put what ``changed`` makes of the memories in their place, durably; what was damaged,
    or in another layout, is kept beside it. Raises ``OSError``, and ``UnwritableError``."""
    path = f"{folder}/{MEMORY}"
    before = load(folder)
    after = whole(changed(before.memories))
    if before.form in ("ours", "empty"):
        disk.replace(path, after)
        return
    copy = replace_keeping(path, before.data, after)
    was = (
        f"damaged; {known(before)} could be read"
        if before.form == "damaged"
        else "in another layout"
    )
    notice(f"{path} was {was}. The file as it was is kept as {copy}.")


def known(reading: MemoryFile) -> str:
    """How much could be read, in words."""
    return count(len(reading.memories), "thing") + " to remember"


# The bytes -------------------------------------------------------------------------------


def whole(memories: Sequence[Memory]) -> bytes:
    """A file of these memories. Raises ``UnwritableError``."""
    return layout.whole([json_records.memory_line(each) for each in memories])


def parse(data: bytes, written_at: datetime) -> MemoryFile:
    """What can be read of a file. A text alone, as a hand may write it, is a memory too;
    what does not say its time is as old as the file."""
    if not data:
        return MemoryFile([], "empty")
    try:
        value = json_records.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json_records.Damage:
        found = layout.salvage(data, (_KEY,), _LIST)
        return MemoryFile(_adopt(found, written_at), "damaged", data)
    if isinstance(value, dict):
        value = value[_LIST] if isinstance(value.get(_LIST), list) else [value]
    items = value if isinstance(value, list) else [value]
    objects = [{_KEY: each} if isinstance(each, str) else each for each in items]
    objects = [each for each in objects if isinstance(each, dict)]
    form: Form = "ours" if layout.count(data) == len(items) else "foreign"
    if len(objects) < len(items):
        form = "damaged"
    return MemoryFile(_adopt(objects, written_at), form, data)


def _adopt(objects: Sequence[dict[str, Any]], written_at: datetime) -> list[Memory]:
    """The memories in the objects of a file, each with an id of its own."""
    named = {raw["id"] for raw in objects if isinstance(raw.get("id"), str)}
    seen: set[str] = set()
    found: list[Memory] = []
    for position, raw in enumerate(objects):
        ident = raw.get("id")
        if not isinstance(ident, str) or ident in seen:
            ident = _free_id(position, len(objects), named)
        seen.add(ident)
        otherwise = written_at
        if "created_at" in raw:
            # What is no time is written back, and must mean the same each time it is read.
            otherwise = found[-1].created_at if found else json_records.EPOCH
        found.append(json_records.memory_of(raw, ident, otherwise))
    return found


def _free_id(position: int, number: int, named: Collection[str]) -> str:
    """The id of the object at this place of so many, which every reader gives it."""
    while (ident := tree.placed_id(position)) in named:
        position += number
    return ident
