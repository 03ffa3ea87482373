"""The policy of the ``sqlite`` storage: what is done in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from agno_shell import (
    Finding,
    Growth,
    Memory,
    Message,
    Progress,
    SearchHit,
    Session,
    Storage,
    StorageError,
    StorageOptions,
    TrashedSession,
)
from agno_shell.toolkit import full_text
from agno_shell.types import ROOT, Role, new_id, new_session, now, session_changes
from agno_shell_sqlite import (
    attachments,
    messages,
    place,
    problems,
    running_replies,
    sessions,
    text_index,
)
from agno_shell_sqlite import memories as remembered
from agno_shell_sqlite.database import Database
from agno_shell_sqlite.problems import FAILURES, Notices
from agno_shell_sqlite.running_replies import ReplyInProgress
from agno_shell_sqlite.writers import Writers

_MOST_HITS = 2**62
_SYNC_EVERY = 1.0
"""Seconds."""


class SqliteStorage(Storage):
    """Sessions in one SQLite file. Reading takes no lock that a writer would wait for."""

    can_search = True

    def __init__(self, options: StorageOptions) -> None:
        self._notices = Notices(options.notice)
        self._database = Database(place.database_path(options.path))
        self._writers = Writers(self._database.path)
        self._replies: dict[str, ReplyInProgress] = {}
        """What is kept of the reply in work, by session."""

    @property
    def path(self) -> str:
        """The database."""
        return self._database.path

    # Reading -----------------------------------------------------------------------------

    def sessions(self) -> list[Session]:
        return self._database.read(sessions.listed)

    def open(self, session_id: str) -> Session:
        def work(db: sqlite3.Connection) -> tuple[Session, list[str]]:
            found = sessions.find(db, session_id)
            return found.session, running_replies.gone(db, found.number, self._writers)

        session, dead = self._database.read(work)
        if dead:
            self._rescue(session_id, dead)
            session, _dead = self._database.read(work)
        return session

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        def work(db: sqlite3.Connection) -> list[Message]:
            found = sessions.find(db, session_id)
            return messages.path(db, found.number, found.session.head, last)

        return self._database.read(work)

    def tree(self, session_id: str) -> list[Message]:
        return self._database.read(
            lambda db: messages.tree(db, sessions.find(db, session_id).number)
        )

    def lacks(self, session_id: str, message_ids: Collection[str]) -> set[str]:
        def work(db: sqlite3.Connection) -> set[str]:
            number = sessions.find(db, session_id).number
            return {each for each in message_ids if messages.find(db, number, each) is None}

        return self._database.read(work)

    def version(self, session_id: str) -> object:
        return self._database.read(lambda db: sessions.version(db, session_id))

    def current(self) -> str | None:
        return self._database.read(sessions.current)

    def search(
        self,
        query: str,
        *,
        session_id: str | None = None,
        role: Role | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> list[SearchHit]:
        wanted = full_text.parse(query)

        def work(db: sqlite3.Connection) -> list[SearchHit]:
            session = None if session_id is None else sessions.find(db, session_id).number
            if not wanted or limit <= 0:
                return []
            return text_index.search(
                db,
                wanted,
                session=session,
                role=role,
                since=since,
                limit=min(limit, _MOST_HITS),
            )

        return self._database.read(work)

    def prepare_search(self) -> Iterator[Progress]:
        """Rebuild the index, if it was made by a program that sees other words."""
        if not self._database.read(text_index.is_of_this_form):
            yield Progress(0, 1)
            with self._database.saving("The search index"):
                self._database.write(text_index.make_anew)
            yield Progress(1, 1)

    # Writing -----------------------------------------------------------------------------

    def create(
        self,
        name: str,
        description: str = "",
        *,
        model: str | None = None,
        agent: str | None = None,
    ) -> Session:
        session = new_session(name, description, model=model, agent=agent)
        with self._database.saving("The session"):
            self._database.write(lambda db: sessions.add(db, session), create=True)
        return session

    def update(self, session_id: str, **changes: Any) -> Session:
        changes = session_changes(changes)

        def work(db: sqlite3.Connection) -> Session:
            kept = sessions.find(db, session_id)
            head = changes.get("head")
            known = head in (None, ROOT) or messages.find(db, kept.number, head) is not None
            if not known:
                raise StorageError(f"Session {session_id} has no message {str(head)[:80]!r}.")
            return sessions.change(db, kept, **changes)

        with self._database.saving("The change"):
            return self._database.write(work)

    def append(self, session_id: str, message: Message) -> Session:
        with self._database.saving("The message"):
            prepared = messages.prepare(message)

            def work(db: sqlite3.Connection) -> Session:
                kept = sessions.find(db, session_id)
                known = messages.find(db, kept.number, message.id)
                if known == prepared.row:
                    return kept.session  # it was saved, and is being tried again
                if known is not None:
                    raise StorageError(
                        f"The message was not saved: session {session_id} has another one with"
                        f" the id {message.id[:80]!r}."
                    )
                messages.add(db, kept.number, prepared)
                text_index.note_form(db)
                running_replies.remove(db, kept.number, message.id)
                return sessions.change(
                    db,
                    kept,
                    size=prepared.size,
                    head=None,
                    message_count=kept.session.message_count + 1,
                )

            session = self._database.write(work)
        reply = self._replies.get(session_id)
        if reply is not None and reply.message_id == message.id:
            del self._replies[session_id]
        return session

    def set_current(self, session_id: str) -> None:
        with self._database.saving("The current session"):
            self._database.write(lambda db: sessions.set_current(db, session_id))

    # What belongs to a session beside its messages ---------------------------------------

    def memories(self, session_id: str) -> list[Memory]:
        return self._database.read(
            lambda db: remembered.listed(db, sessions.find(db, session_id).number)
        )

    def remember(self, session_id: str, text: str) -> Memory:
        memory = Memory(new_id(), text, now())
        with self._database.saving("What to remember"):
            self._database.write(
                lambda db: remembered.add(db, sessions.find(db, session_id).number, [memory])
            )
        return memory

    def forget(self, session_id: str, memory_id: str) -> Memory:
        with self._database.saving("What to remember"):
            return self._database.write(lambda db: remembered.take(db, session_id, memory_id))

    def attach(self, session_id: str, data: bytes) -> str:
        digest = attachments.digest_of(data)
        with self._database.saving("The attachment"):
            self._database.write(
                lambda db: attachments.keep(db, sessions.find(db, session_id).number, digest, data)
            )
        return digest

    def attachment(self, session_id: str, sha256: str) -> bytes:
        def work(db: sqlite3.Connection) -> bytes:
            number = sessions.find(db, session_id).number
            return attachments.content(db, number, sha256, f"session {session_id}")

        return self._database.read(work)

    # The trash ---------------------------------------------------------------------------

    def delete(self, session_id: str) -> TrashedSession:
        def work(db: sqlite3.Connection) -> TrashedSession:
            # In the trash nobody would open the session, which makes messages of them.
            dead = running_replies.gone(db, sessions.find(db, session_id).number, self._writers)
            if dead:
                running_replies.rescue(db, session_id, dead)
                text_index.note_form(db)
            return sessions.throw_away(db, session_id)

        with self._database.saving("The deletion"):
            trashed = self._database.write(work)
        self._replies.pop(session_id, None)
        return trashed

    def trash(self) -> list[TrashedSession]:
        return self._database.read(sessions.trash)

    def trashed_messages(self, trash_id: str) -> list[Message]:
        def work(db: sqlite3.Connection) -> list[Message]:
            number = sessions.find_trashed(db, trash_id)[0]
            return running_replies.as_messages(
                messages.tree(db, number), running_replies.kept(db, number)
            )

        return self._database.read(work)

    def trashed_memories(self, trash_id: str) -> list[Memory]:
        return self._database.read(
            lambda db: remembered.listed(db, sessions.find_trashed(db, trash_id)[0])
        )

    def trashed_attachment(self, trash_id: str, sha256: str) -> bytes:
        def work(db: sqlite3.Connection) -> bytes:
            number = sessions.find_trashed(db, trash_id)[0]
            return attachments.content(db, number, sha256, f"the deleted session {trash_id}")

        return self._database.read(work)

    def restore(self, trash_id: str) -> Session:
        with self._database.saving("The restored session"):
            return self._database.write(lambda db: sessions.restore(db, trash_id))

    def purge(self, trash_id: str) -> None:
        def work(db: sqlite3.Connection) -> None:
            same_words = text_index.is_of_this_form(db)
            sessions.purge(db, trash_id)
            if not same_words:
                text_index.make_anew(db)

        with self._database.saving("The purge"):
            self._database.write(work)
        # It is gone for everybody who asks; now for those who look into the file as well.
        with suppress(*FAILURES, StorageError):
            self._database.write(text_index.begin_forgetting)
            while self._database.write(text_index.forget_removed):
                pass
            self._database.empty_log()

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
        def work(db: sqlite3.Connection) -> None:
            number = sessions.take_over(db, session, messages, deleted_at)
            remembered.add(db, number, memories)
            if attachment is not None:
                attachments.take_over(db, number, messages, attachment)
            text_index.note_form(db)

        with self._database.saving("The session"):
            self._database.write(work, create=True)

    # The reply in work -------------------------------------------------------------------

    def partials(self, session_id: str) -> list[Message]:
        return self._database.read(
            lambda db: running_replies.kept(db, sessions.find(db, session_id).number)
        )

    def save_partial(self, session_id: str, message: Message | None) -> None:
        with self._database.saving("The reply in work"):
            if message is None:
                self._drop_partial(session_id)
            else:
                self._keep_partial(session_id, message)

    def _keep_partial(self, session_id: str, message: Message) -> None:
        kept = self._replies.get(session_id) or ReplyInProgress(None, time.monotonic())
        moment = time.monotonic()
        durable = moment - kept.synced_at >= _SYNC_EVERY

        def work(db: sqlite3.Connection) -> None:
            number = sessions.find(db, session_id).number
            writer = self._writers.enter()
            running_replies.save(db, number, writer, kept.now(), message, synced=not durable)

        self._database.write(work, durable=durable)
        self._replies[session_id] = ReplyInProgress(message, moment if durable else kept.synced_at)

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        kept = self._replies.get(session_id)
        if kept is None:
            raise StorageError(f"No reply is in work in session {str(session_id)[:80]}.")

        def work(db: sqlite3.Connection) -> None:
            number = sessions.find(db, session_id).number
            running_replies.extend(db, number, self._writers.enter(), growth)

        with self._database.saving("The reply in work"):
            self._database.write(work, durable=False)
        kept.growth.append(growth)

    def _drop_partial(self, session_id: str) -> None:
        reply = self._replies.pop(session_id, None)
        if reply is not None:
            self._database.write(
                lambda db: running_replies.remove(
                    db, sessions.find(db, session_id).number, reply.message_id
                )
            )

    def _rescue(self, session_id: str, dead: list[str]) -> None:
        def work(db: sqlite3.Connection) -> None:
            running_replies.rescue(db, session_id, dead)
            text_index.note_form(db)

        try:
            self._database.write(work)
        except FAILURES as error:
            # A disk that cannot be written still opens every session.
            self._notices.once(
                f"An interrupted reply is kept in {self.path} for later: {problems.reason(error)}."
            )
            return
        for name in dead:
            self._writers.forget(name)

    # Common ------------------------------------------------------------------------------

    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        from agno_shell_sqlite.checkup import Checkup

        return Checkup(self._database, repair=repair).findings()

    def close(self) -> None:
        self._database.close()
        with suppress(OSError):
            self._writers.leave()
