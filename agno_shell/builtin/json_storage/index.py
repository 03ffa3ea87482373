"""The file ``sessions.json``. Losing it costs nothing but the time to rebuild it.

Reading takes no lock. Writing takes the index lock; what a message changes is patched
in place without a sync, everything else replaces the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from agno_shell.builtin.json_storage import disk, folder, index_format, index_line
from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry, is_session_id
from agno_shell.builtin.json_storage.index_format import Contents, salvage
from agno_shell.builtin.json_storage.index_line import IndexLines
from agno_shell.errors import StorageError

NAME = "sessions.json"
ASIDE = f"{NAME}.before-"
"""The name of a copy of one that was rewritten, without the time."""

Change = Callable[[dict[str, bytes], str | None, bool], str | None]
"""Changes the lines by session id, and returns the current session's id; the last argument:
whether the file is one of local times."""


class Sessions(Protocol):
    """All sessions."""

    def contents(self) -> Contents:
        """As their folders show them."""

    def as_listed(self, listed: Contents) -> Contents:
        """As a list says where it names them, without looking at their messages."""


class Index(IndexLines):
    """One ``sessions.json``.

    ``lock`` gives the index lock; ``truth`` knows all sessions.

    A file of another program's at its place is refused, and never replaced: the user has
    pointed at the wrong folder.
    """

    def __init__(
        self,
        root: str,
        lock: Callable[[], AbstractContextManager[None]],
        truth: Sessions,
        notice: Callable[[str], None],
    ) -> None:
        super().__init__(f"{root}/{NAME}", lock)
        self._root = root
        self._truth = truth
        self._notice = notice
        self._decoded: tuple[bytes, Contents | None] = b"", None
        """The last file in another layout and what it says."""

    # Reading -----------------------------------------------------------------------------

    def read(self) -> Contents | None:
        """All that the file says; None if it is missing or damaged. Raises
        ``StorageError`` for another program's."""
        data = self._bytes()
        contents = self._read(data)
        if contents is None and data:
            # Another shell may be writing over the end of a line.
            data = self._bytes()
            contents = self._read(data)
        self._damaged = contents is None and bool(data)
        if self._damaged:
            self._refuse_anothers(data)
        return contents

    def known(self) -> Contents:
        """All that the file says, and of a damaged one what can be read: a name may stand
        nowhere else. Raises ``StorageError`` for another program's."""
        return self.read() or self.salvaged()

    def salvaged(self) -> Contents:
        """What can be read of a damaged file."""
        return salvage(self._bytes())

    def set_aside(self) -> dict[str, Entry]:
        """What the lists that were rewritten had in them, the latest last: names that may stand
        nowhere else where the list is lost, or damaged, since."""
        entries: dict[str, Entry] = {}
        for name in sorted(disk.names(self._root)):
            if name.startswith(ASIDE):
                with suppress(OSError):
                    data = disk.read(f"{self._root}/{name}")
                    contents = index_format.read(data) or salvage(data)
                    entries |= {
                        each.session.session_id: Entry(each.session) for each in contents.entries
                    }
        return entries

    def is_laid_out(self) -> bool:
        """Whether the file is in this program's layout, which it is from the first message on."""
        try:
            fd = disk.open_to_read(self._path)
        except OSError:
            return False
        try:
            return index_line.begins_as_ours(disk.read_at(fd, 0, index_line.HEADING_WIDTH))
        finally:
            disk.close(fd)

    def began_elsewhere(self) -> bool:
        """Whether this is a folder of agno-cli's, which may use it still."""
        return index_format.is_local(self._bytes())

    def require_own(self) -> None:
        """Raises ``StorageError`` where another program keeps its file."""
        data = self._bytes()
        if not index_line.is_ours(data):
            self._refuse_anothers(data)

    def _find_in_any_layout(self, data: bytes, session_id: str) -> Entry | None:
        contents = self._read(data) or salvage(data)
        # From the end: of two lines with the same id the later counts, as in a list of all.
        listed = reversed(contents.entries)
        return next((each for each in listed if each.session.session_id == session_id), None)

    def current(self) -> str | None:
        """The current session's id, whether or not it still exists. Raises
        ``StorageError`` for another program's file."""
        data = self._bytes()
        if index_line.is_ours(data):
            return index_format.read_heading(data)
        contents = self._read(data)
        if contents is None:
            self._refuse_anothers(data)
            contents = salvage(data)
        return contents.current

    def _read(self, data: bytes) -> Contents | None:
        """All that a file says. One in another layout is decoded as a whole also for a single
        session; it is decoded once."""
        if index_line.is_ours(data):
            return index_format.read(data)
        if self._decoded[0] != data:
            self._decoded = data, index_format.read(data)
        return self._decoded[1]

    def _refuse_anothers(self, data: bytes) -> None:
        if index_format.is_anothers(data) and not self._has_sessions():
            raise StorageError(
                f"{self._path} belongs to another program: it is valid JSON, but not a list of"
                " sessions.",
                hint="Choose another folder with [storage] path. If this one is agno-shell's,"
                " move that file away; the list is rebuilt from the sessions.",
            )

    def _has_sessions(self) -> bool:
        """Whether this has been a folder of ours, even if its list is lost."""
        return any(
            is_session_id(name) and disk.status(f"{self._root}/{name}/{folder.SESSION}")
            for name in disk.names(self._root)
        )

    # Writing -----------------------------------------------------------------------------

    def _put_into_new_file(self, entry: Entry) -> Entry:
        session_id = entry.session.session_id

        def change(lines: dict[str, bytes], current: str | None, local: bool) -> str | None:
            nonlocal entry
            old = index_line.read_line(lines[session_id]) if session_id in lines else None
            before = old.session.updated_at if old else None
            entry = index_line.not_back(entry, before, local=local)
            lines[session_id] = index_line.line(entry, local=local)
            return current

        self._rewrite(change)
        return entry

    def remove(self, session_id: str, current: str | None) -> None:
        """Take a session out; ``current`` is the current one then, unless there is another.
        A damaged list no longer says which one that was, once its folder is gone."""

        def change(lines: dict[str, bytes], before: str | None, _local: bool) -> str | None:
            lines.pop(session_id, None)
            return current if before in (session_id, None) else before

        with self._lock():
            self._rewrite(change)

    def correct(
        self, session_ids: Iterable[str], survey: Callable[[str, Entry | None], Entry | None]
    ) -> None:
        """Write these sessions' lines as ``survey`` finds their folders, given what the line
        says; a file that is missing, damaged or in another layout is written as a whole."""

        def change(lines: dict[str, bytes], current: str | None, local: bool) -> str | None:
            for session_id in session_ids:
                listed = index_line.read_line(lines.pop(session_id, b""))
                try:
                    entry = survey(session_id, listed) or listed
                except OSError:
                    entry = listed  # a damaged session costs only itself
                if entry is not None:
                    written_at = listed.session.updated_at if listed else None
                    entry = index_line.not_back(entry, written_at, local=local)
                    lines[session_id] = index_line.line(entry, local=local)
            return current

        with self._lock():
            self.read()
            self._rewrite(change)

    def doubt(self, session_id: str) -> None:
        """Have a session looked up in its folder until :meth:`put` says how it is: a shell that
        changes the folder may be killed, or find the disk full, in between."""
        with self._lock():
            data = self._bytes()
            place = index_line.find_line(data, session_id) if index_line.is_ours(data) else None
            line = data[place[0] : sum(place)] if place else b""
            entry = index_line.read_line(line)
            local = index_line.is_local_tail(line[-index_line.TAIL_WIDTH :])
            if place is None or entry is None:
                return
            if not line.endswith(index_line.tail(entry, local=local)):
                return
            fd = disk.open_to_write(self._path)
            try:
                tail = index_line.tail(Entry(entry.session), local=local)
                disk.write_at(fd, sum(place) - len(tail), tail)
            finally:
                disk.close(fd)

    def set_current(self, session_id: str | None) -> None:
        """Name the current session; nothing else in the file changes, in any layout,
        for there was no message yet."""
        with self._lock():
            data = self._bytes()
            if index_line.is_ours(data) and not self._damaged:
                fd = disk.open_to_write(self._path)
                try:
                    disk.write_at(fd, 0, index_format.heading(session_id))
                finally:
                    disk.close(fd)
            elif (elsewhere := index_format.with_current(data, session_id)) is not None:
                if elsewhere != data:
                    disk.replace(self._path, elsewhere)
            else:
                self._rewrite(lambda _lines, _current, _local: session_id)

    def _rewrite(self, change: Change) -> None:
        self._file.rest()
        try:
            # Unlike reading, this fails where there is something that cannot be read: an
            # index in the old layout may hold names that stand nowhere else.
            data = disk.read(self._path)
        except FileNotFoundError:
            data = b""
        lines = None if self._damaged else index_format.lines(data)
        current = index_format.read_heading(data)
        local = index_format.is_local(data)
        foreign = lines is None and bool(data)
        if lines is None:
            truth = self._settled(data)
            current = truth.current
            lines = {
                each.session.session_id: index_line.line(each, local=local)
                for each in truth.entries
            }
        current = change(lines, current, local)
        # Sessions whose folders were deleted by hand go with the next whole writing.
        present = set(disk.names(self._root))
        lines = {ident: line for ident, line in lines.items() if ident in present}
        current = current if current in present else None
        whole = index_format.whole(current, lines.values())
        if foreign:
            self._replace_foreign(data, whole)
        else:
            disk.replace(self._path, whole)
        self._damaged, self._decoded = False, (b"", None)

    def _replace_foreign(self, before: bytes, after: bytes) -> None:
        """Replace a file that is damaged or in another layout, which is kept; where two
        programs use a folder in turn, only once: the new one holds all that it held."""
        is_kept = any(name.startswith(ASIDE) for name in disk.names(self._root))
        if is_kept and index_format.says_all(after, before):
            disk.replace(self._path, after)
            return
        from agno_shell.builtin.json_storage.repair import replace_keeping

        copy = replace_keeping(self._path, before, after)
        was = "damaged" if index_format.read(before) is None else "in another layout"
        self._notice(f"{self._path} was {was} and was rewritten; the old file is kept as {copy}.")

    def _settled(self, data: bytes) -> Contents:
        """Every session, for a list that is missing, damaged or in another layout. What a
        sound one says is taken as it stands: a copy of it is kept, and the rest is found out
        when nobody waits. Raises ``StorageError`` for another program's file."""
        if not data:
            return self._truth.contents()
        from agno_shell.builtin.json_storage import trash  # which a list does without

        sound = self._read(data)
        if sound is None:
            self._refuse_anothers(data)
        deleted = trash.sessions_in(self._root)
        present = set(disk.names(self._root))
        # Of two lines with the same id the later counts, as in a list of all.
        listed = {each.session.session_id: each for each in (sound or salvage(data)).entries}
        for session_id, entry in listed.items():
            # A line of ours without a folder is what is left of one deleted by hand.
            if entry.size == UNKNOWN and session_id not in deleted and session_id not in present:
                disk.make_folder(f"{self._root}/{session_id}")
                folder.make_record(f"{self._root}/{session_id}", entry.session)
        return self._truth.as_listed(sound) if sound else self._truth.contents()
