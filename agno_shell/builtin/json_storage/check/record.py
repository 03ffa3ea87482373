"""What can be wrong in one ``session.json``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from agno_shell.builtin.json_storage import disk, folder, message_reader, repair
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.builtin.json_storage.folder import MESSAGES, SESSION, UNKNOWN, Entry, SessionRecord
from agno_shell.toolkit import json_records
from agno_shell.toolkit.wording import count
from agno_shell.types import ROOT

_KEEPING = "A repair rewrites it and keeps this one beside it."

Listed = Callable[[], Entry | None]
"""What ``sessions.json`` says of a session."""


def look(
    path: str,
    session_id: str,
    ids: AbstractSet[str] | None,
    listed: Listed,
) -> Issue | None:
    """Look at the ``session.json`` in the folder ``path``.

    ``ids`` are those of the messages, None if they are not known. Raises ``OSError`` where
    the file cannot be read.
    """
    target = f"{path}/{SESSION}"
    try:
        data = disk.read(target)
    except FileNotFoundError:
        return missing(path, session_id, listed)
    raw = _decoded(data)
    if raw is None:
        return Issue(
            target,
            "It is damaged; the name of the session is not in it.",
            _KEEPING,
            lambda: _replace(path, data, _known(path, session_id, listed())),
        )
    problem = _problem(raw, session_id, ids, listed)
    if not problem:
        return None
    return Issue(
        target,
        problem,
        _KEEPING,
        lambda: _replace(path, data, _right(path, raw, session_id, ids, listed())),
    )


def missing(path: str, session_id: str, listed: Listed) -> Issue:
    """What there is to say of a session without this file: agno-cli makes none, and keeps
    what a session is called in its list alone."""
    entry = listed()
    return Issue(
        f"{path}/{SESSION}",
        "It is missing; what the session is called stands in the list alone."
        if entry
        else "It is missing; what the session is called stands nowhere.",
        "A repair writes it from what else is known.",
        lambda: _make(path, session_id, listed()),
        note=entry is not None and entry.size == UNKNOWN,
    )


def _decoded(data: bytes) -> dict[str, Any] | None:
    try:
        raw = json_records.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json_records.Damage:
        return None
    return raw if isinstance(raw, dict) else None


def _problem(
    raw: Mapping[str, Any], session_id: str, ids: AbstractSet[str] | None, listed: Listed
) -> str:
    parts = []
    if raw.get("session_id") != session_id:
        parts.append("it does not name the session whose folder it is in")
    if not (isinstance(raw.get("name"), str) and raw["name"].strip()):
        parts.append("it has no name")
    if json_records.moment(raw.get("created_at")) is None:
        parts.append("it does not say when the session was made")
    entry = None if _is_said("description", raw.get("description")) else listed()
    if entry is not None and entry.session.description:
        parts.append("it lacks the description that stands in the list")
    if ids is not None:
        head, pinned = raw.get("head"), raw.get("pinned")
        if head not in (None, ROOT) and not (isinstance(head, str) and head in ids):
            parts.append("the message that the conversation is to stand on is not there")
        gone = sum(str(each) not in ids for each in pinned) if isinstance(pinned, list) else 0
        if gone:
            parts.append(f"{count(gone, 'pinned message')} cannot be found")
    sentence = ", ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if parts else ""


# Mending: the session's lock is held -----------------------------------------------------


def _make(path: str, session_id: str, listed: Entry | None) -> str:
    folder.make_record(path, _known(path, session_id, listed).session)
    return "It was written from what else is known."


def _replace(path: str, data: bytes, record: SessionRecord) -> str:
    target = f"{path}/{SESSION}"
    copy = repair.replace_keeping(target, data, folder.record_bytes(record))
    return f"It was rewritten; the old one is kept as {os.path.basename(copy)}."


def _known(path: str, session_id: str, listed: Entry | None) -> SessionRecord:
    """What is known of a session without its record."""
    entry = folder.survey(path, session_id, listed) or folder.unreadable(path, session_id)
    if entry.session.head is None:
        return SessionRecord(entry.session)
    return SessionRecord(entry.session, message_reader.newest_id(f"{path}/{MESSAGES}") or ROOT)


def _right(
    path: str,
    raw: Mapping[str, Any],
    session_id: str,
    ids: AbstractSet[str] | None,
    listed: Entry | None,
) -> SessionRecord:
    """What the record says, without what is wrong in it; the list knows some of that."""
    head_after = raw.get("head_after")
    fields = {key: value for key, value in raw.items() if key != "head_after"}
    if listed is not None:
        for key, value in json_records.session_fields(listed.session).items():
            if key in _IN_THE_LIST and not _is_said(key, fields.get(key)):
                fields[key] = value
    session = json_records.session_of(fields, session_id, json_records.EPOCH)
    session = folder.dated(session, path)
    if ids is not None:
        session = session._replace(
            head=session.head if session.head == ROOT or session.head in ids else None,
            pinned=tuple(each for each in session.pinned if each in ids),
        )
    holds = session.head is not None and isinstance(head_after, str)
    return SessionRecord(session, head_after if holds else None)


_IN_THE_LIST = ("name", "description", "created_at")


def _is_said(key: str, value: object) -> bool:
    if key == "created_at":
        return json_records.moment(value) is not None
    return isinstance(value, str) and (key == "description" or bool(value.strip()))
