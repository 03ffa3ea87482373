"""Deleted sessions: folders below ``trash``, until the user purges them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from agno_shell.builtin.json_storage import disk, folder
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.types import Message, Session, TrashedSession, now

FOLDER = "trash"

_TRASH_ID = re.compile(r"(.{36})-([0-9]{8}T[0-9]{12}Z)")
_TIME = "%Y%m%dT%H%M%S%fZ"


def trash_id(session_id: str, when: datetime) -> str:
    """The name of a deleted session's folder: its id and the moment in UTC."""
    when = when.astimezone(UTC)
    # The C library may write a year before 1000 with fewer digits.
    return f"{session_id}-{when.year:04d}{when.strftime(_TIME.removeprefix('%Y'))}"


def split_trash_id(value: object) -> tuple[str, datetime] | None:
    """The session id and the moment of deletion, or None if this is no trash id."""
    match = _TRASH_ID.fullmatch(value) if isinstance(value, str) else None
    if match is None or not folder.is_session_id(match[1]):
        return None
    try:
        when = datetime.strptime(match[2], _TIME)
    except ValueError:
        return None
    return match[1], when.replace(tzinfo=UTC)


def sessions_in(root: str) -> set[str]:
    """The ids of all deleted sessions of the store at ``root``."""
    splits = map(split_trash_id, disk.names(f"{root}/{FOLDER}"))
    return {split[0] for split in splits if split is not None}


class Trash:
    """The trash of the store at ``root``. All methods but the lock-free
    :meth:`contents` and :meth:`find` want the session's lock held."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = f"{root}/{FOLDER}"

    def contents(self) -> list[TrashedSession]:
        """What was deleted, the latest first."""
        if not disk.is_folder(self._path):
            return []
        found = []
        for name in disk.names(self._path):
            split = split_trash_id(name)
            trashed = self._describe(name, *split) if split is not None else None
            # Looked at last: another shell may be restoring or purging it meanwhile.
            if trashed is not None and folder.may_be_there(f"{self._path}/{name}"):
                found.append(trashed)
        return sorted(found, key=lambda each: (each.deleted_at, each.trash_id), reverse=True)

    def find(self, trash_id: str) -> TrashedSession:
        """One deleted session. Raises ``SessionNotFoundError``."""
        split = split_trash_id(trash_id)
        if split is None:
            raise SessionNotFoundError(
                f"{str(trash_id)[:80]!r} is not the id of a deleted session."
            )
        if not (disk.is_folder(self._path) and disk.is_folder(f"{self._path}/{trash_id}")):
            raise SessionNotFoundError(f"The trash holds no {trash_id}.")
        return self._describe(trash_id, *split)

    def folder(self, trashed: TrashedSession) -> str:
        """Where a deleted session is kept."""
        return f"{self._path}/{trashed.trash_id}"

    def messages(self, trash_id: str, load: Callable[[str], list[Message]]) -> list[Message]:
        """The messages of a deleted session; ``load`` reads a file of messages."""
        from agno_shell.builtin.json_storage import running_reply, tree

        place = self.folder(self.find(trash_id))
        # A reply may become a message meanwhile, and never the other way round.
        replies = running_reply.kept(place)
        found = tree.with_replies(load(f"{place}/{folder.MESSAGES}"), replies)
        if not found:
            self.find(trash_id)  # restored in this moment?
        return found

    def take(self, session: Session) -> TrashedSession:
        """Move a session's folder into the trash, durably."""
        return self.take_folder(f"{self._root}/{session.session_id}", session, now())

    def take_folder(self, source: str, session: Session, deleted_at: datetime) -> TrashedSession:
        """Move a folder below the root into the trash, durably, as what is left of
        ``session``. Raises ``StorageError`` if it is there already."""
        disk.ensure_folder(self._path)
        name = trash_id(session.session_id, deleted_at)
        target = f"{self._path}/{name}"
        if disk.status(target) is not None:
            raise StorageError(f"The trash holds {name} already.")
        _move(source, target)
        return TrashedSession(name, session, deleted_at, _size(target))

    def give_back(self, trashed: TrashedSession) -> None:
        """Move a session's folder back under its own id, durably."""
        session_id = trashed.session.session_id
        target = f"{self._root}/{session_id}"
        if disk.status(target) is not None:
            raise StorageError(
                f"Session {session_id} was not restored: a session with this id exists.",
                hint="Delete that one first; both stay in the trash until they are purged.",
            )
        _move(f"{self._path}/{trashed.trash_id}", target)

    def purge(self, trashed: TrashedSession) -> None:
        """Delete for good."""
        disk.remove_tree(f"{self._path}/{trashed.trash_id}")
        disk.sync_folder(self._path)

    def _describe(self, name: str, session_id: str, deleted_at: datetime) -> TrashedSession:
        path = f"{self._path}/{name}"
        try:
            entry = folder.survey(path, session_id, None)
        except OSError:
            entry = None  # a damaged session is still one that can be restored
        entry = entry or folder.unreadable(path, session_id)
        return TrashedSession(name, entry.session, deleted_at, _size(path))


def _move(source: str, target: str) -> None:
    """Move a folder durably, or not at all: what is reported as failed has not happened."""
    disk.move(source, target)
    try:
        disk.sync_folder(os.path.dirname(target))
        disk.sync_folder(os.path.dirname(source))
    except BaseException:
        with suppress(OSError):
            disk.move(target, source)
        raise


def _size(path: str) -> int:
    """The bytes of all files below a folder; links are not followed. What cannot be
    looked at, or is just being moved away, counts nothing."""
    total = 0
    with suppress(OSError):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                total += _size(entry.path)
            else:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_size
    return total
