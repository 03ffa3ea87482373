"""Appending to one ``messages.json``; the caller holds the session's lock.

An append overwrites the closing bracket in place, syncs, and only then is the message
saved. What else is to be done for it is done while the disk is already busy. If a write
fails, the file is put back as it was. If putting it back or syncing fails, the file is
suspect: after a failed sync the kernel may have dropped the data and a second sync would
report success, so the inode is never synced again and the next append writes everything
to a new file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, layout, message_reader
from agno_shell.builtin.json_storage.message_reader import Loaded
from agno_shell.toolkit import json_records
from agno_shell.types import Message


class State(NamedTuple):
    """A message file in our layout, as it was at the last look."""

    inode: int
    size: int
    mtime_ns: int
    messages: int

    @property
    def is_empty(self) -> bool:
        """By the size: the count may come from the index, which is only a cache."""
        return self.size == len(layout.EMPTY)


Meanwhile = Callable[[State], None]
"""Is told how a file is left."""


def _nothing(_state: State) -> None:
    pass


class MessageWriter:
    """Appends to the file at ``path`` and remembers how it left it."""

    def __init__(self, path: str, notice: Callable[[str], None]) -> None:
        self._path = path
        self._file = disk.FileHandle(path)
        self._notice = notice
        self._state: State | None = None
        self._suspect = False
        self._torn = False

    def expect(self, size: int, mtime_ns: int, messages: int) -> None:
        """Take the count of a file with this look from the index, so that the first
        append need not read it."""
        if self._state is None and size >= 0:
            self._state = State(-1, size, mtime_ns, messages)

    @property
    def is_open(self) -> bool:
        """Whether the file stays open for the next append."""
        return self._file.fd >= 0 and not self._suspect

    def close(self) -> None:
        """Keep nothing open; the next append opens the file again."""
        self._file.close()

    def append(self, message: Message, meanwhile: Meanwhile = _nothing) -> State:
        """Add a message durably; ``meanwhile`` is called before it is durable, perhaps twice,
        and must not tell anybody that it is. Raises ``OSError`` when it is not saved;
        ``ValueError``, ``TypeError`` or ``RecursionError`` when it cannot be written as JSON."""
        line = json_records.message_line(message)
        try:
            before = self._before()
            state = None
            if before is not None:
                state = self._append_in_place(before, line, meanwhile)
        finally:
            self._file.rest()
        if state is not None:
            return state
        state = self._lay_anew([(message.id, line)])
        try:
            meanwhile(state)
        except BaseException:
            self._suspect = True  # so that trying again finds it there, and does not double it
            raise
        return state

    def mend(self) -> None:
        """Write a file that is torn anew, with what can be read of it; the torn one is kept
        beside it. Raises ``OSError``."""
        if not self._suspect and message_reader.is_torn(self._path):
            self._lay_anew([])

    # In place ----------------------------------------------------------------------------

    def _append_in_place(self, before: State, line: bytes, meanwhile: Meanwhile) -> State | None:
        """None: another program, which takes no lock, has put a file in the place of this
        one meanwhile, and what was written is in neither."""
        fd = self._file.fd
        end = before.size - len(layout.CLOSING)
        data = layout.addition(line, first=before.is_empty)
        try:
            disk.write_at(fd, end, data)
            disk.begin_sync(fd, end, len(data))
            status = disk.status_of(fd)
            state = State(status.st_ino, status.st_size, status.st_mtime_ns, before.messages + 1)
            meanwhile(state)
        except BaseException:
            self._put_back(fd, end)
            raise
        try:
            disk.sync(fd)
            is_there = self._file.look() is not None
        except BaseException:
            self._suspect = True
            self._put_back(fd, end)
            raise
        if not is_there:
            return None
        self._state = state
        return state

    def _before(self) -> State | None:
        """The file as it is now, and open; None if it must be laid out anew."""
        if self._suspect:
            return None
        status = self._file.look()
        if status is None:
            try:
                disk.require_folder(os.path.dirname(self._path))
                status = self._file.open()
            except FileNotFoundError:
                return None
        return self._look(status)

    def _put_back(self, fd: int, end: int) -> None:
        try:
            disk.write_at(fd, end, layout.CLOSING)
            disk.truncate(fd, end + len(layout.CLOSING))
        except BaseException:
            self._suspect = self._torn = True
            # The error that is on its way says why nothing was saved.

    def _look(self, status: os.stat_result) -> State | None:
        """The same, given what ``fstat`` says."""
        fd = self._file.fd
        tail = disk.read_at(fd, max(0, status.st_size - len(layout.TAIL)), len(layout.TAIL))
        if tail != layout.TAIL or status.st_nlink == 0:
            return None
        known = self._state
        if known is not None and known.inode in (-1, status.st_ino):
            if (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
                return known
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
        number = layout.count_added(data, first=known.is_empty)
        opening = b"[\n" + data.removeprefix(b",")
        return number if number and layout.read(opening).form == "ours" else None

    def _remember(self, fd: int, messages: int) -> State:
        status = disk.status_of(fd)
        self._state = State(status.st_ino, status.st_size, status.st_mtime_ns, messages)
        return self._state

    # Anew --------------------------------------------------------------------------------

    def _lay_anew(self, new: list[tuple[str, bytes]]) -> State:
        """Write every message that can be read, and the new ones, each an id and its line, to
        a fresh file."""
        loaded = message_reader.load(self._path)
        lines = [json_records.message_line(each) for each in loaded.messages]
        # After a failed sync of a new file the message may be in it already.
        there = {each.id for each in loaded.messages}
        lines += [line for ident, line in new if ident not in there]
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
        return (
            f"{self._path} was in another layout and was rewritten; the old file is kept as {copy}."
        )


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
