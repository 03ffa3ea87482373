"""The file ``sessions.json``. Losing it costs nothing but the time to rebuild it.

Reading takes no lock. Writing takes the index lock; what a message changes is patched
in place without a sync, everything else replaces the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from agno_shell.builtin.json_storage import disk, index_format
from agno_shell.builtin.json_storage.index_format import Contents, Entry
from agno_shell.types import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agno_shell.builtin.json_storage.index_patch import Patch, Patches

NAME = "sessions.json"

Change = Callable[[dict[str, bytes], str | None], str | None]
"""Changes the lines by session id, and returns the current session's id."""


class Index:
    """One ``sessions.json``.

    ``lock`` gives the index lock; ``truth`` reads all sessions from their folders;
    ``lay_anew`` replaces a file in another layout, given its bytes and the new ones.
    """

    def __init__(
        self,
        root: str,
        lock: Callable[[], AbstractContextManager[None]],
        truth: Callable[[], Contents],
        lay_anew: Callable[[bytes, bytes], None],
    ) -> None:
        self._root = root
        self._path = f"{root}/{NAME}"
        self._lock = lock
        self._truth = truth
        self._lay_anew = lay_anew
        self._opened_patches: Patches | None = None
        self._damaged = False

    # Reading -----------------------------------------------------------------------------

    def read(self) -> Contents | None:
        """All that the file says; None if it is missing or damaged."""
        data = self._bytes()
        contents = index_format.read(data)
        if contents is None and data:
            # Another shell may be writing over the end of a line.
            data = self._bytes()
            contents = index_format.read(data)
        self._damaged = contents is None and bool(data)
        return contents

    def find(self, session_id: str) -> Entry | None:
        """What the file says of one session, without decoding the others."""
        data = self._bytes()
        if index_format.is_ours(data):
            place = index_format.find_line(data, session_id)
            entry = index_format.read_line(data[place[0] : sum(place)]) if place else None
            if entry is not None:
                return entry
        contents = index_format.read(data)
        # From the end: of two lines with the same id the later counts, as in a list of all.
        listed = reversed(contents.entries) if contents else iter(())
        return next((each for each in listed if each.session.session_id == session_id), None)

    def current(self) -> str | None:
        """The current session's id, whether or not it still exists."""
        data = self._bytes()
        if index_format.is_ours(data):
            return index_format.read_heading(data)
        contents = index_format.read(data)
        return contents.current if contents else None

    def last_current(self) -> str | None:
        """The current session's id out of a damaged file, as far as it can be seen."""
        return index_format.read_heading(self._bytes())

    def _bytes(self) -> bytes:
        try:
            return disk.read(self._path)
        except OSError:
            # Missing, a folder, a link, no permission: the folders tell the same.
            return b""

    # Writing -----------------------------------------------------------------------------

    def prepare(self, entry: Entry) -> Patch | None:
        """What of :meth:`put` can be done before and without the lock."""
        return None if self._damaged else self._patches.prepare(entry)

    def put(self, entry: Entry, patch: Patch | None = None) -> Entry:
        """Write one session's line; its ``updated_at`` never goes back. Returns what was
        written. ``patch`` is what was prepared for the same entry."""
        with self._lock():
            if patch is None or not self._patches.write(patch):
                patch = self.prepare(entry)
                if patch is None or not self._patches.write(patch):
                    return self._put_anew(entry)
            self._patches.rest()
        return patch.entry

    def _put_anew(self, entry: Entry) -> Entry:
        session_id = entry.session.session_id

        def change(lines: dict[str, bytes], current: str | None) -> str | None:
            nonlocal entry
            old = index_format.read_line(lines[session_id]) if session_id in lines else None
            entry = index_format.not_back(entry, old.session.updated_at if old else None)
            lines[session_id] = index_format.line(entry)
            return current

        self._rewrite(change)
        return entry

    def remove(self, session_id: str, current: str | None) -> None:
        """Take a session out; ``current`` is the current one then, unless there is another.
        A damaged list no longer says which one that was, once its folder is gone."""

        def change(lines: dict[str, bytes], before: str | None) -> str | None:
            lines.pop(session_id, None)
            return current if before in (session_id, None) else before

        with self._lock():
            self._rewrite(change)

    def correct(
        self, session_ids: Iterable[str], survey: Callable[[str, Session | None], Entry | None]
    ) -> None:
        """Write these sessions' lines as ``survey`` finds their folders, given what the line
        says; a file that is missing, damaged or in another layout is written as a whole."""

        def change(lines: dict[str, bytes], current: str | None) -> str | None:
            for session_id in session_ids:
                listed = index_format.read_line(lines.pop(session_id, b""))
                before = listed.session if listed else None
                try:
                    entry = survey(session_id, before) or listed
                except OSError:
                    entry = listed  # a damaged session costs only itself
                if entry is not None:
                    entry = index_format.not_back(entry, before.updated_at if before else None)
                    lines[session_id] = index_format.line(entry)
            return current

        with self._lock():
            self.read()
            self._rewrite(change)

    def doubt(self, session_id: str) -> None:
        """Have a session looked up in its folder until :meth:`put` says how it is: whoever
        changes the folder may be killed, or find the disk full, in between."""
        with self._lock():
            data = self._bytes()
            place = index_format.find_line(data, session_id) if index_format.is_ours(data) else None
            line = data[place[0] : sum(place)] if place else b""
            entry = index_format.read_line(line)
            if place is None or entry is None or not line.endswith(index_format.tail(entry)):
                return
            fd = disk.open_to_write(self._path)
            try:
                tail = index_format.tail(Entry(entry.session))
                disk.write_at(fd, sum(place) - len(tail), tail)
            finally:
                disk.close(fd)

    def set_current(self, session_id: str | None) -> None:
        """Name the current session, in place where the layout allows it."""
        with self._lock():
            data = self._bytes()
            if index_format.is_ours(data) and not self._damaged:
                fd = disk.open_to_write(self._path)
                try:
                    disk.write_at(fd, 0, index_format.heading(session_id))
                finally:
                    disk.close(fd)
            else:
                self._rewrite(lambda _lines, _current: session_id)

    def close(self) -> None:
        """Keep nothing open."""
        if self._opened_patches is not None:
            self._opened_patches.close()

    @property
    def _patches(self) -> Patches:
        # Imported late: reading the list does without it.
        if self._opened_patches is None:
            from agno_shell.builtin.json_storage.index_patch import Patches

            self._opened_patches = Patches(self._path)
        return self._opened_patches

    def _rewrite(self, change: Change) -> None:
        self._patches.rest()
        try:
            # Unlike reading, this fails where there is something that cannot be read: an
            # index in the old layout may hold names that stand nowhere else.
            data = disk.read(self._path)
        except FileNotFoundError:
            data = b""
        lines = None if self._damaged else index_format.lines(data)
        current = index_format.read_heading(data)
        foreign = lines is None and bool(data)
        if lines is None:
            truth = self._truth()
            current = truth.current
            lines = {each.session.session_id: index_format.line(each) for each in truth.entries}
        current = change(lines, current)
        # Sessions whose folders were deleted by hand go with the next whole writing.
        present = set(disk.names(self._root))
        lines = {ident: line for ident, line in lines.items() if ident in present}
        current = current if current in present else None
        whole = index_format.whole(current, lines.values())
        if foreign:
            self._lay_anew(data, whole)
        else:
            disk.replace(self._path, whole)
        self._damaged = False
