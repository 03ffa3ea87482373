"""Which sessions there are: the index, checked against the folders.

What the index says of a session holds as long as its ``messages.json`` has the size
and time that were counted; otherwise the folder is surveyed. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter

from agno_shell.builtin.json_storage import disk, folder
from agno_shell.builtin.json_storage.folder import Entry, is_session_id
from agno_shell.builtin.json_storage.index import Index
from agno_shell.builtin.json_storage.index_format import Contents
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import Session


class SessionCatalog:
    """The sessions below ``root``."""

    def __init__(
        self,
        root: str,
        lock: Callable[[], AbstractContextManager[None]],
        notice: Callable[[str], None],
    ) -> None:
        self._root = root
        self.index = Index(root, lock, self, notice)

    def folder(self, session_id: str) -> str:
        """The folder of a session that exists. Raises ``SessionNotFoundError``, and
        ``StorageError`` where something else is in its place."""
        if not is_session_id(session_id):
            raise SessionNotFoundError(f"{str(session_id)[:80]!r} is not a session id.")
        path = f"{self._root}/{session_id}"
        try:
            disk.require_folder(path)
        except FileNotFoundError:
            raise SessionNotFoundError(f"There is no session {session_id}.") from None
        except OSError as error:
            raise StorageError(
                f"Session {session_id} cannot be used: {path}: {error.strerror}."
            ) from error
        return path

    def contents(self) -> Contents:
        """Every session that has a folder, in no order, and the current one's id."""
        return self._all(self.index.known(), self._is_counted)

    def as_listed(self, listed: Contents) -> Contents:
        """The same, except for the counts of those of which nothing but the list says what they
        are called: their messages are not looked at, which would take as long as there are
        messages. A reader of such an entry counts them."""
        return self._all(listed, self._is_listed_alone)

    def _is_listed_alone(self, entry: Entry) -> bool:
        """Whether the list is all that says what a session is called, and says when it was
        made."""
        session = entry.session
        path = f"{self._root}/{session.session_id}/{folder.SESSION}"
        return session.created_at != json_records.EPOCH and disk.status(path) is None

    def _all(self, listed: Contents, holds: Callable[[Entry], bool]) -> Contents:
        names = set(disk.names(self._root))
        entries: dict[str, Entry] = {}
        for entry in listed.entries:
            session_id = entry.session.session_id
            if session_id not in names:
                continue
            if holds(entry):
                entries[session_id] = entry
            elif (found := self._surveyed(session_id, entry)) is not None:
                entries[session_id] = found
        unlisted = [each for each in names - entries.keys() if is_session_id(each)]
        aside = self._set_aside(unlisted)
        for session_id in unlisted:
            found = self._surveyed(session_id, aside.get(session_id))
            if found is not None:
                entries[session_id] = found
        current = listed.current if listed.current in entries else None
        return Contents(current, list(entries.values()))

    def _set_aside(self, unlisted: Sequence[str]) -> Mapping[str, Entry]:
        """What a list that was rewritten had of sessions that this one lacks, if
        their folders do not say it."""
        if all(disk.status(f"{self._root}/{each}/{folder.SESSION}") for each in unlisted):
            return {}
        return self.index.set_aside()

    def sessions(self) -> list[Session]:
        """Every session, the most recently updated first."""
        found = [entry.session for entry in self.contents().entries]
        return sorted(found, key=attrgetter("updated_at", "session_id"), reverse=True)

    def changed(self) -> list[Entry]:
        """What the list says of the sessions whose messages are not those that were counted."""
        listed = self.index.read()
        return [each for each in (listed.entries if listed else ()) if not self._is_counted(each)]

    def find(self, session_id: str) -> Entry:
        """One session as it is now. Raises ``SessionNotFoundError`` and ``OSError``."""
        path = self.folder(session_id)
        listed = self.index.find(session_id) or self._set_aside([session_id]).get(session_id)
        record = folder.read_record(path, session_id)
        if listed is None or record is None or not self._is_counted(listed):
            found = folder.survey(path, session_id, listed)
            if found is None:
                raise SessionNotFoundError(f"There is no session {session_id}.")
            return found
        head = record.session.head
        if head is not None and not folder.head_holds(path, record):
            head = None
        session = record.session._replace(
            message_count=listed.session.message_count,
            updated_at=max(record.session.updated_at, listed.session.updated_at),
            head=head,
        )
        return listed._replace(session=session)

    def _is_counted(self, entry: Entry) -> bool:
        status = disk.status(f"{self._root}/{entry.session.session_id}/{folder.MESSAGES}")
        return (
            status is not None
            and status.st_mtime_ns == entry.mtime_ns
            and status.st_size == entry.size
        )

    def _surveyed(self, session_id: str, listed: Entry | None) -> Entry | None:
        """A damaged session costs only itself: opening it says what is wrong."""
        path = f"{self._root}/{session_id}"
        try:
            return folder.survey(path, session_id, listed)
        except OSError:
            if not folder.may_be_there(path):
                return None
            return Entry(listed.session) if listed else folder.unreadable(path, session_id)
