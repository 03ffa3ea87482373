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
Nothing here touches a disk.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start.

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell import json_records
from agno_shell.builtin.json_storage.ids import is_session_id
from agno_shell.types import NOTHING, Session

UNKNOWN = -1


class Entry(NamedTuple):
    """A session, and the look of the message file that its count belongs to."""

    session: Session
    size: int = UNKNOWN
    """Bytes."""
    mtime_ns: int = UNKNOWN
    checked: bool = False
    """Whether the file was read or written as a whole and is sound; otherwise only its
    lines were counted, and it is read before anything is appended."""


class Contents(NamedTuple):
    """All that an index says."""

    current: str | None
    entries: list[Entry]


_UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HEADING = rb'\{"current_session_id":(?:"(' + _UUID + rb')"|null {34}),"sessions":\[\n'
_KEY = rb'\{"session_id":"(' + _UUID + rb')",'
_FOOTING = b"\n]}\n"
_EMPTY_FOOTING = b"]}\n"

HEADING_WIDTH = len(b'{"current_session_id":"","sessions":[\n') + 36


# Writing ---------------------------------------------------------------------------------


def heading(current: str | None) -> bytes:
    """The first line, always :data:`HEADING_WIDTH` bytes."""
    named = f'"{current}"' if current else "null".ljust(38)
    return f'{{"current_session_id":{named},"sessions":[\n'.encode("ascii")


def line(entry: Entry) -> bytes:
    """The line of a session, without comma and newline; its last :data:`TAIL_WIDTH`
    bytes are what a message changes."""
    session = entry.session
    fields = json_records.session_fields(session._replace(extra=NOTHING))
    del fields["updated_at"]
    if session.extra:
        fields["extra"] = session.extra
    return json_records.dumps(fields)[:-1] + tail(entry)


def tail(entry: Entry) -> bytes:
    """The part of a line that has a fixed width."""
    session = entry.session
    return (
        f',"messages_counted":{session.message_count:10d}'
        f',"messages_size":{entry.size:12d},"messages_mtime_ns":{entry.mtime_ns:20d}'
        f',"messages_checked":{"true " if entry.checked else "false"}'
        f',"updated_at":"{json_records.stamp(session.updated_at)}"'
        f',"message_count":{session.message_count:10d}}}'
    ).encode("ascii")


def not_back(entry: Entry, before: datetime | None) -> Entry:
    """The entry with an ``updated_at`` that is not before ``before``."""
    if before is None or before <= entry.session.updated_at:
        return entry
    return entry._replace(session=entry.session._replace(updated_at=before))


def tail_updated_at(data: bytes) -> datetime | None:
    """The time in the last bytes of a line, without decoding the line."""
    key = b'"updated_at":"'
    place = data.find(key) + len(key)
    return json_records.moment(data[place : place + 32].decode("ascii", "replace"))


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
    return re.match(_HEADING, data) is not None and data.endswith(_EMPTY_FOOTING)


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


TAIL_WIDTH = len(tail(Entry(Session("", "", json_records.EPOCH, json_records.EPOCH))))


def read_line(data: bytes) -> Entry | None:
    """The session in one line."""
    try:
        return _entry(json_records.loads(data))
    except json_records.Damage:
        return None


def read(data: bytes) -> Contents | None:
    """The sessions in an index of this layout or any other that is a JSON object with
    the same keys; None if it is damaged."""
    try:
        value = json_records.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json_records.Damage:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("sessions"), list):
        return None
    current = value.get("current_session_id")
    entries = [entry for raw in value["sessions"] if (entry := _entry(raw))]
    return Contents(current if is_session_id(current) else None, entries)


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


def _entry(raw: Any) -> Entry | None:
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
    if extra and isinstance(extra, Mapping):
        session = session._replace(extra=extra)
    if not (isinstance(size, int) and isinstance(mtime_ns, int)):
        size = mtime_ns = UNKNOWN
    return Entry(session, size, mtime_ns, checked is True)
