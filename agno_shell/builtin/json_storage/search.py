"""Searching the stored messages: the index where it can be kept, and what to do if not."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import blake2b
from threading import Event, Lock
from typing import NamedTuple

from agno_shell.builtin.json_storage import disk, search_update
from agno_shell.builtin.json_storage.problems import Notices, reason
from agno_shell.builtin.json_storage.search_hits import Hits
from agno_shell.builtin.json_storage.search_index import (
    VERSION,
    MessagePosition,
    SearchIndex,
    error_code,
    is_busy,
)
from agno_shell.builtin.json_storage.search_update import Changed, ChangeDetector, Updater
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.contracts.storage import Progress
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.toolkit.full_text import Query, parse
from agno_shell.types import Role, SearchHit

IN_MEMORY = ":memory:"
_TRIES = 3
_MOST_HITS = 1 << 40
"""What SQLite can count, with room to ask for more."""
_MUCH = 64 << 20
"""Bytes of new messages from which on the user is shown why it takes some seconds."""
_END_PATIENCE = 5.0
_STEP = 0.1
"""Seconds of preparing after which somebody else may use the storage."""
_UNUSABLE = frozenset(
    (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
)
"""What a new file in the same folder would not repair."""


class Search:
    """Searches the sessions below ``root``. ``cache_path`` is a folder for the index, or
    empty: it is kept in memory then. One thread uses it at a time, except for :meth:`close`."""

    def __init__(
        self, root: str, cache_path: str, catalog: SessionCatalog, notices: Notices
    ) -> None:
        self._root = root
        self._cache_path = cache_path
        self._catalog = catalog
        self._notices = notices
        self._index: SearchIndex | None = None
        self._updater: Updater | None = None
        self._watch = ChangeDetector(root)
        self._in_memory = not cache_path
        self._ending = Event()
        self._working = Lock()

    def find(
        self,
        text: str,
        *,
        session_id: str | None = None,
        role: Role | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> list[SearchHit]:
        """As :meth:`agno_shell.contracts.Storage.search`; raises also ``OSError``."""
        if session_id is not None:
            self._catalog.folder(session_id)  # raises where there is none
        query = parse(text)
        if not query or limit < 1:
            return []
        search = _Request(query, session_id, role, since, min(limit, _MOST_HITS))
        with self._working:
            for attempt in range(_TRIES):
                try:
                    return self._find(search)
                except sqlite3.Error as error:
                    self._recover(error, first=attempt == 0)
        raise StorageError("The search index could not be made.")

    def prepare(self) -> Iterator[Progress]:
        """As :meth:`agno_shell.contracts.Storage.prepare_search`; raises also ``OSError``. What
        goes wrong with the index is left to the search, which knows what to do then."""
        turns: Iterator[int] | None = None
        total = left = 0
        try:
            while turns is None or left:
                with self._working:
                    self._check()
                    if turns is None:
                        changed = self._to_prepare()
                        total = left = len(changed)
                        turns = self._opened()[1].turns(changed, _STEP)
                    else:
                        left = next(turns)
                if total:
                    yield Progress(total - left, total)
        except sqlite3.Error:
            self._watch.forget()

    def _to_prepare(self) -> Changed:
        """What the index does not know; a search that comes before it does looks again."""
        _index, updater = self._opened()
        if updater.refresh():
            self._watch.forget()
        changed = self._changed(None)
        if changed:
            self._watch.forget()
        return changed

    def close(self) -> None:
        """Stop what another thread may be doing here, and let go of the index."""
        self._ending.set()
        deadline = time.monotonic() + _END_PATIENCE
        while not self._working.acquire(timeout=0.02):
            # Again and again: the next statement does not know of the last interruption.
            index = self._index
            if index is not None:
                index.interrupt()
            if time.monotonic() > deadline:
                return
        self._let_go()
        self._working.release()

    # One search --------------------------------------------------------------------------

    def _find(self, search: _Request) -> list[SearchHit]:
        _index, updater = self._opened()
        if updater.refresh():
            self._watch.forget()
        changed = self._changed(search.session_id)
        if changed:
            self._update(changed)
        for _ in range(_TRIES):
            hits = self._hits(search)
            if not hits.stale:
                break
            self._read_again(hits.stale)
        return hits.found

    def _hits(self, search: _Request) -> Hits:
        _index, updater = self._opened()
        hits = Hits(self._root, self._catalog, search.query, search.since)
        files = {file.generation: file for file in updater.alive.values()}
        limit, done = search.limit, 0
        try:
            while True:
                places = self._places(search, limit)
                hits.add(places[done:], files, search.limit)
                if len(hits.found) >= search.limit or len(places) < limit:
                    return hits
                # Some were too old, or are not there any more.
                self._check()
                done, limit = len(places), limit * 8
        finally:
            hits.close()

    def _places(self, search: _Request, limit: int) -> list[MessagePosition]:
        index, updater = self._opened()
        generation = None
        if search.session_id is not None:
            if search.session_id not in updater.alive:
                return []
            generation = updater.alive[search.session_id].generation
        return index.find(
            search.query,
            limit,
            generation=generation,
            role=search.role,
            since=json_records.stamp(search.since) if search.since else None,
            some_dead=updater.some_dead,
        )

    # The index ---------------------------------------------------------------------------

    def _changed(self, only: str | None) -> Changed:
        """What the index does not know yet."""
        _index, updater = self._opened()
        if only is None and self._watch.nothing_new():
            return {}
        try:
            return updater.changed(search_update.looks(self._root, only), only)
        except OSError:
            self._watch.forget()
            raise

    def _update(self, changed: Changed) -> None:
        _index, updater = self._opened()
        size = sum(look.size for look in changed.values() if look is not None)
        size -= sum(updater.alive[each].indexed for each in changed if each in updater.alive)
        if size > _MUCH:
            self._notices.once(
                f"Reading {size >> 20:,} MB of messages for the search index; "
                "the next search reads only what is new."
            )
        with self._while_others_write():
            updater.update(changed)

    def _read_again(self, session_ids: set[str]) -> None:
        """The index does not say what is there, and nothing has shown it before."""
        _index, updater = self._opened()
        for session_id in session_ids:
            with self._while_others_write():
                updater.distrust(session_id)
            self._update(updater.changed(search_update.looks(self._root, session_id), session_id))

    @contextmanager
    def _while_others_write(self) -> Iterator[None]:
        """What another shell does not let us write is left for the next search."""
        _index, updater = self._opened()
        try:
            yield
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            self._watch.forget()
            updater.refresh()
            self._notices.once(
                "The search index is being written by another shell: the last messages may "
                "not be found yet."
            )

    def _opened(self) -> tuple[SearchIndex, Updater]:
        if self._index is None or self._updater is None:
            self._check()
            path = IN_MEMORY
            if not self._in_memory:
                try:
                    path = self._place()
                except OSError as error:
                    self._go_to_memory(reason(error))
            self._index = SearchIndex(path)
            self._updater = Updater(self._root, self._index, self._check, self._notices.once)
        return self._index, self._updater

    def _place(self) -> str:
        """The path of the index, where there is a regular file, perhaps an empty one."""
        folder = f"{self._cache_path}/search"
        disk.make_folders(self._cache_path)
        disk.ensure_folder(folder)
        path = f"{folder}/{_file_name(self._root)}"
        try:
            disk.close(disk.open_to_read(path))
        except FileNotFoundError:
            # SQLite would let the umask decide who may read it.
            disk.close(disk.open_lock(path))
            self._remove_earlier(folder)
        return path

    def _remove_earlier(self, folder: str) -> None:
        """The index that an earlier version of the program has made is of no use any more."""
        earlier = [_file_name(self._root, version) for version in range(1, VERSION)]
        with suppress(OSError):
            for name in disk.names(folder):
                if name.removesuffix("-wal").removesuffix("-shm") in earlier:
                    disk.remove(f"{folder}/{name}")

    def _recover(self, error: sqlite3.Error, *, first: bool) -> None:
        """Go on after the database has failed: with a new file, else without one."""
        self._check()
        self._let_go()
        if self._in_memory:
            raise StorageError(f"The search failed: {error}.") from error
        if first and error_code(error) not in _UNUSABLE and not is_busy(error):
            try:
                path = f"{self._cache_path}/search/{_file_name(self._root)}"
                for each in (path, f"{path}-wal", f"{path}-shm"):
                    if disk.status(each) is not None:
                        disk.remove(each)
            except OSError as failure:
                self._go_to_memory(reason(failure))
            return
        self._go_to_memory(str(error))

    def _go_to_memory(self, why: str) -> None:
        self._in_memory = True
        self._notices.once(
            f"The search index cannot be kept in {self._cache_path}/search: {why}. "
            "It is made again each time until that is repaired."
        )

    def _let_go(self) -> None:
        if self._index is not None:
            self._index.close()
        self._index = self._updater = None
        self._watch.forget()

    def _check(self) -> None:
        if self._ending.is_set():
            raise StorageError("The search was stopped: the storage is being closed.")


class _Request(NamedTuple):
    """What is looked for."""

    query: Query
    session_id: str | None
    role: Role | None
    since: datetime | None
    limit: int


def _file_name(root: str, version: int = VERSION) -> str:
    """One index for each folder of sessions and each version of the tables."""
    digest = blake2b(os.fsencode(os.path.realpath(root)), digest_size=12).hexdigest()
    return f"{digest}-{version}.sqlite3"
