"""One session's line in ``sessions.json``: its bytes, finding it, and overwriting its end,
which costs the same however many sessions there are.

What a message changes stands at the end of the line and always has the same width.
``messages_size`` and ``messages_mtime_ns`` say which ``messages.json`` was counted: a file
with another size or time is counted again. ``messages_checked`` says whether it was known to
be sound. ``messages_counted`` is the count once more, at the other end of what is overwritten:
where the two differ a power cut has torn the line, and the file is counted again.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start.

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from os import stat_result
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry, is_session_id
from agno_shell.toolkit import json_records
from agno_shell.types import NOTHING, Session

UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HEADING = rb'\{"current_session_id":(?:"(' + UUID + rb')"|null {34}),"sessions":\[\n'
"""What a file in this layout begins with."""
HEADING_WIDTH = len(b'{"current_session_id":"","sessions":[\n') + 36
FOOTING = b"]}\n"
"""What it ends with."""

_TIME_WIDTH = 34
"""A time with its quotes."""

_USUAL = (
    "session_id",
    "name",
    "description",
    "created_at",
    "messages_counted",
    "messages_size",
    "messages_mtime_ns",
    "messages_checked",
    "updated_at",
    "message_count",
)
"""The keys of most lines, as :func:`line` writes them."""


# The bytes -------------------------------------------------------------------------------


def line(entry: Entry, *, local: bool) -> bytes:
    """The line of a session, without comma and newline; its last :data:`TAIL_WIDTH`
    bytes are what a message changes. ``local``: the file is one of local times."""
    session = entry.session
    fields = json_records.session_fields(session._replace(extra=NOTHING))
    del fields["updated_at"]
    if local:
        fields["created_at"] = json_records.local_stamp(session.created_at)
    if session.extra:
        fields["extra"] = session.extra
    return json_records.dumps(fields)[:-1] + tail(entry, local=local)


def tail(entry: Entry, *, local: bool) -> bytes:
    """The part of a line that has a fixed width."""
    session = entry.session
    written = json_records.local_stamp if local else json_records.stamp
    updated_at = f'"{written(session.updated_at)}"'
    return (
        f',"messages_counted":{session.message_count:10d}'
        f',"messages_size":{entry.size:12d},"messages_mtime_ns":{entry.mtime_ns:20d}'
        f',"messages_checked":{"true " if entry.checked else "false"}'
        f',"updated_at":{updated_at:{_TIME_WIDTH}}'
        f',"message_count":{session.message_count:10d}}}'
    ).encode("ascii")


def not_back(entry: Entry, before: datetime | None, *, local: bool) -> Entry:
    """The entry with an ``updated_at`` that is not read as one before ``before``: a local
    time is, in the hour that a clock goes through a second time."""
    if before is None:
        return entry
    updated_at = entry.session.updated_at
    read = json_records.moment(json_records.local_stamp(updated_at)) if local else updated_at
    if read is not None and before <= read:
        return entry
    return entry._replace(session=entry.session._replace(updated_at=before))


def tail_updated_at(data: bytes) -> datetime | None:
    """The time in the last bytes of a line, without decoding the line."""
    return json_records.moment(_tail_time(data).decode("ascii", "replace"))


def is_local_tail(data: bytes) -> bool:
    """Whether the last bytes of a line are those of a file of local times."""
    return len(_tail_time(data)) < _TIME_WIDTH - 2


def _tail_time(data: bytes) -> bytes:
    key = b'"updated_at":"'
    return data[data.find(key) + len(key) :].partition(b'"')[0]


TAIL_WIDTH = len(tail(Entry(Session("", "", json_records.EPOCH, json_records.EPOCH)), local=False))


def is_ours(data: bytes) -> bool:
    """Whether a file begins and ends like one in this layout."""
    return begins_as_ours(data) and data.endswith(FOOTING)


def begins_as_ours(data: bytes) -> bool:
    """Whether the first bytes of a file are those of one in this layout."""
    return re.match(HEADING, data) is not None


def find_line(data: bytes, session_id: str) -> tuple[int, int] | None:
    """Where in the file the line of a session begins, and its length."""
    key = f'{{"session_id":"{session_id}",'.encode("ascii")
    place = data.find(b"\n" + key, HEADING_WIDTH - 1)
    if place < 0:
        place = data.find(b"\n," + key)
        if place < 0:
            return None
        place += 1
    place += 1
    end = data.find(b"\n", place)
    return (place, end - place) if end > 0 else None


def read_line(data: bytes) -> Entry | None:
    """The session in one line."""
    try:
        return entry_of(json_records.loads(data))
    except json_records.Damage:
        return None


def entry_of(raw: Any) -> Entry | None:
    """The session in a decoded line, if it is one."""
    if not isinstance(raw, dict) or not is_session_id(raw.get("session_id")):
        return None
    return (_usual_entry(*raw.values()) if tuple(raw) == _USUAL else None) or _any_entry(raw)


def _usual_entry(
    session_id: str,
    name: Any,
    description: Any,
    created: Any,
    counted: Any,
    size: Any,
    mtime_ns: Any,
    checked: Any,
    updated: Any,
    count: Any,
) -> Entry | None:
    """The entry in a line with nothing special about it, or None; there may be ten thousand
    of them in a list."""
    created_at, updated_at = json_records.moment(created), json_records.moment(updated)
    if (
        created_at is None
        or updated_at is None
        or updated_at < created_at
        or not (type(name) is str and name and not name.isspace())
        or not (type(description) is str and type(size) is type(mtime_ns) is int)
        or not (type(count) is int and counted == count >= 0)
    ):
        return None
    session = Session(session_id, name, created_at, updated_at, description, count)
    return Entry(session, size, mtime_ns, checked is True)


def _any_entry(raw: dict[str, Any]) -> Entry:
    take = raw.pop
    size = take("messages_size", UNKNOWN)
    mtime_ns = take("messages_mtime_ns", UNKNOWN)
    checked = take("messages_checked", False)
    extra = take("extra", None)
    count = raw.get("message_count")
    if take("messages_counted", count) != count or count is None:
        # Half of a time is no time either; both are found again in the folder.
        size = mtime_ns = UNKNOWN
        take("updated_at", None)
    session = json_records.session_of(raw, raw["session_id"], json_records.EPOCH)
    if session.created_at == json_records.EPOCH:
        size = mtime_ns = UNKNOWN  # the folder is asked how old it is
    if extra and isinstance(extra, Mapping):
        session = session._replace(extra=extra)
    if not (isinstance(size, int) and isinstance(mtime_ns, int)):
        size = mtime_ns = UNKNOWN
    return Entry(session, size, mtime_ns, checked is True)


# The file --------------------------------------------------------------------------------


class Patch(NamedTuple):
    """New bytes for the end of a line."""

    entry: Entry
    """What the line says then."""
    inode: int
    offset: int
    data: bytes


class IndexLines(ABC):
    """The lines of the index at ``path``. ``lock`` gives the index lock; reading takes none."""

    def __init__(self, path: str, lock: Callable[[], AbstractContextManager[None]]) -> None:
        self._path = path
        self._lock = lock
        self._damaged = False
        """Whether the file was found to be damaged: no line of it is overwritten then."""
        self._file = disk.FileHandle(path)
        self._places: dict[str, tuple[int, int]] = {}
        self._starts: dict[str, tuple[Session, bool, bytes]] = {}
        self._look = (-1, -1)

    def find(self, session_id: str) -> Entry | None:
        """What the file says of one session, without decoding the others."""
        data = self._bytes()
        if is_ours(data):
            place = find_line(data, session_id)
            entry = read_line(data[place[0] : sum(place)]) if place else None
            if entry is not None:
                return entry
        return self._find_in_any_layout(data, session_id)

    def prepare(self, entry: Entry) -> Patch | None:
        """The patch that makes a session's line say ``entry``, except for an ``updated_at``
        that would go back; None if overwriting its end is not enough. Needs no lock, and can
        be done while the disk is busy with the message."""
        if self._damaged:
            return None
        try:
            status = self._file.look() or self._file.open()
        except OSError:
            return None
        place = self._place(status, entry.session.session_id)
        if place is None:
            return None
        begin, length = place
        before = disk.read_at(self._file.fd, begin, length)
        local = is_local_tail(before[-TAIL_WIDTH:])
        start = self._start_of_line(entry, local=local)
        if len(before) != len(start) + TAIL_WIDTH or not before.startswith(start):
            return None
        written_at = tail_updated_at(before[len(start) :])
        entry = not_back(entry, written_at, local=local)
        end = tail(entry, local=local)
        return Patch(entry, status.st_ino, begin + len(start), end)

    def put(self, entry: Entry, patch: Patch | None = None) -> Entry:
        """Write one session's line; its ``updated_at`` never goes back. Returns what was
        written. ``patch`` is what was prepared for the same entry."""
        with self._lock():
            if patch is None or not self._write(patch):
                patch = self.prepare(entry)
                if patch is None or not self._write(patch):
                    return self._put_into_new_file(entry)
            self._file.rest()
        return patch.entry

    def close(self) -> None:
        """Keep nothing open."""
        self._file.close()

    @abstractmethod
    def _find_in_any_layout(self, data: bytes, session_id: str) -> Entry | None:
        """The same as :meth:`find`, of a file that is damaged or in another layout, or lacks
        the session."""

    @abstractmethod
    def _put_into_new_file(self, entry: Entry) -> Entry:
        """The same as :meth:`put`, with the index locked, where a patch is not enough."""

    def _bytes(self) -> bytes:
        try:
            return disk.read(self._path)
        except OSError:
            # Missing, a folder, a link, no permission: the folders tell the same.
            return b""

    def _write(self, patch: Patch) -> bool:
        """Write a patch, with the index locked; False if the index was replaced since."""
        if self._file.fd < 0:
            return False
        status = disk.status_of(self._file.fd)
        if status.st_nlink == 0 or status.st_ino != patch.inode:
            return False
        disk.write_at(self._file.fd, patch.offset, patch.data)
        return True

    def _start_of_line(self, entry: Entry, *, local: bool) -> bytes:
        """The part of a session's line that a message does not change, encoded once."""
        constant = entry.session._replace(updated_at=json_records.EPOCH, message_count=0)
        known = self._starts.get(constant.session_id)
        if known is None or known[:2] != (constant, local):
            whole = line(entry, local=local)
            known = (constant, local, whole[:-TAIL_WIDTH])
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
            place = find_line(data, session_id) if is_ours(data) else None
            if place is not None:
                self._places[session_id] = place
        return place
