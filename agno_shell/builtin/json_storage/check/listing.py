"""Looking at ``sessions.json``: whether it says what the folders say."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them.

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, folder, index_format, repair, trash
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry
from agno_shell.builtin.json_storage.importing import take_over
from agno_shell.builtin.json_storage.index import NAME, Index
from agno_shell.builtin.json_storage.index_format import Contents
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.problems import reason
from agno_shell.errors import StorageError
from agno_shell.types import Session, now

_AT_ONCE = 500
"""Sessions that are corrected under one holding of the lock, which other shells wait for."""
_PAUSE = 0.01
"""Seconds until what looks wrong is looked at again: another shell may be about to write
into the list what it has done."""
_FEW = 50
"""So many sessions can be in the middle of a change; each is then looked at alone."""
_MENDING = "A repair makes it agree with the sessions."

_LEAVING = "It is read as it stands; the next message rewrites it."

_Judge = Callable[[str, Entry | None], str]


class _ListState(NamedTuple):
    """How a list was found."""

    problem: str
    """A sentence, or nothing."""
    wrong: Sequence[str] = ()
    """The sessions whose lines are wrong."""
    gone: Sequence[str] = ()
    """Those that have no folder."""
    is_foreign: bool = False
    """It is as another program leaves it, which is nothing wrong."""


class Listing:
    """The list of sessions: as it was at first, and what is wrong with it at last."""

    def __init__(self, root: str, index: Index, locks: Locks, told: Callable[[], str]) -> None:
        """``told`` gives what was reported while the list was written, such as the path of a
        copy."""
        self._root = root
        self._locks = locks
        self._path = f"{root}/{NAME}"
        self._index = index
        self._told = told
        self._is_local = index.began_elsewhere()
        self._is_laid_out = index.is_laid_out()
        self._entries = _by_id(index.known().entries)
        self._aside: Mapping[str, Entry] | None = None

    def entry(self, session_id: str) -> Entry | None:
        """What the list held of a session, or one that was rewritten before."""
        if session_id in self._entries:
            return self._entries[session_id]
        if self._aside is None:
            self._aside = self._index.set_aside()
        return self._aside.get(session_id)

    def agrees(self, session_id: str, messages: int | None) -> bool:
        """Whether the list was right about a session that is well and has this many
        messages. None of them is read for it."""
        entry = self._entries.get(session_id)
        path = f"{self._root}/{session_id}"
        try:
            status = disk.status(f"{path}/{folder.MESSAGES}")
            record = folder.read_record(path, session_id)
            if entry is None or status is None or record is None:
                return False
            session = record.session
            if session.head is not None and not folder.head_holds(path, record):
                session = session._replace(head=None)
        except OSError:
            return False
        if (entry.size, entry.mtime_ns) != (status.st_size, status.st_mtime_ns):
            return False
        return entry.session.message_count == messages and self._same(entry.session, session)

    def look(self, suspects: Collection[str]) -> Issue | None:
        """What is wrong with the list now. ``suspects`` are the sessions about which it was
        not right."""
        try:
            seen = self._seen(suspects, self._judged)
            if seen.problem and not seen.is_foreign:
                time.sleep(_PAUSE)
                judge = self._judged_alone if len(seen.wrong) <= _FEW else self._judged
                seen = self._seen(seen.wrong or suspects, judge)
        except OSError as error:
            advice = "Move it away; it is made again from the sessions."
            return Issue(self._path, f"It could not be read: {reason(error)}.", advice)
        if not seen.problem:
            return None
        if seen.is_foreign:
            return Issue(self._path, seen.problem, _LEAVING, note=True)
        return Issue(self._path, seen.problem, _MENDING, lambda: self._correct(seen))

    def look_for_dropped(self) -> Issue | None:
        """Sessions without a folder that the list has lost since: saving the reply of another
        session has rewritten it."""
        if self._is_laid_out or not self._index.is_laid_out():
            return None
        trashed = trash.sessions_in(self._root)
        lost = [
            each
            for each in self._entries
            if each not in trashed and not disk.is_folder(f"{self._root}/{each}")
        ]
        if not lost:
            return None

        def mend() -> str:
            for session_id in lost:
                self._put_away(session_id)
            return f"What it held of {_some(lost)} is in the trash."

        return Issue(self._path, f"It listed {_some(lost)} without a folder.", _MENDING, mend)

    def _seen(self, suspects: Collection[str], judge: _Judge) -> _ListState:
        try:
            data = disk.read(self._path)
        except FileNotFoundError:
            # Where no session was ever made there is no list.
            missing = any(map(self._is_session, suspects))
            return _ListState("It is missing." if missing else "")
        contents = index_format.read(data)
        if contents is None:
            return _ListState("It is damaged.")
        if index_format.lines(data) is None:
            return _ListState("It is in another layout than the store's own.", is_foreign=True)
        entries = _by_id(contents.entries)
        self._is_local = index_format.is_local(data)
        judged = {each: judge(each, entries.get(each)) for each in suspects}
        return self._disagreements(contents, judged)

    def _disagreements(self, contents: Contents, judged: Mapping[str, str]) -> _ListState:
        wrong = [each for each, verdict in judged.items() if verdict]
        numbers = Counter(entry.session.session_id for entry in contents.entries)
        twice = [each for each, number in numbers.items() if number > 1]
        gone = [each for each in numbers if not disk.is_folder(f"{self._root}/{each}")]
        kinds = {
            "lists {} twice": twice,
            "lists {} without a folder": gone,
            "does not list {}": [each for each in wrong if judged[each] == "missing"],
            "has an old count of {}": [each for each in wrong if judged[each] == "count"],
            "describes {} otherwise than session.json": [
                each for each in wrong if judged[each] == "words"
            ],
        }
        parts = [what.format(_some(found)) for what, found in kinds.items() if found]
        current = contents.current
        if current is not None and not disk.is_folder(f"{self._root}/{current}"):
            parts.append("names a session as the last used one that is not there")
        every = list(dict.fromkeys([*wrong, *twice]))
        return _ListState(f"It {', '.join(parts)}." if parts else "", every, gone)

    def _judged(self, session_id: str, entry: Entry | None) -> str:
        """How the list is wrong about one session: missing, count, words, or not at all."""
        path = f"{self._root}/{session_id}"
        try:
            found = folder.survey(path, session_id, entry)
            record = folder.read_record(path, session_id)
        except OSError:
            return ""  # it has gone, or its own issue says why it cannot be read
        if found is None:
            return ""
        if entry is None:
            return "missing"
        # A message may have been made later, by its own time, than it was saved.
        changed_at = record.session.updated_at if record else entry.session.updated_at
        if not self._same(entry.session, found.session._replace(updated_at=changed_at)):
            return "words"
        if entry.size == UNKNOWN:
            return ""  # the line itself says that it is not counted
        listed, counted = entry.session.message_count, found.session.message_count
        same_file = (entry.size, entry.mtime_ns) == (found.size, found.mtime_ns)
        return "" if same_file and listed == counted else "count"

    def _judged_alone(self, session_id: str, _entry: Entry | None) -> str:
        """The same while no other shell writes to the session, which first saves a message
        and then counts it."""
        try:
            with self._locks.session_if_made(session_id) or nullcontext():
                return self._judged(session_id, self._index.find(session_id))
        except StorageError:
            return ""  # in use for so long that nothing can be found out
        except OSError:
            return self._judged(session_id, self._index.find(session_id))

    def _is_session(self, session_id: str) -> bool:
        return bool(self._judged(session_id, None))

    def _correct(self, seen: _ListState) -> str:
        deleted = trash.sessions_in(self._root)
        gone = [each for each in seen.gone if each in self._entries and each not in deleted]
        for session_id in gone:
            self._put_away(session_id)
        told = self._keep_what_goes(seen.wrong)
        if gone:
            told += f" What it holds of {_some(gone)} is in the trash."
        for start in range(0, max(1, len(seen.wrong)), _AT_ONCE):
            self._index.correct(seen.wrong[start : start + _AT_ONCE], self._survey)
        return f"{self._told() or 'It was rebuilt from the sessions.'}{told}"

    def _put_away(self, session_id: str) -> None:
        """Somebody has deleted the folder; the name goes where it can be found again."""
        with self._locks.session(session_id):
            if disk.status(f"{self._root}/{session_id}") is None:
                listed = self._entries[session_id].session
                session = listed._replace(message_count=0, head=None)
                take_over(self._root, session, (), now(), (), None)

    def _keep_what_goes(self, session_ids: Iterable[str]) -> str:
        """Keep the list as it is where it says what stands nowhere else: another name, or
        that there were more messages. What was done, as a further sentence."""
        try:
            data = disk.read(self._path)
        except FileNotFoundError:
            return ""
        contents = index_format.read(data)
        changing = set(session_ids)
        for entry in contents.entries if contents else ():
            session_id = entry.session.session_id
            if session_id in changing and self._says_more(entry):
                copy = repair.copy_aside(self._path, data)
                return f" It is kept as {os.path.basename(copy)}."
        return ""

    def _says_more(self, entry: Entry) -> bool:
        try:
            found = self._survey(entry.session.session_id, entry)
        except OSError:
            return False  # then its line stays
        if found is None:
            return False
        listed, session = entry.session, found.session
        return (
            (listed.name, listed.description) != (session.name, session.description)
            or not set(listed.tags) <= set(session.tags)
            or listed.message_count > session.message_count
        )

    def _survey(self, session_id: str, listed: Entry | None) -> Entry | None:
        return folder.survey(f"{self._root}/{session_id}", session_id, listed)

    def _same(self, listed: Session, found: Session) -> bool:
        """Whether a line says what is true of a session regardless of its messages. Its time
        of the last change may be a later one: ``session.json`` does not have that of a
        message. Local times say something else in another time zone."""
        alike = listed == found._replace(
            created_at=listed.created_at if self._is_local else found.created_at,
            updated_at=listed.updated_at,
            message_count=listed.message_count,
        )
        return alike and (self._is_local or listed.updated_at >= found.updated_at)


def _by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.session.session_id: entry for entry in entries}


def _some(session_ids: list[str]) -> str:
    """``session 1f0c…``, ``3 sessions, such as 1f0c…``"""
    if len(session_ids) == 1:
        return f"session {session_ids[0]}"
    return f"{len(session_ids):,} sessions (such as {session_ids[0]})"
