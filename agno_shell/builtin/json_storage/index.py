"""The file ``sessions.json``. Losing it costs nothing but the time to rebuild it.

Reading takes no lock. Writing takes the index lock; what a message changes is patched
in place without a sync, everything else replaces the file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from agno_shell import json_records
from agno_shell.builtin.json_storage import disk, index_format
from agno_shell.builtin.json_storage.index_format import Contents, Entry
from agno_shell.types import Session

NAME = "sessions.json"

Change = Callable[[dict[str, bytes], str | None], str | None]
"""Changes the lines by session id, and returns the current session's id."""


class Index:
    """One ``sessions.json``.

    ``lock`` gives the index lock; ``truth`` reads all sessions from their folders;
    ``lay_anew`` replaces a file in another layout, given its bytes and the new ones.
    """

    def __init__(
        self,
        root: str,
        lock: Callable[[], AbstractContextManager[None]],
        truth: Callable[[], Contents],
        lay_anew: Callable[[bytes, bytes], None],
    ) -> None:
        self._root = root
        self._path = f"{root}/{NAME}"
        self._lock = lock
        self._truth = truth
        self._lay_anew = lay_anew
        self._places: dict[str, tuple[int, int]] = {}
        self._starts: dict[str, tuple[Session, bytes]] = {}
        self._look = (-1, -1)
        self._damaged = False

    # Reading -----------------------------------------------------------------------------

    def read(self) -> Contents | None:
        """All that the file says; None if it is missing or damaged."""
        data = self._bytes()
        contents = index_format.read(data)
        self._damaged = contents is None and bool(data)
        return contents

    def find(self, session_id: str) -> Entry | None:
        """What the file says of one session, without decoding the others."""
        data = self._bytes()
        if index_format.is_ours(data):
            place = index_format.find_line(data, session_id)
            entry = index_format.read_line(data[place[0] : sum(place)]) if place else None
            if entry is not None:
                return entry
        contents = index_format.read(data)
        for entry in contents.entries if contents else ():
            if entry.session.session_id == session_id:
                return entry
        return None

    def current(self) -> str | None:
        """The current session's id, whether or not it still exists."""
        data = self._bytes()
        if index_format.is_ours(data):
            return index_format.read_heading(data)
        contents = index_format.read(data)
        return contents.current if contents else None

    def last_current(self) -> str | None:
        """The current session's id out of a damaged file, as far as it can be seen."""
        return index_format.read_heading(self._bytes())

    def _bytes(self) -> bytes:
        try:
            return disk.read(self._path)
        except OSError:
            # Missing, a folder, a link, no permission: the folders tell the same.
            return b""

    # Writing -----------------------------------------------------------------------------

    def put(self, entry: Entry) -> Entry:
        """Write one session's line; its ``updated_at`` never goes back. Returns what was
        written."""
        with self._lock():
            written = self._patch(entry)
            if written is not None:
                return written
            session_id = entry.session.session_id

            def change(lines: dict[str, bytes], current: str | None) -> str | None:
                nonlocal entry
                old = index_format.read_line(lines[session_id]) if session_id in lines else None
                entry = _not_back(entry, old.session.updated_at if old else None)
                lines[session_id] = index_format.line(entry)
                return current

            self._rewrite(change)
            return entry

    def remove(self, session_id: str, current: str | None) -> None:
        """Take a session out; if it was the current one, ``current`` becomes it."""

        def change(lines: dict[str, bytes], before: str | None) -> str | None:
            lines.pop(session_id, None)
            return current if before in (session_id, None) else before

        with self._lock():
            self._rewrite(change)

    def set_current(self, session_id: str | None) -> None:
        """Name the current session, in place where the layout allows it."""
        with self._lock():
            data = self._bytes()
            if index_format.is_ours(data) and not self._damaged:
                fd = disk.open_to_write(self._path)
                try:
                    disk.write_at(fd, 0, index_format.heading(session_id))
                finally:
                    disk.close(fd)
            else:
                self._rewrite(lambda _lines, _current: session_id)

    def _patch(self, entry: Entry) -> Entry | None:
        """Overwrite the end of the session's line; None if that is not enough."""
        if self._damaged:
            return None
        try:
            fd = disk.open_to_write(self._path)
        except OSError:
            return None
        try:
            place = self._place(fd, entry.session.session_id)
            if place is None:
                return None
            begin, length = place
            before = disk.read_at(fd, begin, length)
            start = self._start_of_line(entry)
            if len(before) != length or not before.startswith(start):
                return None
            old_tail = before[len(start) :]
            if len(old_tail) != index_format.TAIL_WIDTH:
                return None
            written = _not_back(entry, index_format.tail_updated_at(old_tail))
            disk.write_at(fd, begin + len(start), index_format.tail(written))
            return written
        finally:
            disk.close(fd)

    def _start_of_line(self, entry: Entry) -> bytes:
        """The part of a session's line that a message does not change, encoded once."""
        constant = entry.session._replace(updated_at=json_records.EPOCH, message_count=0)
        known = self._starts.get(constant.session_id)
        if known is None or known[0] != constant:
            known = (constant, index_format.line(entry)[: -index_format.TAIL_WIDTH])
            self._starts[constant.session_id] = known
        return known[1]

    def _place(self, fd: int, session_id: str) -> tuple[int, int] | None:
        """Where a session's line is; remembered as long as the file is the same one."""
        status = disk.status_of(fd)
        if self._look != (status.st_ino, status.st_size):
            self._places.clear()
            self._look = (status.st_ino, status.st_size)
        place = self._places.get(session_id)
        if place is None:
            data = disk.read_all(fd)
            place = index_format.find_line(data, session_id) if index_format.is_ours(data) else None
            if place is not None:
                self._places[session_id] = place
        return place

    def _rewrite(self, change: Change) -> None:
        try:
            # Unlike reading, this fails where there is something that cannot be read: an
            # index in the old layout may hold names that stand nowhere else.
            data = disk.read(self._path)
        except FileNotFoundError:
            data = b""
        lines = None if self._damaged else index_format.lines(data)
        current = index_format.read_heading(data)
        foreign = lines is None and bool(data)
        if lines is None:
            truth = self._truth()
            current = truth.current
            lines = {each.session.session_id: index_format.line(each) for each in truth.entries}
        current = change(lines, current)
        # Sessions whose folders were deleted by hand go with the next whole writing.
        present = set(disk.names(self._root))
        lines = {ident: line for ident, line in lines.items() if ident in present}
        current = current if current in present else None
        whole = index_format.whole(current, lines.values())
        if foreign:
            self._lay_anew(data, whole)
        else:
            disk.replace(self._path, whole)
        self._damaged = False


def _not_back(entry: Entry, before: datetime | None) -> Entry:
    if before is None or before <= entry.session.updated_at:
        return entry
    return entry._replace(session=entry.session._replace(updated_at=before))
