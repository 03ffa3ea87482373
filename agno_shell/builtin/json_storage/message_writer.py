"""Appending to one ``messages.json``; the caller holds the session's lock.

An append overwrites the closing bracket in place, syncs, and only then is the message
saved. If a write fails, the file is put back as it was. If putting it back or syncing
fails, the file is suspect: after a failed sync the kernel may have dropped the data
and a second sync would report success, so the inode is never synced again and the
next append writes everything to a new file.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from agno_shell import json_records
from agno_shell.builtin.json_storage import disk, layout, message_reader
from agno_shell.builtin.json_storage.message_reader import Loaded
from agno_shell.types import Message


class State(NamedTuple):
    """A message file in our layout, as it was at the last look."""

    inode: int
    size: int
    mtime_ns: int
    messages: int


class MessageWriter:
    """Appends to the file at ``path`` and remembers how it left it."""

    def __init__(self, path: str, notice: Callable[[str], None]) -> None:
        self._path = path
        self._notice = notice
        self._state: State | None = None
        self._suspect = False
        self._torn = False

    def expect(self, size: int, mtime_ns: int, messages: int) -> None:
        """Take the count of a file with this look from the index, so that the first
        append need not read it."""
        if self._state is None and size >= 0:
            self._state = State(-1, size, mtime_ns, messages)

    def append(self, message: Message) -> State:
        """Add a message durably. Raises ``OSError`` when it is not saved; ``ValueError``,
        ``TypeError`` or ``RecursionError`` when it cannot be written as JSON."""
        line = json_records.message_line(message)
        if self._suspect:
            return self._lay_anew(message, line)
        try:
            fd = disk.open_to_write(self._path)
        except FileNotFoundError:
            return self._lay_anew(message, line)
        try:
            state = self._look(fd)
            if state is not None:
                return self._append_in_place(fd, state, line)
        finally:
            disk.close(fd)
        return self._lay_anew(message, line)

    # In place ----------------------------------------------------------------------------

    def _append_in_place(self, fd: int, state: State, line: bytes) -> State:
        end = state.size - len(layout.CLOSING)
        data = layout.addition(line, first=state.messages == 0)
        try:
            disk.write_at(fd, end, data)
        except BaseException:
            self._put_back(fd, end)
            raise
        try:
            disk.sync(fd)
        except BaseException:
            self._suspect = True
            self._put_back(fd, end)
            raise
        return self._remember(fd, state.messages + 1)

    def _put_back(self, fd: int, end: int) -> None:
        try:
            disk.write_at(fd, end, layout.CLOSING)
            disk.truncate(fd, end + len(layout.CLOSING))
        except BaseException:
            self._suspect = self._torn = True
            # The error that is on its way says why nothing was saved.

    def _look(self, fd: int) -> State | None:
        """The file as it is now, or None if it must be laid out anew."""
        status = disk.status_of(fd)
        tail = disk.read_at(fd, max(0, status.st_size - len(layout.TAIL)), len(layout.TAIL))
        if tail != layout.TAIL or status.st_nlink == 0:
            return None
        known = self._state
        if known is not None and known.inode in (-1, status.st_ino):
            if (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
                return known._replace(inode=status.st_ino)
            if known.inode == status.st_ino and known.size < status.st_size:
                added = self._added(fd, known, status.st_size)
                if added is not None:
                    return self._remember(fd, known.messages + added)
        sound = message_reader.count_sound(self._path)
        return None if sound is None else self._remember(fd, sound)

    def _added(self, fd: int, known: State, size: int) -> int | None:
        """How many messages other shells have appended since the last look."""
        end = known.size - len(layout.CLOSING)
        data = disk.read_at(fd, end, size - end)
        number = layout.count_added(data, first=known.messages == 0)
        opening = b"[\n" + data.removeprefix(b",")
        return number if number and layout.read(opening).form == "ours" else None

    def _remember(self, fd: int, messages: int) -> State:
        status = disk.status_of(fd)
        self._state = State(status.st_ino, status.st_size, status.st_mtime_ns, messages)
        return self._state

    # Anew --------------------------------------------------------------------------------

    def _lay_anew(self, message: Message, line: bytes) -> State:
        """Write every message that can be read, and the new one, to a fresh file."""
        loaded = message_reader.load(self._path)
        lines = [json_records.message_line(each) for each in loaded.messages]
        # After a failed sync of a new file the message may be in it already.
        if all(each.id != message.id for each in loaded.messages):
            lines.append(line)
        self._suspect = True  # until all of what follows has succeeded
        if loaded.form in ("ours", "empty") or self._torn:
            # What is torn off after a failed append was never a saved message.
            disk.replace(self._path, layout.whole(lines))
        else:
            copy = replace_keeping(self._path, loaded.data, layout.whole(lines))
            self._notice(self._healed(loaded, copy))
        self._suspect = self._torn = False
        fd = disk.open_to_read(self._path)
        try:
            return self._remember(fd, len(lines))
        finally:
            disk.close(fd)

    def _healed(self, loaded: Loaded, copy: str) -> str:
        number = len(loaded.messages)
        if loaded.form == "damaged":
            return (
                f"{self._path} was damaged; {number} messages could be read and were written"
                f" anew. The damaged file is kept as {copy}."
            )
        return f"{self._path} was in another layout and was written anew; it is kept as {copy}."


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
