"""Changing one session: its messages, its ``session.json``, its line in the index.

The caller holds the session's lock. The order is always the same: first the messages
or the record, which are the truth, then the index, which is a cache.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, folder, index_format, message_reader
from agno_shell.builtin.json_storage.catalog import Catalog
from agno_shell.builtin.json_storage.folder import MESSAGES, SESSION, Entry, Record
from agno_shell.builtin.json_storage.index import ASIDE
from agno_shell.builtin.json_storage.index_line import Patch
from agno_shell.builtin.json_storage.message_writer import (
    MessageWriter,
    State,
    replace_keeping,
)
from agno_shell.builtin.json_storage.problems import Notices, reason
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message, Session, now


class _Listing(NamedTuple):
    """What the index is to say of a session."""

    record: Record
    made_at: datetime
    entry: Entry
    patch: Patch | None


class SessionWriter:
    """Writes into the sessions of one store; raises ``OSError`` when it cannot."""

    def __init__(self, root: str, catalog: Catalog, notices: Notices) -> None:
        self._root = root
        self._catalog = catalog
        self._notices = notices
        self._writers: dict[str, MessageWriter] = {}
        self._records: dict[str, tuple[tuple[int, int, int], Record]] = {}
        self._last: MessageWriter | None = None

    def has_open(self, session_id: str) -> bool:
        """Whether the session's messages are open since the last append."""
        writer = self._writers.get(session_id)
        return writer is not None and writer.is_open

    def append(self, session_id: str, message: Message) -> Session:
        """Add a message, which becomes the head."""
        path = f"{self._root}/{session_id}"
        listings: list[_Listing] = []
        self._writer(session_id, path).append(
            message, lambda state: listings.append(self._prepare(path, session_id, state))
        )
        listing = listings[-1]
        listed = self.list(listing.entry, listing.patch).session
        self._follow_up(path, listing.record, listed, listing.made_at)
        return listed

    def mend(self, session_id: str) -> None:
        """Mend messages that a power cut has torn."""
        self._writer(session_id, f"{self._root}/{session_id}").mend()

    def change(self, session_id: str, **changes: object) -> Session:
        """Write a changed record; ``updated_at`` becomes now."""
        path = self._catalog.folder(session_id)
        entry = self._catalog.find(session_id)
        session = entry.session._replace(**changes)  # type: ignore[arg-type] # by the caller
        session = session._replace(updated_at=max(now(), entry.session.updated_at))
        self._catalog.index.doubt(session_id)
        self.write_record(path, self.record_of(path, session))
        return self.list(entry._replace(session=session)).session

    def record_of(self, path: str, session: Session) -> Record:
        """What ``session.json`` is to say of a session as it is now."""
        if session.head is None:
            return Record(session)
        return Record(session, message_reader.newest_id(f"{path}/{MESSAGES}") or ROOT)

    def complete_record(self, path: str, session: Session) -> None:
        """Write down what only the index knows of a session that leaves it."""
        known = folder.read_record(path, session.session_id)
        if known is not None and known.session.updated_at == session.updated_at:
            return
        try:
            self.write_record(path, self.record_of(path, session))
        except OSError:
            if known is None:
                raise
            # Only the time of the last change is lost: a full disk must not keep
            # a person from deleting.

    def write_record(self, path: str, record: Record) -> None:
        """Write ``session.json``; a damaged one is copied aside first."""
        target = f"{path}/{SESSION}"
        if disk.status(target) is not None and folder.read_record(path, "") is None:
            copy = replace_keeping(target, disk.read(target), folder.record_bytes(record))
            self._notices(
                f"{target} was damaged and was rewritten; the old file is kept as {copy}."
            )
        else:
            disk.replace(target, folder.record_bytes(record))

    def list(self, entry: Entry, patch: Patch | None = None) -> Entry:
        """Write an entry into the index. What the index lacks is found again in the
        folders, so that a failure here is no failure to save."""
        try:
            return self._catalog.index.put(entry, patch)
        except (OSError, StorageError, json_records.UnwritableError) as error:
            self.tell_index(error)
            return entry

    def lay_index_anew(self, before: bytes, after: bytes) -> None:
        """Replace an index that is damaged or in another layout, which is kept; where two
        programs use a folder in turn, only once: the new one says all that it said."""
        path = f"{self._root}/sessions.json"
        if self._has_copy_of_index() and index_format.says_all(after, before):
            disk.replace(path, after)
            return
        copy = replace_keeping(path, before, after)
        was = "damaged" if index_format.read(before) is None else "in another layout"
        self._notices(f"{path} was {was} and was rewritten; the old file is kept as {copy}.")

    def _has_copy_of_index(self) -> bool:
        return any(name.startswith(ASIDE) for name in disk.names(self._root))

    def tell(self, line: str) -> None:
        self._notices(line)

    def tell_index(self, error: Exception) -> None:
        self._notices.once(
            f"{self._root}/sessions.json could not be brought up to date ({reason(error)});"
            " nothing is lost, it is rebuilt from the sessions."
        )

    def forget(self, session_id: str) -> None:
        """The session's folder is gone, or another one."""
        writer = self._writers.pop(session_id, None)
        if writer is not None:
            writer.close()
        self._records.pop(session_id, None)

    def close(self) -> None:
        """Keep nothing open."""
        for writer in self._writers.values():
            writer.close()

    def _prepare(self, path: str, session_id: str, state: State) -> _Listing:
        """What the index is to say of a session after a message."""
        record = self._record_or_new(path, session_id)
        made_at = now()
        session = record.session._replace(
            head=None,
            message_count=state.messages,
            updated_at=max(made_at, record.session.updated_at),
        )
        entry = Entry(session, state.size, state.mtime_ns, checked=True)
        return _Listing(record, made_at, entry, self._catalog.index.prepare(entry))

    def _record_or_new(self, path: str, session_id: str) -> Record:
        record = self._record(path, session_id)
        if record is None:
            # So far only the index knows the name; a lost index must not cost it.
            record = Record(self._catalog.find(session_id).session)
            self.write_record(path, record)
        return record

    def _record(self, path: str, session_id: str) -> Record | None:
        """What ``session.json`` says, read again only when it was written again."""
        status = disk.status(f"{path}/{SESSION}")
        if status is None:
            return None
        look = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._records.get(session_id)
        if known is None or known[0] != look:
            record = folder.read_record(path, session_id)
            if record is None:
                return None
            known = self._records[session_id] = (look, record)
        return known[1]

    def _writer(self, session_id: str, path: str) -> MessageWriter:
        writer = self._writers.get(session_id)
        if writer is None:
            # Before anything is written: a folder without a record may be no session.
            self._record_or_new(path, session_id)
            writer = MessageWriter(f"{path}/{MESSAGES}", self._notices)
            listed = self._catalog.index.find(session_id)
            if listed is not None and listed.checked:
                writer.expect(listed.size, listed.mtime_ns, listed.session.message_count)
            self._writers[session_id] = writer
        if self._last is not writer:
            # One file stays open, however many sessions are written.
            if self._last is not None:
                self._last.close()
            self._last = writer
        return writer

    def _follow_up(self, path: str, record: Record, session: Session, made_at: datetime) -> None:
        """What ``session.json`` should say after a message; rarely anything new.

        A head that was set is over by itself once there is a newer message, and a time
        that the clock has fallen behind stands in the index too, so that a failure here
        is no failure to save.
        """
        outdated = made_at < session.updated_at > record.session.updated_at
        if record.session.head is None and not outdated:
            return
        updated_at = session.updated_at if outdated else record.session.updated_at
        kept = record.session._replace(head=None, updated_at=updated_at)
        try:
            disk.replace(f"{path}/{SESSION}", folder.record_bytes(Record(kept)))
        except (OSError, json_records.UnwritableError) as error:
            self._notices.once(f"{path}/{SESSION} could not be written: {reason(error)}.")
