"""Files that are damaged, torn or in another layout: written as a whole, and what is not sound
is kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from agno_shell.builtin.json_storage import disk, folder, layout
from agno_shell.builtin.json_storage.folder import SESSION, SessionRecord
from agno_shell.builtin.json_storage.message_reader import MessageFile
from agno_shell.toolkit import json_records

Notice = Callable[[str], None]


def replace_keeping(path: str, before: bytes, after: bytes) -> str:
    """Put ``after`` in the place of a file and keep ``before``, its bytes, beside it; the
    copy's path. Where it fails, no copy is left of a file that is still there: with one
    for each attempt, a full disk would never have room again."""
    copy = copy_aside(path, before)
    old = disk.status(path)
    try:
        disk.replace(path, after)
    except BaseException:
        present = disk.status(path)
        if old is not None and present is not None and old.st_ino == present.st_ino:
            disk.remove_quietly(copy)
        raise
    return copy


def copy_aside(path: str, data: bytes) -> str:
    """Keep ``data``, the bytes of the file at ``path``, beside it; the copy's path."""
    when = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = f"{path}.before-{when}"
    disk.create_whole(copy, data)
    return copy


def message_lines(loaded: MessageFile, new: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """The lines of every message that could be read, and of the new ones, each an id and its
    line."""
    lines = [json_records.message_line(each) for each in loaded.messages]
    # After a failed sync of a new file the message may be in it already.
    there = {each.id for each in loaded.messages}
    return lines + [line for ident, line in new if ident not in there]


def replace_messages(
    path: str, loaded: MessageFile, lines: list[bytes], notice: Notice, *, torn: bool
) -> None:
    """Put a file of these lines in the place of one that was read. ``torn``: an append has
    failed, and what is torn off was never a saved message."""
    if loaded.form in ("ours", "empty") or torn:
        disk.replace(path, layout.whole(lines))
        return
    copy = replace_keeping(path, loaded.data, layout.whole(lines))
    if loaded.form == "damaged":
        notice(
            f"{path} was damaged; {len(loaded.messages)} messages could be read and were written"
            f" again. The damaged file is kept as {copy}."
        )
    else:
        notice(f"{path} was in another layout and was rewritten; the old file is kept as {copy}.")


def replace_record(path: str, record: SessionRecord, notice: Notice) -> None:
    """Write ``session.json`` in the folder ``path``; a damaged one is copied aside first."""
    target = f"{path}/{SESSION}"
    if disk.status(target) is not None and folder.read_record(path, "") is None:
        copy = replace_keeping(target, disk.read(target), folder.record_bytes(record))
        notice(f"{target} was damaged and was rewritten; the old file is kept as {copy}.")
    else:
        disk.replace(target, folder.record_bytes(record))
