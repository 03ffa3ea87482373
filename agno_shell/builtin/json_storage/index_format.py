"""The bytes of ``sessions.json``: a cache of all sessions, one a line.

::

    {"current_session_id":"…","sessions":[\\n
    {"session_id":"…", …,"updated_at":"…","message_count":        12}\\n
    ,{…}\\n
    ]}\\n

What a message changes stands at the end of a line and always has the same width, so
that it is overwritten in place; so does ``current_session_id``. ``messages_size`` and
``messages_mtime_ns`` say which ``messages.json`` was counted: a file with another size
or time is counted anew. ``messages_checked`` says whether it was known to be sound.
``messages_counted`` is the count once more, at the other end of what is overwritten:
where the two differ a power cut has torn the line, and the file is counted anew.

agno-cli sorts sessions by the times in this file, and cannot compare one that has an
offset with one that has none. So a file in which a time has none stays one of local times
without an offset, padded to the same width. Nothing here touches a disk.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start.

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry, is_session_id
from agno_shell.toolkit import json_records
from agno_shell.types import NOTHING, Session


class Contents(NamedTuple):
    """All that an index says."""

    current: str | None
    entries: list[Entry]


UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEADING = rb'\{"current_session_id":(?:"(' + UUID + rb')"|null {34}),"sessions":\[\n'
_KEY = rb'\{"session_id":"(' + UUID + rb')",'
_LOCAL_TIME = rb'"(?:created|updated)_at"\s*:\s*"\d{4}-\d\d-\d\d(?:[T ][0-9:.]*)?"'
_FOOTING = b"\n]}\n"
_EMPTY_FOOTING = b"]}\n"

_TIME_WIDTH = 34
"""A time with its quotes."""

HEADING_WIDTH = len(b'{"current_session_id":"","sessions":[\n') + 36


# Writing ---------------------------------------------------------------------------------


def heading(current: str | None) -> bytes:
    """The first line, always :data:`HEADING_WIDTH` bytes."""
    named = f'"{current}"' if current else "null".ljust(38)
    return f'{{"current_session_id":{named},"sessions":[\n'.encode("ascii")


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


def whole(current: str | None, lines: Iterable[bytes]) -> bytes:
    """A file of these lines."""
    body = b"\n,".join(lines)
    return heading(current) + (body + _FOOTING if body else _EMPTY_FOOTING)


# Reading ---------------------------------------------------------------------------------


def read_heading(data: bytes) -> str | None:
    """The current session according to the first line, if it is in this layout."""
    match = re.match(_HEADING, data)
    return match[1].decode("ascii") if match and match[1] else None


def is_ours(data: bytes) -> bool:
    """Whether a file begins and ends like one in this layout."""
    return begins_as_ours(data) and data.endswith(_EMPTY_FOOTING)


def begins_as_ours(data: bytes) -> bool:
    """Whether the first bytes of a file are those of one in this layout."""
    return re.match(_HEADING, data) is not None


def is_local(data: bytes) -> bool:
    """Whether a file, damaged or not, holds a time without an offset: such as agno-cli's,
    and every file that was written in the place of one."""
    if re.match(_HEADING, data):
        data = data[: data.find(b"\n", HEADING_WIDTH)]  # its lines are all alike
    return re.search(_LOCAL_TIME, data) is not None


def lines(data: bytes) -> dict[str, bytes] | None:
    """The line of each session without decoding it; None for another layout."""
    if not is_ours(data):
        return None
    body = data[HEADING_WIDTH : -len(_EMPTY_FOOTING)].removesuffix(b"\n")
    # Here and not above: a compiled pattern costs each start, and only writing needs it.
    key = re.compile(_KEY)
    found: dict[str, bytes] = {}
    for each in body.split(b"\n,") if body else ():
        match = key.match(each)
        if match is None or not each.endswith(b"}") or b"\n" in each:
            return None
        found[match[1].decode("ascii")] = each
    return found


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


TAIL_WIDTH = len(tail(Entry(Session("", "", json_records.EPOCH, json_records.EPOCH)), local=False))


def read_line(data: bytes) -> Entry | None:
    """The session in one line."""
    try:
        return entry_of(json_records.loads(data))
    except json_records.Damage:
        return None


def read(data: bytes) -> Contents | None:
    """The sessions in an index of this layout or any other that is a JSON object with
    the same keys; None if it is damaged, or none of the kind."""
    try:
        value = _decoded(data)
    except json_records.Damage:
        return None
    if not _is_list_of_sessions(value):
        return None
    current = value.get("current_session_id")
    entries = [entry for raw in value["sessions"] if (entry := entry_of(raw))]
    return Contents(current if is_session_id(current) else None, entries)


def is_anothers(data: bytes) -> bool:
    """Whether this is sound JSON that never was a list of sessions: another program's file."""
    if re.match(_HEADING, data):
        return False
    try:
        value = _decoded(data)
    except json_records.Damage:
        return False
    if isinstance(value, dict) and "current_session_id" in value:
        # Somebody's list of sessions, whatever has become of it; but not with ids like these.
        if is_session_id(value["current_session_id"]):
            return False
        listed = value.get("sessions")
        return isinstance(listed, list) and bool(listed) and not _is_list_of_sessions(value)
    return not _is_list_of_sessions(value)


def _decoded(data: bytes) -> Any:
    return json_records.loads(data.removeprefix(b"\xef\xbb\xbf"))


def _is_list_of_sessions(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("sessions"), list):
        return False
    listed = value["sessions"]
    if not listed:
        return value.keys() <= {"current_session_id", "sessions"}
    return any(isinstance(raw, dict) and is_session_id(raw.get("session_id")) for raw in listed)


def with_current(data: bytes, current: str | None) -> bytes | None:
    """A sound file in another layout, with another current session and nothing else changed;
    None for any other file."""
    if read(data) is None:
        return None
    pattern = rb'("current_session_id"\s*:\s*)(?:null|"[^"\\]*")'
    named = b"null" if current is None else f'"{current}"'.encode("ascii")
    changed, number = re.subn(pattern, lambda match: match[1] + named, data)
    contents = read(changed) if number == 1 else None
    return changed if contents is not None and contents.current == current else None


def says_all(after: bytes, before: bytes) -> bool:
    """Whether a file says all that another one, in the layout of agno-cli, has said."""
    contents, found = read(before), read(after)
    if contents is None or found is None:
        return False
    value = _decoded(before)
    listed = value.pop("sessions")
    plain = [isinstance(raw, dict) and raw.keys() <= _THEIRS for raw in listed]
    ids = {entry.session.session_id for entry in contents.entries}
    if (
        not all(plain)
        or len(ids) < len(listed)
        or value.keys() - {"current_session_id", "sessions"}
    ):
        return False
    sessions = {entry.session.session_id: entry.session for entry in found.entries}
    return all(_goes_on(entry.session, sessions) for entry in contents.entries)


def _goes_on(before: Session, sessions: Mapping[str, Session]) -> bool:
    after = sessions.get(before.session_id)
    return (
        after is not None
        and (after.name, after.description) == (before.name, before.description)
        and after.created_at == before.created_at
        and after.updated_at >= before.updated_at
        and after.message_count >= before.message_count
    )


_THEIRS = frozenset(Session._fields[:6])
"""The keys of a session in the list of agno-cli."""


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
