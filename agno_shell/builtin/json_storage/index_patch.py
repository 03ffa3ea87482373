"""Overwriting the end of one session's line in ``sessions.json``, which costs the same
however many sessions there are.

What is to be written can be prepared without a lock, while the disk is busy with the
message; then only the writing itself is left.
"""

from __future__ import annotations

from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, index_format
from agno_shell.builtin.json_storage.folder import Entry
from agno_shell.toolkit import json_records
from agno_shell.types import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import stat_result


class Patch(NamedTuple):
    """New bytes for the end of a line."""

    entry: Entry
    """What the line says then."""
    inode: int
    offset: int
    data: bytes


class Patches:
    """Patches for the index at ``path``."""

    def __init__(self, path: str) -> None:
        self._file = disk.FileHandle(path)
        self._places: dict[str, tuple[int, int]] = {}
        self._starts: dict[str, tuple[Session, bool, bytes]] = {}
        self._look = (-1, -1)

    def prepare(self, entry: Entry) -> Patch | None:
        """The patch that makes a session's line say ``entry``, but for an ``updated_at``
        that would go back; None if overwriting its end is not enough."""
        try:
            status = self._file.look() or self._file.open()
        except OSError:
            return None
        place = self._place(status, entry.session.session_id)
        if place is None:
            return None
        begin, length = place
        before = disk.read_at(self._file.fd, begin, length)
        local = index_format.is_local_tail(before[-index_format.TAIL_WIDTH :])
        start = self._start_of_line(entry, local=local)
        if len(before) != len(start) + index_format.TAIL_WIDTH or not before.startswith(start):
            return None
        written_at = index_format.tail_updated_at(before[len(start) :])
        entry = index_format.not_back(entry, written_at, local=local)
        tail = index_format.tail(entry, local=local)
        return Patch(entry, status.st_ino, begin + len(start), tail)

    def write(self, patch: Patch) -> bool:
        """Write a patch, with the index locked; False if the index was replaced since."""
        if self._file.fd < 0:
            return False
        status = disk.status_of(self._file.fd)
        if status.st_nlink == 0 or status.st_ino != patch.inode:
            return False
        disk.write_at(self._file.fd, patch.offset, patch.data)
        return True

    def rest(self) -> None:
        """End a use."""
        self._file.rest()

    def close(self) -> None:
        """Keep nothing open."""
        self._file.close()

    def _start_of_line(self, entry: Entry, *, local: bool) -> bytes:
        """The part of a session's line that a message does not change, encoded once."""
        constant = entry.session._replace(updated_at=json_records.EPOCH, message_count=0)
        known = self._starts.get(constant.session_id)
        if known is None or known[:2] != (constant, local):
            line = index_format.line(entry, local=local)
            known = (constant, local, line[: -index_format.TAIL_WIDTH])
            self._starts[constant.session_id] = known
        return known[2]

    def _place(self, status: stat_result, session_id: str) -> tuple[int, int] | None:
        """Where a session's line is; remembered as long as the file is the same one."""
        look = (status.st_ino, status.st_size)
        if self._look != look:
            self._places.clear()
            self._look = look
        place = self._places.get(session_id)
        if place is None:
            data = disk.read_at(self._file.fd, 0, status.st_size)
            place = index_format.find_line(data, session_id) if index_format.is_ours(data) else None
            if place is not None:
                self._places[session_id] = place
        return place
