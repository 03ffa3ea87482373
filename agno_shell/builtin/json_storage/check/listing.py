"""Looking at ``sessions.json``: whether it says what the folders say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext

from agno_shell.builtin.json_storage import disk, folder, index_format
from agno_shell.builtin.json_storage.check.ailment import Ailment
from agno_shell.builtin.json_storage.index import NAME, Index
from agno_shell.builtin.json_storage.index_format import Contents, Entry
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.problems import reason
from agno_shell.errors import StorageError
from agno_shell.types import Session

_AT_ONCE = 500
"""Sessions that are corrected under one holding of the lock, which other shells wait for."""
_PAUSE = 0.01
"""Seconds until what looks wrong is looked at again: another shell may be about to tell the
list what it has done."""
_FEW = 50
"""So many sessions can be in the middle of a change; each is then looked at alone."""
_MENDING = "A repair makes it agree with the sessions."

_Judge = Callable[[str, Entry | None], str]


class Listing:
    """The list of sessions: as it was at first, and what is wrong with it at last."""

    def __init__(self, root: str, index: Index, locks: Locks, told: Callable[[], str]) -> None:
        """``told`` gives what was said while the list was written, such as the path of a
        copy."""
        self._root = root
        self._locks = locks
        self._path = f"{root}/{NAME}"
        self._index = index
        self._told = told
        contents = index.read()
        self._entries = _by_id(contents.entries if contents else ())

    def session(self, session_id: str) -> Session | None:
        """What the list said of a session."""
        entry = self._entries.get(session_id)
        return entry.session if entry else None

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
        return entry.session.message_count == messages and _same(entry.session, session)

    def look(self, suspects: Collection[str]) -> Ailment | None:
        """What is wrong with the list now. ``suspects`` are the sessions about which it was
        not right."""
        try:
            problem, wrong = self._problem(suspects, self._judged)
            if problem:
                time.sleep(_PAUSE)
                judge = self._judged_alone if len(wrong) <= _FEW else self._judged
                problem, wrong = self._problem(wrong or suspects, judge)
        except OSError as error:
            advice = "Move it away; it is made again from the sessions."
            return Ailment(self._path, f"It could not be read: {reason(error)}.", advice)
        if not problem:
            return None
        return Ailment(self._path, problem, _MENDING, lambda: self._correct(wrong))

    def _problem(self, suspects: Collection[str], judge: _Judge) -> tuple[str, list[str]]:
        """A sentence, or nothing, and the sessions whose lines are wrong."""
        try:
            data = disk.read(self._path)
        except FileNotFoundError:
            data = b""
        contents = index_format.read(data)
        if contents is None:
            if data:
                return "It is damaged.", []
            # Where no session was ever made there is no list.
            return ("It is missing." if any(map(self._is_session, suspects)) else ""), []
        entries = _by_id(contents.entries)
        judged = {each: judge(each, entries.get(each)) for each in suspects}
        wrong = [each for each, verdict in judged.items() if verdict]
        if index_format.lines(data) is None:
            return "It is in another layout than the store's own.", wrong
        return self._disagreements(contents, judged, wrong)

    def _disagreements(
        self, contents: Contents, judged: Mapping[str, str], wrong: list[str]
    ) -> tuple[str, list[str]]:
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
        return (f"It {', '.join(parts)}." if parts else ""), every

    def _judged(self, session_id: str, entry: Entry | None) -> str:
        """How the list is wrong about one session: missing, count, words, or not at all."""
        path = f"{self._root}/{session_id}"
        try:
            found = folder.survey(path, session_id, entry.session if entry else None)
            record = folder.read_record(path, session_id)
        except OSError:
            return ""  # it has gone, or its own ailment says why it cannot be read
        if found is None:
            return ""
        if entry is None:
            return "missing"
        # A message may have been made later, by its own time, than it was saved.
        changed_at = record.session.updated_at if record else entry.session.updated_at
        if not _same(entry.session, found.session._replace(updated_at=changed_at)):
            return "words"
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
            return ""  # in use for so long that nothing can be said
        except OSError:
            return self._judged(session_id, self._index.find(session_id))

    def _is_session(self, session_id: str) -> bool:
        return bool(self._judged(session_id, None))

    def _correct(self, wrong: list[str]) -> str:
        for start in range(0, max(1, len(wrong)), _AT_ONCE):
            self._index.correct(wrong[start : start + _AT_ONCE], self._survey)
        return self._told() or "It was written anew from the sessions."

    def _survey(self, session_id: str, known: Session | None) -> Entry | None:
        return folder.survey(f"{self._root}/{session_id}", session_id, known)


def _by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.session.session_id: entry for entry in entries}


def _same(listed: Session, found: Session) -> bool:
    """Whether a line says what is true of a session whatever its messages are. Its time of
    the last change may be a later one: ``session.json`` does not have that of a message."""
    return listed.updated_at >= found.updated_at and listed == found._replace(
        updated_at=listed.updated_at, message_count=listed.message_count
    )


def _some(session_ids: list[str]) -> str:
    """``session 1f0c…``, ``3 sessions, such as 1f0c…``"""
    if len(session_ids) == 1:
        return f"session {session_ids[0]}"
    return f"{len(session_ids):,} sessions (such as {session_ids[0]})"
