"""What belongs to a session beside its messages: what to remember, and attached files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agno_shell.builtin.json_storage import attachments, memory_file
from agno_shell.builtin.json_storage.folder import ATTACHMENTS, MEMORY
from agno_shell.builtin.json_storage.problems import Notices, reading, saving
from agno_shell.builtin.json_storage.session_catalog import SessionCatalog
from agno_shell.builtin.json_storage.trash import Trash
from agno_shell.errors import StorageError
from agno_shell.types import Memory, new_id, now

if TYPE_CHECKING:
    # What a launch reads needs no lock, and filelock takes a tenth of it.
    from agno_shell.builtin.json_storage.locks import Locks


class SessionData:
    """Reads and writes it; ``locks`` gives the locks of the store, for writing alone."""

    def __init__(
        self, root: str, catalog: SessionCatalog, locks: Callable[[], Locks], notices: Notices
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._locks = locks
        self._notices = notices

    # What to remember --------------------------------------------------------------------

    def memories(self, session_id: str) -> list[Memory]:
        path = self._catalog.folder(session_id)
        found = self._memories_in(path)
        if not found:
            self._catalog.folder(session_id)  # deleted in this moment?
        return found

    def trashed_memories(self, trash_id: str) -> list[Memory]:
        with reading(f"{self._root}/trash/{trash_id}"):
            trash = Trash(self._root)
            found = self._memories_in(trash.folder(trash.find(trash_id)))
            if not found:
                trash.find(trash_id)  # restored in this moment?
            return found

    def remember(self, session_id: str, text: str) -> Memory:
        memory = Memory(new_id(), text, now())
        self._change(session_id, lambda before: [*before, memory])
        return memory

    def forget(self, session_id: str, memory_id: str) -> Memory:
        taken: list[Memory] = []

        def without(before: list[Memory]) -> list[Memory]:
            taken.extend(each for each in before if each.id == memory_id)
            if not taken:
                raise StorageError(
                    f"Session {session_id} remembers nothing with the id {str(memory_id)[:80]!r}."
                )
            return [each for each in before if each.id != memory_id]

        self._change(session_id, without)
        return taken[0]

    def _memories_in(self, path: str) -> list[Memory]:
        with reading(f"{path}/{MEMORY}"):
            found = memory_file.load(path)
        if found.form == "damaged":
            self._notices.once(
                f"{path}/{MEMORY} is damaged: {memory_file.known(found)} could be"
                " read. It stays as it is until that changes, and is copied aside then."
            )
        return found.memories

    def _change(self, session_id: str, changed: Callable[[list[Memory]], list[Memory]]) -> None:
        path = self._catalog.folder(session_id)
        with (
            saving("What to remember", f"{path}/{MEMORY}"),
            self._locks().session(session_id),
        ):
            self._catalog.folder(session_id)
            memory_file.change(path, changed, self._notices)

    # Attached files ----------------------------------------------------------------------

    def attach(self, session_id: str, data: bytes) -> str:
        path = self._catalog.folder(session_id)
        with (
            saving("The attachment", f"{path}/{ATTACHMENTS}"),
            self._locks().session(session_id),
        ):
            self._catalog.folder(session_id)
            return attachments.keep(path, data, self._notices)

    def attachment(self, session_id: str, sha256: str) -> bytes:
        path = self._catalog.folder(session_id)
        with reading(path):
            try:
                return attachments.content(path, sha256, f"session {session_id}")
            except StorageError:
                self._catalog.folder(session_id)  # deleted in this moment?
                raise

    def trashed_attachment(self, trash_id: str, sha256: str) -> bytes:
        with reading(f"{self._root}/trash/{trash_id}"):
            trash = Trash(self._root)
            path = trash.folder(trash.find(trash_id))
            try:
                return attachments.content(path, sha256, f"the deleted session {trash_id}")
            except StorageError:
                trash.find(trash_id)  # restored in this moment?
                raise
