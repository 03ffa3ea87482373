"""The bytes of ``sessions.json``, a cache of all sessions, as a whole; also in other layouts,
and damaged.

::

    {"current_session_id":"…","sessions":[\\n
    {"session_id":"…", …,"updated_at":"…","message_count":        12}\\n
    ,{…}\\n
    ]}\\n

``current_session_id`` has a fixed width and is overwritten in place, and so is the end of a
line (:mod:`.index_line`).

agno-cli sorts sessions by the times in this file, and cannot compare one that has an
offset with one that has none. So a file in which a time has none stays one of local times
without an offset, padded to the same width. Nothing here touches a disk.
"""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start.

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry, is_session_id
from agno_shell.builtin.json_storage.index_line import (
    FOOTING,
    HEADING,
    HEADING_WIDTH,
    UUID,
    entry_of,
    is_ours,
)
from agno_shell.toolkit import json_records
from agno_shell.types import Session


class Contents(NamedTuple):
    """All that an index says."""

    current: str | None
    entries: list[Entry]


_KEY = rb'\{"session_id":"(' + UUID + rb')",'
_LOCAL_TIME = rb'"(?:created|updated)_at"\s*:\s*"\d{4}-\d\d-\d\d(?:[T ][0-9:.]*)?"'
_ANY_CURRENT = rb'"current_session_id"\s*:\s*"(' + UUID + rb')"'
_MOST_FAILURES = 1000
"""Places at which a damaged text does not decode; each may cost reading to its end."""
_THEIRS = frozenset(Session._fields[:6])
"""The keys of a session in the list of agno-cli."""


# Writing ---------------------------------------------------------------------------------


def heading(current: str | None) -> bytes:
    """The first line, always :data:`HEADING_WIDTH` bytes."""
    named = f'"{current}"' if current else "null".ljust(38)
    return f'{{"current_session_id":{named},"sessions":[\n'.encode("ascii")


def whole(current: str | None, lines: Iterable[bytes]) -> bytes:
    """A file of these lines."""
    body = b"\n,".join(lines)
    return heading(current) + body + (b"\n" if body else b"") + FOOTING


# Reading ---------------------------------------------------------------------------------


def read_heading(data: bytes) -> str | None:
    """The current session according to the first line, if it is in this layout."""
    match = re.match(HEADING, data)
    return match[1].decode("ascii") if match and match[1] else None


def is_local(data: bytes) -> bool:
    """Whether a file, damaged or not, holds a time without an offset: such as agno-cli's,
    and every file that was written in the place of one."""
    if re.match(HEADING, data):
        data = data[: data.find(b"\n", HEADING_WIDTH)]  # its lines are all alike
    return re.search(_LOCAL_TIME, data) is not None


def lines(data: bytes) -> dict[str, bytes] | None:
    """The line of each session without decoding it; None for another layout."""
    if not is_ours(data):
        return None
    body = data[HEADING_WIDTH : -len(FOOTING)].removesuffix(b"\n")
    # Here and not above: a compiled pattern costs each start, and only writing needs it.
    key = re.compile(_KEY)
    found: dict[str, bytes] = {}
    for each in body.split(b"\n,") if body else ():
        match = key.match(each)
        if match is None or not each.endswith(b"}") or b"\n" in each:
            return None
        found[match[1].decode("ascii")] = each
    return found


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
    if re.match(HEADING, data):
        return False
    try:
        value = _decoded(data)
    except json_records.Damage:
        return False
    if isinstance(value, dict) and "current_session_id" in value:
        # A list of sessions, sound or not; but not with ids like these.
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
    """Whether a file holds all that another one, in the layout of agno-cli, held."""
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


# What is damaged -------------------------------------------------------------------------


def salvage(data: bytes) -> Contents:
    """The sessions that can still be read in a damaged index, and the current one: a name
    may stand nowhere else. What it says of their messages does not count."""
    current = re.search(_ANY_CURRENT, data)
    text = data.decode("utf-8", "replace")
    entries: list[Entry] = []
    end = failures = 0
    for match in re.finditer(r'\{\s*"', text):
        if match.start() < end:
            continue
        try:
            raw, end = json_records.scan(text, match.start())
        except json_records.Damage:
            failures += 1
            if failures > _MOST_FAILURES:
                break
            raw = _beginning(text, match.start())
        listed = raw.get("sessions")
        for each in listed if isinstance(listed, list) else [raw]:
            entry = entry_of(each)
            if entry is not None:
                entries.append(entry._replace(mtime_ns=UNKNOWN))
    return Contents(current[1].decode("ascii") if current else None, entries)


def _beginning(text: str, position: int) -> dict[str, Any]:
    """What the object that begins here says before it is cut off, or damaged."""
    said = re.compile(r'\s*[{,]\s*"(\w+)"\s*:\s*')
    found: dict[str, Any] = {}
    while match := said.match(text, position):
        try:
            found[match[1]], position = json_records.scan(text, match.end())
        except json_records.Damage:
            break
    return found
