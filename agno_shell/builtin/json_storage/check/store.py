"""Going through a whole store: its folder, every session, the trash, the list."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext

from agno_shell.builtin.json_storage import disk, folder, running_reply
from agno_shell.builtin.json_storage import locks as locks_
from agno_shell.builtin.json_storage import rescue as rescue_
from agno_shell.builtin.json_storage import trash as trash_
from agno_shell.builtin.json_storage.check import imports, leftovers, session
from agno_shell.builtin.json_storage.check.issue import Issue, seen, treated
from agno_shell.builtin.json_storage.check.leftovers import Extras
from agno_shell.builtin.json_storage.check.listing import Listing
from agno_shell.builtin.json_storage.check.rights import Rights
from agno_shell.builtin.json_storage.index import NAME as LIST
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.problems import Notices, reason
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.builtin.json_storage.session_writer import SessionWriter
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.toolkit.disk_space import obstacle
from agno_shell.types import Finding

_PATIENCE = 1.0
"""Seconds for which a session that another shell is writing to is waited for, before what
looks wrong in it is looked at again."""
_POLL = 0.01
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)

Look = Callable[[], list[Issue]]


class Check:
    """One look at the store in the folder ``root``, with handles of its own.

    With ``repair`` what is wrong is repaired where that loses nothing. ``ended`` is asked
    between two sessions whether to go on.
    """

    def __init__(self, root: str, *, repair: bool, ended: Callable[[], bool]) -> None:
        self._root = root
        repair = repair and not _is_anothers(root)
        self._repair = repair
        self._ended = ended
        self._told: list[str] = []
        self._locks = Locks(root)
        self._notices = Notices(self._told.append)
        self._catalog = SessionCatalog(root, self._locks.index, self._notices)
        self._writer = SessionWriter(root, self._catalog, self._notices)
        began_elsewhere = self._catalog.index.began_elsewhere()
        self._rights = Rights(root, repair=repair, noted=began_elsewhere)
        self._extras = Extras(root)
        self._suspects: set[str] = set()
        """Sessions that may be listed wrongly."""

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong; raises nothing."""
        try:
            status = os.stat(self._root)  # the folder itself may be a link of the user's
        except FileNotFoundError:
            return  # nothing was ever kept
        except OSError as error:
            yield Finding(self._root, f"It could not be read: {reason(error)}.")
            return
        if not stat.S_ISDIR(status.st_mode):
            yield Finding(self._root, "It is no folder.", "Choose one with [storage] path.")
            return
        try:
            self._catalog.index.require_own()
            self._rights.see(os.path.realpath(self._root), status)
            yield from self._contents()
        except OSError as error:
            yield Finding(self._root, f"It could not be read: {reason(error)}.")
        except StorageError as error:
            # Nothing in a folder of another program's is looked at, let alone repaired.
            yield Finding(self._root, str(error), error.hint)
        finally:
            self._writer.close()
            self._catalog.index.close()
            self._locks.close()
        yield from self._rights.findings()
        yield from self._extras.findings()

    def _contents(self) -> Iterator[Finding]:
        listing = Listing(self._root, self._catalog.index, self._locks, self._news)
        yield from self._locking()
        sessions = []
        for name, status in session.entries(self._root).items():
            path = f"{self._root}/{name}"
            if folder.is_session_id(name):
                sessions.append(name)
            elif name == trash_.FOLDER:
                yield from self._folder(path, status, self._trashed)
            elif name == locks_.FOLDER:
                yield from self._folder(path, status, self._lock_files)
            else:
                yield from self._other(name, status)
        for session_id in sessions:
            if self._ended():
                return
            yield from self._session(session_id, listing)
        # Before a message is added: that rewrites a line, and what it held is gone.
        yield from self._list(listing)
        for session_id in sessions:
            if self._ended():
                return
            path = f"{self._root}/{session_id}"
            if disk.is_folder(path):
                yield from self._replies(path, session_id)
        if self._repair and (dropped := listing.look_for_dropped()) is not None:
            yield treated(dropped)

    # The folder of the store -------------------------------------------------------------

    def _locking(self) -> Iterator[Finding]:
        hindered = obstacle(self._root)
        if hindered is not None:
            problem = f"{hindered.problem}; nothing new can be saved."
            yield Finding(self._root, problem, hindered.advice)
        try:
            self._locks.is_held("sessions")
        except OSError as error:
            if error.errno in _NO_LOCKS:
                yield Finding(
                    self._root,
                    "This disk knows no locks; two shells would write over each other.",
                    "Choose another folder with [storage] path.",
                )

    def _folder(
        self, path: str, status: os.stat_result, look: Callable[[str], Iterable[Finding]]
    ) -> Iterator[Finding]:
        if not stat.S_ISDIR(status.st_mode):
            yield Finding(path, session.kind(status), "Move it away; it is not looked into.")
            return
        self._rights.see(path, status)
        yield from look(path)

    def _other(self, name: str, status: os.stat_result) -> Iterator[Finding]:
        """What is neither a session nor a folder of the store."""
        path = f"{self._root}/{name}"
        staged = imports.session_of(name)
        target = leftovers.target_of(name)
        if staged is not None and stat.S_ISDIR(status.st_mode):
            yield from self._one_folder(
                path, status, staged, lambda: imports.look(self._root, name)
            )
            return
        if name == LIST and not stat.S_ISREG(status.st_mode):
            advice = "Move it away; the list is rebuilt from the sessions."
            yield Finding(path, session.kind(status), advice)
            return
        if target == LIST:
            yield from self._one(None, lambda: self._list_leftover(path))
        elif leftovers.is_copy(name):
            self._extras.copy(path, status)
        elif name != LIST:
            self._extras.unknown(path)
            return
        self._rights.see(path, status)

    def _list_leftover(self, path: str) -> list[Issue]:
        if disk.status(path) is None:
            return []
        return [leftovers.temporary(path, f"{self._root}/{LIST}")]

    def _lock_files(self, path: str) -> Iterable[Finding]:
        for name, status in session.entries(path).items():
            self._rights.see(f"{path}/{name}", status)
        return ()

    # Sessions ----------------------------------------------------------------------------

    def _session(self, session_id: str, listing: Listing) -> Iterator[Finding]:
        path = f"{self._root}/{session_id}"
        status = disk.status(path)
        if status is None:
            return
        if not stat.S_ISDIR(status.st_mode):
            yield Finding(path, session.kind(status), "Move it away; it is not looked into.")
            return
        messages = None

        def look() -> list[Issue]:
            nonlocal messages
            issues, messages = session.look(path, session_id, lambda: listing.entry(session_id))
            return issues

        yield from self._one_folder(path, status, session_id, look)
        if not listing.agrees(session_id, messages):
            self._suspects.add(session_id)

    def _trashed(self, path: str) -> Iterator[Finding]:
        for name, status in session.entries(path).items():
            if self._ended():
                return
            split = trash_.split_trash_id(name)
            if split is None or not stat.S_ISDIR(status.st_mode):
                self._extras.unknown(f"{path}/{name}")
                continue
            yield from self._deleted(f"{path}/{name}", status, split[0])

    def _deleted(self, path: str, status: os.stat_result, session_id: str) -> Iterator[Finding]:
        def look() -> list[Issue]:
            # The list knows nothing of it.
            return session.look(path, session_id, lambda: None).issues

        yield from self._one_folder(path, status, session_id, look)

    def _one_folder(
        self, path: str, status: os.stat_result, session_id: str, look: Look
    ) -> Iterator[Finding]:
        self._rights.see(path, status)
        try:
            session.take_stock(path, self._rights, self._extras)
        except OSError as error:
            yield Finding(path, f"It could not be read: {reason(error)}.")
            return
        yield from self._one(session_id, look)

    def _one(self, session_id: str | None, look: Look) -> list[Finding]:
        """What is wrong in one place, repaired where that is wanted.

        It is looked at again before anything is reported or done. ``session_id`` says whose
        lock keeps other shells out; None: that of the list.
        """
        issues = look()
        if all(issue.note for issue in issues) and not (
            self._repair and any(issue.mend for issue in issues)
        ):
            return [seen(issue) for issue in issues]
        if not self._repair or not any(issue.mend for issue in issues):
            self._await_writer(session_id)
            return [seen(issue) for issue in look()]
        try:
            with self._locks.session(session_id) if session_id else nullcontext():
                return [self._mended(issue) for issue in look()]
        except (OSError, StorageError) as error:
            return [_left_alone(issue, error) for issue in issues]

    def _mended(self, issue: Issue) -> Finding:
        # The list, and a record that is missing, are written under the lock of the list.
        is_temporary = leftovers.target_of(os.path.basename(issue.where)) is not None
        try:
            with self._locks.index() if is_temporary else nullcontext():
                return treated(issue)
        except (OSError, StorageError) as error:
            return _left_alone(issue, error)

    def _await_writer(self, session_id: str | None) -> None:
        deadline = time.monotonic() + _PATIENCE
        try:
            while self._locks.is_held(session_id or "sessions") and time.monotonic() < deadline:
                time.sleep(_POLL)
        except OSError:
            pass  # a disk that cannot be written: nobody is writing there

    def _replies(self, path: str, session_id: str) -> Iterator[Finding]:
        """Replies in work whose writer is gone."""
        try:
            places = [
                place
                for place in running_reply.leftovers(path)
                if not self._locks.is_held(f"{session_id}.reply-{place}")
            ]
            if places and self._repair:
                rescue_.rescue(path, session_id, self._locks, self._writer, self._notices)
        except (OSError, StorageError, json_records.UnwritableError) as error:
            why = reason(error).rstrip(".")
            yield Finding(path, f"An unfinished reply in it was left alone: {why}.")
            return
        for place in places:
            yield Finding(
                running_reply.path_of(path, place),
                "It is a reply that was cut off when its program was ended.",
                f"It was saved as an interrupted message. {self._news()}".strip()
                if self._repair
                else "Opening the session, or a repair, saves it as an interrupted message.",
                healed=self._repair,
                repairable=not self._repair,
            )

    # The list ----------------------------------------------------------------------------

    def _list(self, listing: Listing) -> Iterator[Finding]:
        issue = listing.look(self._suspects)
        if issue is not None:
            yield treated(issue) if self._repair else seen(issue)

    def _news(self) -> str:
        """What was reported since the last call."""
        news = " ".join(self._told)
        self._told.clear()
        return news


def _is_anothers(root: str) -> bool:
    """Whether root looks at a user's store: what it would replace there would be its own,
    and its user could not read it any more."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return False
    try:
        return os.stat(root).st_uid != 0
    except OSError:
        return False


def _left_alone(issue: Issue, error: OSError | StorageError) -> Finding:
    if isinstance(error, StorageError):
        why = f"It is in use and was left alone. {error.hint}".strip()
    else:
        why = f"It was not repaired: {reason(error)}."
    return Finding(issue.where, issue.problem, why, note=issue.note)
