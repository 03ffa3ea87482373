"""Writing into one session: its messages, its ``session.json``, its line in the index.

The caller holds the session's lock. The order is always the same: first the messages
or the record, which are the truth, then the index, which is a cache.

An append overwrites the closing bracket of ``messages.json`` in place, syncs, and only then is
the message saved. What else is to be done for it is done while the disk is already busy. If a
write fails, the file is put back as it was. If putting it back or syncing fails, the file is
suspect: after a failed sync the kernel may have dropped the data and a second sync would
report success, so the inode is never synced again and the next append writes everything
to a new file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, folder, layout, message_reader, repair
from agno_shell.builtin.json_storage.folder import MESSAGES, SESSION, Entry, SessionRecord
from agno_shell.builtin.json_storage.index_line import Patch
from agno_shell.builtin.json_storage.problems import Notices, reason
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import ROOT, Message, Session, now

# The file of messages --------------------------------------------------------------------


class State(NamedTuple):
    """A message file in our layout, as it was at the last look."""

    inode: int
    size: int
    mtime_ns: int
    messages: int

    @property
    def is_empty(self) -> bool:
        """By the size: the count may come from the index, which is only a cache."""
        return self.size == len(layout.EMPTY)


Meanwhile = Callable[[State], None]
"""Called with the state in which a file is left."""


def _nothing(_state: State) -> None:
    pass


def addition(line: bytes, *, first: bool) -> bytes:
    """What an append puts in the place of :data:`.layout.CLOSING`."""
    return (b"" if first else b",") + line + layout.TAIL


class MessageWriter:
    """Appends to the file at ``path`` and remembers how it left it."""

    def __init__(self, path: str, notice: Callable[[str], None]) -> None:
        self._path = path
        self._file = disk.FileHandle(path)
        self._notice = notice
        self._state: State | None = None
        self._suspect = False
        self._torn = False

    def expect(self, size: int, mtime_ns: int, messages: int) -> None:
        """Take the count of a file with this look from the index, so that the first
        append need not read it."""
        if self._state is None and size >= 0:
            self._state = State(-1, size, mtime_ns, messages)

    @property
    def is_open(self) -> bool:
        """Whether the file stays open for the next append."""
        return self._file.fd >= 0 and not self._suspect

    def close(self) -> None:
        """Keep nothing open; the next append opens the file again."""
        self._file.close()

    def append(self, message: Message, meanwhile: Meanwhile = _nothing) -> State:
        """Add a message durably; ``meanwhile`` is called before it is durable, perhaps twice,
        and must not tell anybody that it is. Raises ``OSError`` when it is not saved;
        ``ValueError``, ``TypeError`` or ``RecursionError`` when it cannot be written as JSON."""
        line = json_records.message_line(message)
        try:
            before = self._before()
            state = None
            if before is not None:
                state = self._append_in_place(before, line, meanwhile)
        finally:
            self._file.rest()
        if state is not None:
            return state
        state = self._write_anew([(message.id, line)])
        try:
            meanwhile(state)
        except BaseException:
            self._suspect = True  # so that trying again finds it there, and does not double it
            raise
        return state

    def mend(self) -> None:
        """Replace a file that is torn by what can be read of it; the torn one is kept
        beside it. Raises ``OSError``."""
        if not self._suspect and message_reader.is_torn(self._path):
            self._write_anew([])

    # In place ----------------------------------------------------------------------------

    def _append_in_place(self, before: State, line: bytes, meanwhile: Meanwhile) -> State | None:
        """None: another program, which takes no lock, has put a file in the place of this
        one meanwhile, and what was written is in neither."""
        fd = self._file.fd
        end = before.size - len(layout.CLOSING)
        data = addition(line, first=before.is_empty)
        try:
            disk.write_at(fd, end, data)
            disk.begin_sync(fd, end, len(data))
            status = disk.status_of(fd)
            state = State(status.st_ino, status.st_size, status.st_mtime_ns, before.messages + 1)
            meanwhile(state)
        except BaseException:
            self._put_back(fd, end)
            raise
        try:
            disk.sync(fd)
            is_there = self._file.look() is not None
        except BaseException:
            self._suspect = True
            self._put_back(fd, end)
            raise
        if not is_there:
            return None
        self._state = state
        return state

    def _before(self) -> State | None:
        """The file as it is now, and open; None if it must be written as a whole."""
        if self._suspect:
            return None
        status = self._file.look()
        if status is None:
            try:
                disk.require_folder(os.path.dirname(self._path))
                status = self._file.open()
            except FileNotFoundError:
                return None
        return self._look(status)

    def _put_back(self, fd: int, end: int) -> None:
        try:
            disk.write_at(fd, end, layout.CLOSING)
            disk.truncate(fd, end + len(layout.CLOSING))
        except BaseException:
            self._suspect = self._torn = True
            # The error that is on its way says why nothing was saved.

    def _look(self, status: os.stat_result) -> State | None:
        """The same, given what ``fstat`` says."""
        fd = self._file.fd
        tail = disk.read_at(fd, max(0, status.st_size - len(layout.TAIL)), len(layout.TAIL))
        if tail != layout.TAIL or status.st_nlink == 0:
            return None
        known = self._state
        if known is not None and known.inode in (-1, status.st_ino):
            if (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
                return known
            if known.inode == status.st_ino and known.size < status.st_size:
                added = self._added(fd, known, status.st_size)
                if added is not None:
                    return self._remember(fd, known.messages + added)
        sound = message_reader.count_sound(self._path)
        return None if sound is None else self._remember(fd, sound)

    def _added(self, fd: int, known: State, size: int) -> int | None:
        """How many messages other shells have appended since the last look."""
        end = known.size - len(layout.CLOSING)
        data = disk.read_at(fd, end, size - end)
        number = layout.count_added(data, first=known.is_empty)
        opening = b"[\n" + data.removeprefix(b",")
        return number if number and layout.read(opening).form == "ours" else None

    def _remember(self, fd: int, messages: int) -> State:
        status = disk.status_of(fd)
        self._state = State(status.st_ino, status.st_size, status.st_mtime_ns, messages)
        return self._state

    def _write_anew(self, new: list[tuple[str, bytes]]) -> State:
        """Write every message that can be read, and the new ones, each an id and its line, to
        a fresh file."""
        loaded = message_reader.load(self._path)
        lines = repair.message_lines(loaded, new)
        self._suspect = True  # until all of what follows has succeeded
        repair.replace_messages(self._path, loaded, lines, self._notice, torn=self._torn)
        self._suspect = self._torn = False
        fd = disk.open_to_read(self._path)
        try:
            return self._remember(fd, len(lines))
        finally:
            disk.close(fd)


# The session -----------------------------------------------------------------------------


class _Listing(NamedTuple):
    """What the index is to say of a session."""

    record: SessionRecord
    made_at: datetime
    entry: Entry
    patch: Patch | None


class SessionWriter:
    """Writes into the sessions of one store; raises ``OSError`` when it cannot."""

    def __init__(self, root: str, catalog: SessionCatalog, notices: Notices) -> None:
        self._root = root
        self._catalog = catalog
        self._notices = notices
        self._writers: dict[str, MessageWriter] = {}
        self._records: dict[str, tuple[tuple[int, int, int], SessionRecord]] = {}
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
        """Repair messages that a power cut has torn."""
        self._writer(session_id, f"{self._root}/{session_id}").mend()

    def change(self, session_id: str, **changes: object) -> Session:
        """Write a changed record; ``updated_at`` becomes now."""
        path = self._catalog.folder(session_id)
        entry = self._catalog.find(session_id)
        session = entry.session._replace(**changes)  # type: ignore[arg-type] # by the caller
        session = session._replace(updated_at=max(now(), entry.session.updated_at))
        self._catalog.index.doubt(session_id)
        repair.replace_record(path, self.record_of(path, session), self._notices)
        return self.list(entry._replace(session=session)).session

    def record_of(self, path: str, session: Session) -> SessionRecord:
        """What ``session.json`` is to say of a session as it is now."""
        if session.head is None:
            return SessionRecord(session)
        return SessionRecord(session, message_reader.newest_id(f"{path}/{MESSAGES}") or ROOT)

    def complete_record(self, path: str, session: Session) -> None:
        """Write down what only the index knows of a session that leaves it."""
        known = folder.read_record(path, session.session_id)
        if known is not None and known.session.updated_at == session.updated_at:
            return
        try:
            repair.replace_record(path, self.record_of(path, session), self._notices)
        except OSError:
            if known is None:
                raise
            # Only the time of the last change is lost: a full disk must not keep
            # a user from deleting.

    def list(self, entry: Entry, patch: Patch | None = None) -> Entry:
        """Write an entry into the index. What the index lacks is found again in the
        folders, so that a failure here is no failure to save."""
        try:
            return self._catalog.index.put(entry, patch)
        except (OSError, StorageError, json_records.UnwritableError) as error:
            self._tell_index(error)
            return entry

    def unlist(self, session_id: str, current: str | None) -> None:
        """Take a session out of the index; ``current`` is the current one then, unless there
        is another."""
        try:
            self._catalog.index.remove(session_id, current)
        except (OSError, StorageError, json_records.UnwritableError) as error:
            self._tell_index(error)

    def _tell_index(self, error: Exception) -> None:
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

    def _record_or_new(self, path: str, session_id: str) -> SessionRecord:
        record = self._record(path, session_id)
        if record is None:
            # So far only the index knows the name; a lost index must not cost it.
            record = SessionRecord(self._catalog.find(session_id).session)
            repair.replace_record(path, record, self._notices)
        return record

    def _record(self, path: str, session_id: str) -> SessionRecord | None:
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

    def _follow_up(
        self, path: str, record: SessionRecord, session: Session, made_at: datetime
    ) -> None:
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
            disk.replace(f"{path}/{SESSION}", folder.record_bytes(SessionRecord(kept)))
        except (OSError, json_records.UnwritableError) as error:
            self._notices.once(f"{path}/{SESSION} could not be written: {reason(error)}.")
