"""One handle's connection: opening the file, transactions, closing from elsewhere.

Where there is no file, reading sees an empty database in memory: nothing is made until
something is saved. Which file is behind the path is looked at before every transaction,
so that one that was replaced or removed is never written into unseen.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from agno_shell import StorageError
from agno_shell.toolkit.file_systems import is_copy_on_write
from agno_shell_sqlite import place, problems, schema
from agno_shell_sqlite.problems import FAILURES

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

_SETTINGS = (
    "PRAGMA synchronous = FULL",  # a commit returns when it is on the disk
    "PRAGMA fullfsync = ON",  # fsync on macOS stops at the drive's cache
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is purged is overwritten
    "PRAGMA temp_store = MEMORY",  # no message is ever sorted in /tmp
    "PRAGMA trusted_schema = OFF",  # a planted file runs no functions
    "PRAGMA cell_size_check = ON",
    "PRAGMA journal_size_limit = 8388608",
)

_WITHOUT_LOCKS = ("mode=ro&vfs=unix-none", "PRAGMA locking_mode = EXCLUSIVE")
"""How a file with a log is read where there can be no shared memory."""


class Database:
    """The database at ``path``. One thread at a time, whichever; :meth:`close` at any time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._turn = threading.RLock()
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._identity: place.Identity | None = None
        self._log_path = f"{path}-wal"
        self._log: place.Identity | None = None
        self._shared_path = f"{path}-shm"
        self._shared: place.Identity | None = None
        self._passing = False
        """The connection shows what was there once, and is good for one transaction."""
        self._synchronous = "FULL"
        self._forgiving = False
        """Texts that are no UTF-8 are read as well as they can be, which takes longer."""

    # What may fail ------------------------------------------------------------------------

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Failures within become one sentence."""
        try:
            yield
        except FAILURES as error:
            raise self._closed_or(problems.not_read(self.path, error)) from error

    @contextmanager
    def saving(self, what: str) -> Iterator[None]:
        """Failures within become one sentence; ``what`` is a noun with its article."""
        try:
            yield
        except FAILURES as error:
            raise self._closed_or(problems.not_saved(what, self.path, error)) from error

    def _closed_or(self, problem: StorageError) -> StorageError:
        return StorageError("The storage was closed.") if self._closed else problem

    # Transactions -------------------------------------------------------------------------

    def read(self, work: Work[T]) -> T:
        """What ``work`` returns; all that it reads is of one moment."""
        with self.loading(), self._turn:
            try:
                return self._read(work)
            except sqlite3.OperationalError as error:
                if self._forgiving or "decode to UTF-8" not in str(error):
                    raise
                # A damaged text costs that text, and not all that is read with it.
                self._forgiving = True
                self._drop()
                return self._read(work)

    def _read(self, work: Work[T]) -> T:
        connection = self._usable(create=False)
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            self._roll_back(connection)

    def write(self, work: Work[T], *, create: bool = False, durable: bool = True) -> T:
        """What ``work`` returns once all that it wrote is on the disk; if anything fails,
        nothing of it is there. With ``create`` a missing file is made. What is not
        ``durable`` survives the end of the process and not of the machine.

        To be called within :meth:`saving`.
        """
        with self._turn:
            connection = self._usable(create=create)
            self._synchronize(connection, "FULL" if durable else "NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                if self._identity is not None:
                    schema.require_latest(connection, self.path)
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise
            return result

    def empty_log(self) -> None:
        """Bring all that the log holds into the file, and the log to nothing, as far as
        other shells leave it to this one."""
        with self._turn:
            connection = self._usable(create=False)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            # Its state is unknown; the next use opens another one.
            self._drop()

    def _synchronize(self, connection: sqlite3.Connection, level: str) -> None:
        if level != self._synchronous:
            connection.execute(f"PRAGMA synchronous = {level}")
            self._synchronous = level

    # Opening ------------------------------------------------------------------------------

    def _usable(self, *, create: bool) -> sqlite3.Connection:
        if self._closed:
            raise StorageError("The storage was closed.")
        identity = place.identity(self.path)
        if self._connection is None or self._passing or identity != self._identity:
            self._drop()
            self._connection = self._open(identity, create=create)
        elif place.identity(self._log_path) != self._log:
            self._connection = self._with_new_log(self._connection, identity)
        return self._connection

    def _with_new_log(
        self, connection: sqlite3.Connection, identity: place.Identity | None
    ) -> sqlite3.Connection:
        """Another program has removed the log. The latest changes are in it alone: no other
        process could read them, and they would be lost with this one. Unless others have
        begun a log of their own since, it is brought into the file."""
        shared = place.identity(self._shared_path)
        if _size(self._log_path) == 0 and shared in (self._shared, None):
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise OSError(errno.EBUSY, "its log was removed while others read", self._log_path)
        if shared != self._shared:
            # Within a process SQLite would go on with the shared memory that was removed.
            self._drop()
            return self._open(identity, create=False)
        # What is closed last brings its log into the file: not this one, which is old.
        opened = self._open(identity, create=False)
        connection.close()
        return opened

    def _open(self, identity: place.Identity | None, *, create: bool) -> sqlite3.Connection:
        self._synchronous = "FULL"
        if identity is None:
            if not create:
                return self._empty()
            place.create(self.path)
            identity = place.identity(self.path)
        connection, self._passing = _connect(self.path)
        try:
            version = schema.version_of(connection, self.path)
            if version == 0 and not create:
                connection.close()
                return self._empty()
            for setting in _SETTINGS:
                connection.execute(setting)
            if not self._passing:
                _use_journal(connection, _journal_for(self.path))
            if version == 0:
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        if self._forgiving:
            connection.text_factory = _decode
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # opens the log
        self._identity, self._log = identity, place.identity(self._log_path)
        self._shared = place.identity(self._shared_path)
        return connection

    def _empty(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        schema.bring_up_to_date(connection, 0)
        self._identity, self._passing = None, True
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another shell may have been faster.
            schema.bring_up_to_date(connection, schema.version_of(connection, self.path))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    # Closing ------------------------------------------------------------------------------

    def close(self) -> None:
        """End what another thread may be doing, and let go of the file."""
        self._closed = True
        while not self._turn.acquire(timeout=0.02):
            connection = self._connection
            if connection is not None:
                with suppress(sqlite3.ProgrammingError):  # closed by its own thread just now
                    connection.interrupt()
        try:
            self._drop()
        finally:
            self._turn.release()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _connect(path: str) -> tuple[sqlite3.Connection, bool]:
    """A connection that has read the file, and whether it shows only this moment."""
    if _journal_for(path) != "wal" and place.can_change(path) and _has_wal(path):
        try:
            _leave_wal(path)
        except sqlite3.OperationalError as error:
            if not problems.is_of_kind(error, sqlite3.SQLITE_FULL):
                raise
            return _reading(path, *_WITHOUT_LOCKS), True
    try:
        return _reading(path, "mode=rw"), False
    except sqlite3.OperationalError as error:
        if not problems.is_of_kind(error, sqlite3.SQLITE_CANTOPEN) or place.can_change(path):
            raise
    # WAL wants a file for shared memory beside the database, and here none can be made
    # (https://sqlite.org/wal.html#read_only_databases). Nobody can be writing here either.
    if _size(f"{path}-wal") > 0:
        # What a crash has left in the log counts. In the exclusive mode the log needs no
        # shared memory; the locks, which a file that is only read cannot have, are off.
        return _reading(path, *_WITHOUT_LOCKS), True
    return _reading(path, "mode=ro&immutable=1"), True


def _reading(path: str, parameters: str, *settings: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        place.uri(path, parameters),
        uri=True,
        timeout=problems.PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for statement in (*settings, "PRAGMA application_id"):
            connection.execute(statement).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _journal_for(path: str) -> str:
    """A write-ahead log, unless the memory that it shares, which is mapped from a file, could
    end the process when the disk is full."""
    return "truncate" if is_copy_on_write(os.path.dirname(path)) else "wal"


def _leave_wal(path: str) -> None:
    """Bring a file with a write-ahead log into the older form without using shared memory:
    in the exclusive mode there is none. Raises ``sqlite3.Error``, also while another shell
    has the file open."""
    connection = sqlite3.connect(
        place.uri(path, "mode=rw"), uri=True, timeout=problems.PATIENCE, isolation_level=None
    )
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()
    finally:
        connection.close()


def _has_wal(path: str) -> bool:
    """Whether the file's header says so (https://sqlite.org/fileformat2.html, offset 18)."""
    with open(path, "rb") as file:
        return file.read(20)[18:] == b"\2\2"


def _use_journal(connection: sqlite3.Connection, kind: str) -> None:
    """Another shell that does the same at this moment is waited for: SQLite itself does
    not always."""
    deadline = time.monotonic() + problems.PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone() != (kind,):
        try:
            connection.execute(f"PRAGMA journal_mode = {kind}").fetchone()
        except sqlite3.OperationalError as error:
            if problems.is_of_kind(error, sqlite3.SQLITE_READONLY):
                return  # reading goes on without
            if not problems.is_of_kind(error, sqlite3.SQLITE_BUSY) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
