"""What is put in order in the background, once a shell has started: messages that a power
cut has torn, and what was left undone when another program's list was rewritten.

The first message in such a folder writes its own session and the list, however many sessions
there are. Their messages are counted, and each gets its ``session.json``, here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from agno_shell.builtin.json_storage import disk, folder
from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.contracts.storage import Progress
from agno_shell.errors import StorageError

_SECONDS = 0.1
"""What a step takes, more or less."""
_AT_ONCE = 2_000
"""Sessions that are written into the list together, which other shells wait for."""


class Reconciliation:
    """One pass over the sessions that are not as the list says."""

    def __init__(
        self, root: str, catalog: SessionCatalog, mend: Callable[[str, str], None]
    ) -> None:
        """``mend`` repairs the torn messages of a session, given its folder and
        its id."""
        self._root = root
        self._catalog = catalog
        self._mend = mend
        self._counted: dict[str, Entry] = {}

    def steps(self) -> Iterator[Progress]:
        """Raises ``OSError`` and ``StorageError`` where the list cannot be read or written."""
        changed = self._catalog.changed()
        deadline = time.monotonic() + _SECONDS
        for done, entry in enumerate(changed, 1):
            with suppress(StorageError, OSError):  # it has gone, or opening it says what is wrong
                self._settle(entry)
            if len(self._counted) >= _AT_ONCE or (done == len(changed) and self._counted):
                self._write()
            if time.monotonic() >= deadline:
                yield Progress(done, len(changed))
                deadline = time.monotonic() + _SECONDS

    def _settle(self, entry: Entry) -> None:
        session_id = entry.session.session_id
        path = self._catalog.folder(session_id)
        self._mend(path, session_id)
        # Before the first message, with which the list is rewritten, nothing is written.
        if entry.size != UNKNOWN or not self._catalog.index.is_laid_out():
            return
        found = folder.survey(path, session_id, entry)
        if found is None:
            return
        folder.make_record(path, found.session)
        if found.size != UNKNOWN:
            self._counted[session_id] = found

    def _write(self) -> None:
        self._catalog.index.correct(self._counted, self._as_counted)
        self._counted.clear()

    def _as_counted(self, session_id: str, listed: Entry | None) -> Entry | None:
        """What was counted, unless a message came since."""
        found = self._counted[session_id]
        path = f"{self._root}/{session_id}"
        status = disk.status(f"{path}/{folder.MESSAGES}")
        is_same = (
            status is not None
            and (status.st_size, status.st_mtime_ns) == (found.size, found.mtime_ns)
            and listed is not None
            and listed.size == UNKNOWN
        )
        return found if is_same else folder.survey(path, session_id, listed)
