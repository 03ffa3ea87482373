"""The replies that one handle receives, and what crashed shells have left of theirs."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.builtin.json_storage import message_reader, running_reply
from agno_shell.builtin.json_storage.catalog import Catalog
from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.problems import Notices, reason, saving
from agno_shell.builtin.json_storage.rescue import rescue
from agno_shell.builtin.json_storage.running_reply import RunningReply
from agno_shell.builtin.json_storage.session_writer import SessionWriter
from agno_shell.errors import StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import Growth, Message


class Replies:
    """Those of one store. ``locks`` and ``writer`` are made when they are needed."""

    def __init__(
        self,
        catalog: Catalog,
        locks: Callable[[], Locks],
        writer: Callable[[], SessionWriter],
        notices: Notices,
    ) -> None:
        self._catalog = catalog
        self._locks = locks
        self._writer = writer
        self._notices = notices
        self._running: dict[str, RunningReply] = {}

    def save(self, session_id: str, message: Message | None) -> None:
        """See :meth:`agno_shell.contracts.Storage.save_partial`."""
        reply = self._running.get(session_id)
        if message is None:
            if reply is not None:
                reply.remove()
            return
        path = self._catalog.folder(session_id)
        with saving("The reply in work", path):
            if reply is None:
                reply = self._running[session_id] = RunningReply(self._locks(), path, session_id)
            elif reply.message_id not in (None, message.id):
                reply.remove()
            reply.save(message)

    def extend(self, session_id: str, growth: Growth) -> None:
        """See :meth:`agno_shell.contracts.Storage.extend_partial`."""
        reply = self._running.get(session_id)
        if reply is None:
            raise StorageError(f"No reply is in work in session {str(session_id)[:80]}.")
        with saving("The reply in work", reply.folder):
            reply.extend(growth)

    def kept(self, path: str) -> list[Message]:
        """What is kept of every reply in the session's folder ``path``, running or not."""
        # One that was saved in the last moment is a message already.
        return [
            message
            for message in running_reply.kept(path)
            if not message_reader.has(f"{path}/{MESSAGES}", message.id)
        ]

    def saved(self, session_id: str, message: Message) -> None:
        """A message is saved: if it was the reply in work, nothing is left of that."""
        reply = self._running.get(session_id)
        if reply is not None and reply.message_id == message.id:
            reply.remove()

    def release(self, session_id: str) -> None:
        """Stop writing; what was kept becomes an interrupted message at the next open."""
        reply = self._running.pop(session_id, None)
        if reply is not None:
            reply.release()

    def close(self) -> None:
        for session_id in list(self._running):
            self.release(session_id)

    def rescue(self, path: str, session_id: str, *, locked: bool = False) -> None:
        """Make messages of what is left in the session's folder ``path``, if that can be
        written. ``locked``: the session's lock is held."""
        try:
            rescue(path, session_id, self._locks(), self._writer(), locked=locked)
        except (OSError, StorageError, json_records.UnwritableError) as error:
            # A disk that cannot be written still opens every session.
            self._notices.once(
                f"An interrupted reply is kept in {path} for later: {reason(error).rstrip('.')}."
            )
