"""Bringing the search index up to date: which files changed, and reading what is new."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping

from agno_shell.builtin.json_storage import disk, index, search_reader
from agno_shell.builtin.json_storage.folder import MESSAGES, is_session_id
from agno_shell.builtin.json_storage.problems import reason
from agno_shell.builtin.json_storage.search_index import UNFINISHED, File, FileState, SearchIndex
from agno_shell.builtin.json_storage.search_reader import OtherLayoutError

_TURN = 1.0
"""Seconds after which another shell may write, and a killed one has lost no more work."""
_PAUSE = 0.01
_ID_LENGTH = 36
_MOMENT = 1.0
"""Seconds."""
_TICK_NS = 100_000_000
_FEW = 1000
"""So many dead messages are no reason to make a new index."""
_UNSEEN = FileState(-2, -2, -2)
"""Of a file that cannot even be looked at."""

Looks = Mapping[str, FileState]
"""How the message file of each session looks."""
Changed = Mapping[str, FileState | None]
"""How those that changed look; None: they are gone."""


def looks(root: str, only: str | None = None) -> dict[str, FileState]:
    """How the message files look now; sessions without one are left out."""
    found: dict[str, FileState] = {}
    names = disk.names(root) if only is None else [only]
    names = [name for name in names if len(name) == _ID_LENGTH and is_session_id(name)]
    if not names:
        return found
    # A path that is looked up from an open folder costs less than one from the root.
    folder = os.open(root, os.O_RDONLY) if os.stat in os.supports_dir_fd else None
    try:
        before = "" if folder is not None else f"{root}/"
        for name in names:
            try:
                status = os.stat(f"{before}{name}/{MESSAGES}", dir_fd=folder, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                found[name] = _UNSEEN
            else:
                found[name] = FileState(status.st_ino, status.st_size, status.st_mtime_ns)
    finally:
        if folder is not None:
            os.close(folder)
    return found


class ChangeDetector:
    """Spares looking at every file when that was done a moment ago.

    The list of sessions changes with everything that a shell saves, and the folder with all that is
    deleted or restored. What another program writes is seen when the moment is over.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._signs: tuple[tuple[int, int, int] | None, ...] | None = None
        self._until = 0.0

    def nothing_new(self) -> bool:
        """Whether nothing has changed since the last call that returned False."""
        statuses = [disk.status(path) for path in (self._root, f"{self._root}/{index.NAME}")]
        signs = tuple(
            (each.st_ino, each.st_size, each.st_mtime_ns) if each else None for each in statuses
        )
        now = time.monotonic()
        if signs == self._signs and now < self._until:
            return True
        # A second change in the same tick of the file system's clock would not show.
        changed_at = max(each.st_mtime_ns if each else 0 for each in statuses)
        self._signs = signs if time.time_ns() - changed_at > _TICK_NS else None
        self._until = now + _MOMENT
        return False

    def forget(self) -> None:
        """Look the next time in any case."""
        self._signs = None


class Updater:
    """Reads message files into ``index``.

    ``check`` is called now and then and may raise to stop; ``tell`` says a line to the
    user.
    """

    def __init__(
        self,
        root: str,
        index: SearchIndex,
        check: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._root = root
        self._index = index
        self._check = check
        self._tell = tell
        self._version = -1
        self.alive: dict[str, File] = {}
        """What the index holds of each session, as of the last :meth:`refresh`."""
        self._dead: dict[str, list[File]] = {}
        """What it holds of earlier states, by session."""

    # What is known -----------------------------------------------------------------------

    def refresh(self) -> bool:
        """Learn what other shells have done to the index; false if it is nothing."""
        version = self._index.version()
        if version == self._version:
            return False
        self._version = version
        self.alive, self._dead = {}, {}
        for file in self._index.files():
            if file.alive:
                self.alive[file.session_id] = file
            else:
                self._dead.setdefault(file.session_id, []).append(file)
        return True

    @property
    def some_dead(self) -> bool:
        """Whether the index holds messages that are not to be found."""
        return bool(self._dead)

    def changed(self, found: Looks, only: str | None = None) -> Changed:
        """The sessions of which the index does not hold what is there."""
        alive = self.alive
        changed: dict[str, FileState | None] = {
            session_id: look
            for session_id, look in found.items()
            if session_id not in alive or alive[session_id].look != look
        }
        for session_id in alive.keys() - found.keys() if only is None else {only} - found.keys():
            if session_id in alive:
                changed[session_id] = None
        return changed

    # Changing it -------------------------------------------------------------------------

    def update(self, changed: Changed) -> None:
        """Read these sessions, in turns with other shells that do the same."""
        self._work_off(changed)
        dead = sum(file.messages for files in self._dead.values() for file in files)
        if dead > max(_FEW, sum(file.messages for file in self.alive.values())):
            # More of the index is dead than alive: a new one is made.
            self._index.write(self._index.empty, self._check)
            self._version = -1
            self.refresh()
            self._work_off(looks(self._root))

    def distrust(self, session_id: str) -> None:
        """What the index holds of a session is not what is there, though its file looks the
        same: never take it for true again."""

        def work() -> None:
            self.refresh()
            file = self.alive.get(session_id)
            if file is not None:
                self._end(file._replace(look=UNFINISHED))

        self._index.write(work, self._check)

    def _work_off(self, changed: Changed) -> None:
        for left in self.turns(changed, _TURN):
            if left:
                time.sleep(_PAUSE)

    def turns(self, changed: Changed, seconds: float) -> Iterator[int]:
        """Read these sessions, each turn for so many seconds; yields how many are left. What
        another shell has read meanwhile is not read again, and between two turns anybody may
        write; stopping here loses nothing of what was read."""
        # Rows are added quickest in the order of their generations.
        waiting = sorted(changed, key=self._generation)

        def turn() -> None:
            deadline = time.monotonic() + seconds
            self.refresh()
            # One in any case: on a busy machine the time may be over before anything is read.
            while waiting and self._read(waiting[0], changed[waiting[0]], deadline):
                del waiting[0]
                if time.monotonic() >= deadline:
                    break

        while waiting:
            try:
                self._index.write(turn, self._check)
            except BaseException:
                self._version = -1  # what was rolled back is not known
                raise
            yield len(waiting)

    def _generation(self, session_id: str) -> tuple[int, str]:
        file = self.alive.get(session_id)
        return (file.generation if file else 1 << 62), session_id

    def _read(self, session_id: str, look: FileState | None, deadline: float) -> bool:
        """Read a session's messages, or some of them if time runs out: false then."""
        file = self.alive.get(session_id)
        if look is None:
            if file is not None:
                self._end(file)
            return True
        if file is not None and file.look == look:
            return True  # another shell was faster
        if file is not None and not _goes_on(file, look):
            self._end(file)
            file = None
        file = file or self._revived(session_id, look)
        if file is not None and file.look == look:
            return True
        path = f"{self._root}/{session_id}"
        try:
            disk.require_folder(path)
            return self._read_lines(file, session_id, f"{path}/{MESSAGES}", deadline)
        except (FileNotFoundError, NotADirectoryError):
            return True  # deleted in this moment; the next search sees that
        except OSError as error:
            self._tell(f"Session {session_id} was not searched: {path}: {reason(error)}.")
            file = self.alive.get(session_id) or self._begin(session_id, "unreadable")
            self._keep(file._replace(form="unreadable", look=look))
            return True

    def _read_lines(self, file: File | None, session_id: str, path: str, deadline: float) -> bool:
        for attempt in (file, None) if file else (None,):
            reading = attempt or self.alive.get(session_id) or self._begin(session_id, "lines")
            try:
                for batch in search_reader.lines(
                    path, reading.generation, reading.indexed, reading.ending
                ):
                    self._check()
                    self._index.add(reading.generation, batch)
                    reading = reading._replace(
                        look=batch.look or UNFINISHED,
                        indexed=batch.end,
                        ending=batch.ending,
                        messages=reading.messages + batch.messages,
                    )
                    if batch.look is None and time.monotonic() > deadline:
                        break
            except OtherLayoutError:
                if reading.messages:
                    self._end(self.alive[session_id]._replace(messages=reading.messages))
            else:
                self._keep(reading)
                return reading.look != UNFINISHED
        # Nothing dead is left behind by files that are all in another layout.
        reading = self.alive.get(session_id) or self._begin(session_id, "lines")
        reading = reading._replace(form="whole")
        batch = search_reader.whole(path, reading.generation)
        self._index.add(reading.generation, batch)
        self._keep(reading._replace(look=batch.look or UNFINISHED, messages=batch.messages))
        return True

    # Records -----------------------------------------------------------------------------

    def _begin(self, session_id: str, form: str) -> File:
        file = self._index.begin_file(session_id, form)
        self.alive[session_id] = file
        return file

    def _keep(self, file: File) -> None:
        self._index.save_file(file)
        self.alive[file.session_id] = file

    def _end(self, file: File) -> None:
        """Its messages are not found any more."""
        self._index.save_file(file._replace(alive=False))
        self._dead.setdefault(file.session_id, []).append(file._replace(alive=False))
        del self.alive[file.session_id]

    def _revived(self, session_id: str, look: FileState) -> File | None:
        """What was read of this very file before the session went to the trash."""
        files = self._dead.get(session_id, [])
        for file in files:
            if file.look == look:
                files.remove(file)
                if not files:
                    del self._dead[session_id]
                self._keep(file._replace(alive=True))
                return file
        return None


def _goes_on(file: File, look: FileState) -> bool:
    """Whether a file may be what was read and more. Where it is not, its bytes tell."""
    if file.form != "lines" or file.indexed == 0:
        return False
    return file.look == UNFINISHED or (file.look.inode == look.inode and look.size > file.look.size)
