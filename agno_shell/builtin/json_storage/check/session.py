"""Looking at the folder of one session, in the store or in its trash."""

from __future__ import annotations

import os
import stat
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.builtin.json_storage import disk, running_reply
from agno_shell.builtin.json_storage.check import leftovers, record, session_data
from agno_shell.builtin.json_storage.check import messages as messages_
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.builtin.json_storage.folder import ATTACHMENTS, MEMORY, MESSAGES, SESSION, UNKNOWN
from agno_shell.builtin.json_storage.problems import reason

if TYPE_CHECKING:
    from agno_shell.builtin.json_storage.check.leftovers import Extras
    from agno_shell.builtin.json_storage.check.record import Listed
    from agno_shell.builtin.json_storage.check.rights import Rights
    from agno_shell.builtin.json_storage.folder import Entry

_NAMES = frozenset((SESSION, MESSAGES, MEMORY, ATTACHMENTS)) | {
    os.path.basename(running_reply.path_of("", place)) for place in range(running_reply.PLACES)
}


class FolderFindings(NamedTuple):
    """What was seen in a session's folder."""

    issues: list[Issue]
    messages: int | None
    """How many there are, if they could be read."""


def look(path: str, session_id: str, listed: Listed) -> FolderFindings:
    """Everything that is wrong in the folder ``path``; nothing if it is gone.

    ``listed`` says what ``sessions.json`` knows of the session.
    """
    messages = None
    try:
        found = entries(path)
        issues = [
            Issue(f"{path}/{name}", kind(status), "Move it away; it is not looked into.")
            for name, status in found.items()
            if _is_ours(name) and not _is_of_its_kind(name, status)
        ]
        if listed() is None and found.keys().isdisjoint(_NAMES):
            if not found:
                issues.append(_empty(path))
        else:
            more, messages = _contents(path, session_id, found, listed)
            issues += more
    except OSError as error:
        issues = [_unreadable(path, error)]
    else:
        for name, status in found.items():
            target = leftovers.target_of(name)
            if target is not None and stat.S_ISREG(status.st_mode):
                issues.append(leftovers.temporary(f"{path}/{name}", f"{path}/{target}"))
    return FolderFindings(issues if disk.status(path) is not None else [], messages)


def take_stock(path: str, rights: Rights, extras: Extras) -> None:
    """Look at the rights of everything in a folder, and at what is no part of a session.
    Raises ``OSError`` where that cannot be looked at."""
    for name, status in entries(path).items():
        if leftovers.is_copy(name) or _is_ours(name):
            rights.see(f"{path}/{name}", status)
        if leftovers.is_copy(name):
            extras.copy(f"{path}/{name}", status)
        elif not _is_ours(name):
            extras.unknown(f"{path}/{name}")
        elif name == ATTACHMENTS and stat.S_ISDIR(status.st_mode):
            _take_stock_of_contents(f"{path}/{name}", rights, extras)


def _take_stock_of_contents(place: str, rights: Rights, extras: Extras) -> None:
    for name, status in entries(place).items():
        if leftovers.is_copy(name) or session_data.is_ours(name):
            rights.see(f"{place}/{name}", status)
        if leftovers.is_copy(name):
            extras.copy(f"{place}/{name}", status)
        elif not session_data.is_ours(name):
            extras.unknown(f"{place}/{name}")


def entries(path: str) -> dict[str, os.stat_result]:
    """What is in a folder, in the order of the names; what has just gone is left out."""
    found = {name: disk.status(f"{path}/{name}") for name in sorted(disk.names(path))}
    return {name: status for name, status in found.items() if status is not None}


def kind(status: os.stat_result) -> str:
    """What stands where a file, or a folder, should be."""
    if stat.S_ISLNK(status.st_mode):
        return "It is a symbolic link, which is not followed."
    if stat.S_ISDIR(status.st_mode):
        return "It is a folder, not a file."
    if stat.S_ISREG(status.st_mode):
        return "It is a file, not a folder."
    return "It is neither a file nor a folder."


def _is_ours(name: str) -> bool:
    return name in _NAMES or leftovers.target_of(name) is not None or leftovers.is_copy(name)


def _is_of_its_kind(name: str, status: os.stat_result) -> bool:
    is_kind = stat.S_ISDIR if name == ATTACHMENTS else stat.S_ISREG
    return is_kind(status.st_mode)


def _contents(
    path: str,
    session_id: str,
    found: dict[str, os.stat_result],
    listed: Listed,
) -> FolderFindings:
    """What is wrong in the files that are the truth about a session."""
    issues: list[Issue] = []
    ids = None
    named: AbstractSet[str] = frozenset()
    if MESSAGES not in found or stat.S_ISREG(found[MESSAGES].st_mode):
        try:
            said = messages_.look(f"{path}/{MESSAGES}", _counted(listed()))
            issues += said.issues
            ids, named = said.ids, said.contents
        except OSError as error:
            issues.append(_unreadable(f"{path}/{MESSAGES}", error))
    if SESSION not in found or stat.S_ISREG(found[SESSION].st_mode):
        try:
            wrong = record.look(path, session_id, ids, listed)
        except OSError as error:
            wrong = _unreadable(f"{path}/{SESSION}", error)
        if wrong is not None:
            issues.append(wrong)
    issues += _session_data(path, found, named)
    return FolderFindings(issues, None if ids is None else len(ids))


def _counted(listed: Entry | None) -> int | None:
    """How many messages the list has counted; None if it never saw a file of them."""
    if listed is None:
        return 0
    return None if listed.size == UNKNOWN else listed.session.message_count


def _session_data(
    path: str, found: dict[str, os.stat_result], named: AbstractSet[str]
) -> list[Issue]:
    issues = []
    if MEMORY in found and stat.S_ISREG(found[MEMORY].st_mode):
        try:
            issues += session_data.memory(path)
        except OSError as error:
            issues.append(_unreadable(f"{path}/{MEMORY}", error))
    if ATTACHMENTS not in found or stat.S_ISDIR(found[ATTACHMENTS].st_mode):
        place = f"{path}/{ATTACHMENTS}"
        try:
            issues += session_data.contents(path, entries(place), named)
        except OSError as error:
            issues.append(_unreadable(place, error))
    return issues


def _unreadable(path: str, error: OSError) -> Issue:
    return Issue(path, f"It could not be read: {reason(error)}.")


def _empty(path: str) -> Issue:
    """Nobody knows what it was: perhaps a session, of which the list was lost."""
    problem = "It is an empty folder that the list does not name."
    return Issue(path, problem, "It is left alone; rmdir removes it.", note=True)
