"""The policy of the ``json`` storage: what is done in which order, under which lock.

Listing sessions is on the way of ``session --list``, so what only writing needs
(filelock alone costs 50 ms) is imported where it is first used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agno_shell.builtin.json_storage import disk, folder
from agno_shell.builtin.json_storage.folder import MESSAGES, SESSION, is_session_id
from agno_shell.builtin.json_storage.outlined import OutlinedStorage
from agno_shell.builtin.json_storage.problems import Notices, not_read, not_saved, reading, saving
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.contracts.storage import Progress, Storage
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import (
    ROOT,
    Finding,
    Growth,
    Memory,
    Message,
    SearchHit,
    Session,
    TrashedSession,
    new_session,
    session_changes,
)

if TYPE_CHECKING:
    from datetime import datetime

    from agno_shell.builtin.json_storage.locks import Locks
    from agno_shell.builtin.json_storage.running_reply import Replies
    from agno_shell.builtin.json_storage.search import Search
    from agno_shell.builtin.json_storage.session_data import SessionData
    from agno_shell.builtin.json_storage.session_writer import SessionWriter
    from agno_shell.builtin.json_storage.trash import Trash
    from agno_shell.contracts.storage import StorageOptions


def open_storage(options: StorageOptions) -> Storage:
    """The store in the folder ``options.path``; touches nothing on the disk."""
    return JsonStorage(options)


class JsonStorage(OutlinedStorage):
    """Sessions as folders of JSON files. Reading takes no lock and writes nothing."""

    can_search = True

    def __init__(self, options: StorageOptions) -> None:
        self._root = os.path.abspath(options.path)
        self._cache_path = options.cache_path
        self._notices = Notices(options.notice)
        self._catalog = SessionCatalog(self._root, lambda: self._locks.index(), self._notices)
        self._opened_locks: Locks | None = None
        self._opened_writer: SessionWriter | None = None
        self._opened_search: Search | None = None
        self._opened_replies: Replies | None = None
        self._closed = False

    # Reading -----------------------------------------------------------------------------

    def sessions(self) -> list[Session]:
        with reading(self._root):
            return self._catalog.sessions()

    def open(self, session_id: str) -> Session:
        path = self._catalog.folder(session_id)
        try:
            if folder.keeps_replies(path):
                self._rescue(path, session_id)
            self._mend(path, session_id)
            return self._catalog.find(session_id).session
        except OSError as error:
            raise not_read(path, error) from error

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        from agno_shell.builtin.json_storage import message_reader, tree

        place = self._catalog.folder(session_id)
        path = f"{place}/{MESSAGES}"
        try:
            head = folder.head_of(folder.read_record(place, session_id))
            if last is not None:
                found = message_reader.conversation(path, head, last, self._load)
            else:
                messages = self._load(path)
                found = tree.path(messages, message_reader.effective(head, messages))
            return self._still_of(session_id, found)
        except OSError as error:
            raise not_read(path, error) from error

    def tree(self, session_id: str) -> list[Message]:
        path = f"{self._catalog.folder(session_id)}/{MESSAGES}"
        with reading(path):
            return self._still_of(session_id, self._load(path))

    def _still_of(self, session_id: str, found: list[Message]) -> list[Message]:
        """What was found in a session, of which nothing may mean that it was deleted in
        this moment. Raises ``SessionNotFoundError`` then."""
        if not found:
            self._catalog.folder(session_id)
        return found

    def version(self, session_id: str) -> object:
        path = self._catalog.folder(session_id)
        try:
            return folder.look(path)
        except OSError as error:
            raise not_read(path, error) from error

    def lacks(self, session_id: str, message_ids: Collection[str]) -> set[str]:
        from agno_shell.builtin.json_storage import message_reader

        path = self._catalog.folder(session_id)
        try:
            return message_reader.lacking(f"{path}/{MESSAGES}", message_ids)
        except OSError as error:
            raise not_read(path, error) from error

    def partials(self, session_id: str) -> list[Message]:
        from agno_shell.builtin.json_storage import rescue

        path = self._catalog.folder(session_id)
        with reading(path):
            return self._still_of(session_id, rescue.unsaved(path))

    def trashed_messages(self, trash_id: str) -> list[Message]:
        with reading(f"{self._root}/trash/{trash_id}"):
            return self._trash.messages(trash_id, self._load)

    def trash(self) -> list[TrashedSession]:
        with reading(self._root):
            return self._trash.contents()

    def current(self) -> str | None:
        with reading(self._root):
            current = self._catalog.index.current()
            return current if current and disk.is_folder(f"{self._root}/{current}") else None

    def search(self, query: str, **limits: Any) -> list[SearchHit]:
        with reading(self._root):
            return self._search.find(query, **limits)

    def prepare_search(self) -> Iterator[Progress]:
        with reading(self._root):
            yield from self._search.prepare()

    @property
    def _search(self) -> Search:
        if self._opened_search is None:
            from agno_shell.builtin.json_storage.search import Search

            self._opened_search = Search(self._root, self._cache_path, self._catalog, self._notices)
        return self._opened_search

    def _load(self, path: str) -> list[Message]:
        from agno_shell.builtin.json_storage import message_reader

        loaded = message_reader.load(path)
        if loaded.form == "damaged":
            self._notices.once(
                f"{path} is damaged: {len(loaded.messages)} messages could be read. It stays as"
                " it is until the next message is saved, and is copied aside then."
            )
        return loaded.messages

    # Writing -----------------------------------------------------------------------------

    def create(
        self,
        name: str,
        description: str = "",
        *,
        model: str | None = None,
        agent: str | None = None,
    ) -> Session:
        self._catalog.index.require_own()
        session = new_session(name, description, model=model, agent=agent)
        path = f"{self._root}/{session.session_id}"
        with saving("The session", path):
            disk.make_folders(self._root)
            with self._locks.session(session.session_id):
                self._writer.list(folder.make(path, session))
        return session

    def update(self, session_id: str, **changes: Any) -> Session:
        from agno_shell.builtin.json_storage import message_reader

        changes = session_changes(changes)
        path = self._catalog.folder(session_id)
        with saving("The change", f"{path}/{SESSION}"), self._locks.session(session_id):
            head = changes.get("head")
            known = head in (None, ROOT) or message_reader.has(f"{path}/{MESSAGES}", head)
            if not known:
                raise StorageError(f"Session {session_id} has no message {str(head)[:80]!r}.")
            return self._writer.change(session_id, **changes)

    def append(self, session_id: str, message: Message) -> Session:
        if not self._writer.has_open(session_id):
            self._catalog.folder(session_id)
        path = f"{self._root}/{session_id}/{MESSAGES}"
        try:
            with self._locks.session(session_id):
                session = self._writer.append(session_id, message)
        except (OSError, json_records.UnwritableError) as error:
            raise not_saved("The message", path, error) from error
        if self._opened_replies is not None:
            self._opened_replies.saved(session_id, message)
        return session

    def set_current(self, session_id: str) -> None:
        self._catalog.folder(session_id)
        with saving("The current session", f"{self._root}/sessions.json"):
            self._catalog.index.set_current(session_id)

    # What belongs to a session beside its messages ---------------------------------------

    def memories(self, session_id: str) -> list[Memory]:
        if not folder.keeps_memories(self._catalog.folder(session_id)):
            self._catalog.folder(session_id)  # deleted in this moment?
            return []
        return self._session_data.memories(session_id)

    def remember(self, session_id: str, text: str) -> Memory:
        return self._session_data.remember(session_id, text)

    def forget(self, session_id: str, memory_id: str) -> Memory:
        return self._session_data.forget(session_id, memory_id)

    def attach(self, session_id: str, data: bytes) -> str:
        return self._session_data.attach(session_id, data)

    def attachment(self, session_id: str, sha256: str) -> bytes:
        return self._session_data.attachment(session_id, sha256)

    def trashed_memories(self, trash_id: str) -> list[Memory]:
        return self._session_data.trashed_memories(trash_id)

    def trashed_attachment(self, trash_id: str, sha256: str) -> bytes:
        return self._session_data.trashed_attachment(trash_id, sha256)

    @property
    def _session_data(self) -> SessionData:
        from agno_shell.builtin.json_storage.session_data import SessionData

        return SessionData(self._root, self._catalog, lambda: self._locks, self._notices)

    # After a power cut -------------------------------------------------------------------

    def mend(self) -> Iterator[Progress]:
        from agno_shell.builtin.json_storage.reconciliation import Reconciliation

        with reading(self._root):
            yield from Reconciliation(self._root, self._catalog, self._mend).steps()

    def _mend(self, path: str, session_id: str) -> None:
        """Repair messages that a power cut has torn, unless another process is writing to the
        session; where that fails they are read as far as they can be."""
        from agno_shell.builtin.json_storage import message_reader

        if message_reader.is_torn(f"{path}/{MESSAGES}"):
            with suppress(StorageError, OSError):
                if held := self._locks.try_session(session_id):
                    with held:
                        self._writer.mend(session_id)

    # The trash ---------------------------------------------------------------------------

    def delete(self, session_id: str) -> TrashedSession:
        path = self._catalog.folder(session_id)
        with saving("The deletion", path), self._locks.session(session_id):
            if folder.keeps_replies(path):
                # In the trash nobody would open the session, which turns it into a message.
                self._rescue(path, session_id, locked=True)
            session = self._catalog.find(session_id).session
            self._writer.complete_record(path, session)
            was_current = self._catalog.index.current() == session_id
            trashed = self._trash.take(session)
        self._forget(session_id)
        following = next(iter(self.sessions()), None) if was_current else None
        self._writer.unlist(session_id, following.session_id if following else None)
        return trashed

    def restore(self, trash_id: str) -> Session:
        with saving("The restored session", f"{self._root}/trash/{trash_id}"):
            session_id = self._trash.find(trash_id).session.session_id
            with self._locks.session(session_id):
                self._trash.give_back(self._trash.find(trash_id))
                self._forget(session_id)
                return self._writer.list(self._catalog.find(session_id)).session

    def purge(self, trash_id: str) -> None:
        with saving("The purge", f"{self._root}/trash/{trash_id}"):
            session_id = self._trash.find(trash_id).session.session_id
            with self._locks.session(session_id):
                self._trash.purge(self._trash.find(trash_id))

    # From another storage ----------------------------------------------------------------

    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        memories: Sequence[Memory] = (),
        attachment: Callable[[str], bytes] | None = None,
    ) -> None:
        from agno_shell.builtin.json_storage.importing import take_over

        session_id = session.session_id
        if not is_session_id(session_id):
            raise StorageError(f"{str(session_id)[:80]!r} is not a session id; it was not taken.")
        self._catalog.index.require_own()
        session = session._replace(message_count=len(messages))
        with saving("The session", f"{self._root}/{session_id}"):
            disk.make_folders(self._root)
            with self._locks.session(session_id):
                entry = take_over(self._root, session, messages, deleted_at, memories, attachment)
                if entry is not None:
                    self._forget(session_id)
                    self._writer.list(entry)

    @property
    def _trash(self) -> Trash:
        from agno_shell.builtin.json_storage.trash import Trash

        return Trash(self._root)

    # The reply in work -------------------------------------------------------------------

    def save_partial(self, session_id: str, message: Message | None) -> None:
        self._replies.save(session_id, message)

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        self._replies.extend(session_id, growth)

    @property
    def _replies(self) -> Replies:
        if self._opened_replies is None:
            from agno_shell.builtin.json_storage.running_reply import Replies

            self._opened_replies = Replies(self._catalog.folder, lambda: self._locks)
        return self._opened_replies

    def _rescue(self, path: str, session_id: str, *, locked: bool = False) -> None:
        from agno_shell.builtin.json_storage import rescue

        rescue.if_possible(path, session_id, self._locks, self._writer, self._notices, locked)

    # Common ------------------------------------------------------------------------------

    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        from agno_shell.builtin.json_storage.check.store import Check

        return Check(self._root, repair=repair, ended=lambda: self._closed).findings()

    def close(self) -> None:
        self._closed = True
        if self._opened_search is not None:
            self._opened_search.close()
        if self._opened_replies is not None:
            self._opened_replies.close()
        if self._opened_writer is not None:
            self._opened_writer.close()
        if self._opened_locks is not None:
            self._opened_locks.close()
        self._catalog.index.close()

    def _forget(self, session_id: str) -> None:
        self._writer.forget(session_id)
        if self._opened_replies is not None:
            self._opened_replies.release(session_id)

    @property
    def _writer(self) -> SessionWriter:
        if self._opened_writer is None:
            from agno_shell.builtin.json_storage.session_writer import SessionWriter

            self._opened_writer = SessionWriter(self._root, self._catalog, self._notices)
        return self._opened_writer

    @property
    def _locks(self) -> Locks:
        if self._opened_locks is None:
            from agno_shell.builtin.json_storage.locks import Locks

            self._opened_locks = Locks(self._root)
        return self._opened_locks
