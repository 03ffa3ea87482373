"""What can still be read in a damaged ``sessions.json``. Nothing here touches a disk."""

from __future__ import annotations

import re
from typing import Any

from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry
from agno_shell.builtin.json_storage.index_format import UUID, Contents, entry_of
from agno_shell.toolkit import json_records

_ANY_CURRENT = rb'"current_session_id"\s*:\s*"(' + UUID + rb')"'

_MOST_FAILURES = 1000
"""Places at which a damaged text does not decode; each may cost reading to its end."""


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
