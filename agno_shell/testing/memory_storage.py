"""A storage in memory: the whole contract without a disk, for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.toolkit import json_records
from agno_shell.types import (
    ROOT,
    Growth,
    Memory,
    Message,
    Role,
    SearchHit,
    Session,
    TrashedSession,
    grown,
    new_id,
    new_session,
    now,
    session_changes,
)


@dataclass
class StoredSession:
    """A session and all that belongs to it, in the order in which it was saved."""

    session: Session
    messages: list[Message] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    """Of attached files, by their SHA-256."""


@dataclass
class MemoryStore:
    """What outlives a handle: open several :class:`MemoryStorage` on the same one."""

    sessions: dict[str, StoredSession] = field(default_factory=dict)
    trash: dict[str, tuple[TrashedSession, StoredSession]] = field(default_factory=dict)
    current: str | None = None
    partials: dict[tuple[str, int], Message] = field(default_factory=dict)
    """Replies in work, by session and by the number of the handle that writes them."""
    writing: set[int] = field(default_factory=set)
    """The handles that are open."""
    handles: int = 0


class MemoryStorage(Storage):
    """Sessions in ``store``, or in a new one. Closing a handle is what a crash is to a
    process: a reply in work stays and becomes an interrupted message."""

    can_search = True

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store if store is not None else MemoryStore()
        self.store.handles += 1
        self._handle = self.store.handles
        self.store.writing.add(self._handle)

    def sessions(self) -> list[Session]:
        found = [kept.session for kept in self.store.sessions.values()]
        return sorted(found, key=lambda each: (each.updated_at, each.session_id), reverse=True)

    def open(self, session_id: str) -> Session:
        kept = self._kept(session_id)
        for (owner, handle), message in list(self.store.partials.items()):
            if owner == session_id and handle not in self.store.writing:
                del self.store.partials[owner, handle]
                says = message.content or message.provider_data or message.provider_tools
                if says and all(each.id != message.id for each in kept.messages):
                    self._rescue(kept, message._replace(status="interrupted"))
        return kept.session

    def create(
        self,
        name: str,
        description: str = "",
        *,
        model: str | None = None,
        agent: str | None = None,
    ) -> Session:
        session = new_session(name, description, model=model, agent=agent, created_at=self._now())
        self.store.sessions[session.session_id] = StoredSession(session)
        return session

    def update(self, session_id: str, **changes: Any) -> Session:
        changes = session_changes(changes)
        kept = self._kept(session_id)
        head = changes.get("head")
        if head not in (None, ROOT) and all(each.id != head for each in kept.messages):
            raise StorageError(f"Session {session_id} has no message {head!r}.")
        return self._touch(kept, **changes)

    def append(self, session_id: str, message: Message) -> Session:
        kept = self._kept(session_id)
        _require_writable(session_id, [message])
        kept.messages.append(message)
        partial = self.store.partials.get((session_id, self._handle))
        if partial is not None and partial.id == message.id:
            self.save_partial(session_id, None)
        return self._touch(kept, head=None, message_count=len(kept.messages))

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        kept = self._kept(session_id)
        path = self._path(kept)
        if last is None:
            return path
        return path[-last:] if last > 0 else []

    def tree(self, session_id: str) -> list[Message]:
        return list(self._kept(session_id).messages)

    def save_partial(self, session_id: str, message: Message | None) -> None:
        if message is None:
            self.store.partials.pop((session_id, self._handle), None)
            return
        self._kept(session_id)
        self.store.partials[session_id, self._handle] = message

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        self._kept(session_id)
        message = self.store.partials.get((session_id, self._handle))
        if message is None or message.id != growth.message_id:
            raise StorageError(f"No reply {growth.message_id[:80]!r} is in work here.")
        self.store.partials[session_id, self._handle] = grown(message, [growth])

    def partials(self, session_id: str) -> list[Message]:
        kept = self._kept(session_id)
        saved = {message.id for message in kept.messages}
        return [
            message
            for (owner, _handle), message in self.store.partials.items()
            if owner == session_id and message.id not in saved
        ]

    def version(self, session_id: str) -> object:
        kept = self._kept(session_id)
        return kept.session, tuple(kept.memories)

    # What belongs to a session beside its messages ---------------------------------------

    def memories(self, session_id: str) -> list[Memory]:
        return list(self._kept(session_id).memories)

    def remember(self, session_id: str, text: str) -> Memory:
        kept = self._kept(session_id)
        memory = Memory(new_id(), text, self._now())
        kept.memories.append(memory)
        return memory

    def forget(self, session_id: str, memory_id: str) -> Memory:
        kept = self._kept(session_id)
        for memory in kept.memories:
            if memory.id == memory_id:
                kept.memories.remove(memory)
                return memory
        raise StorageError(f"Session {session_id} remembers no {str(memory_id)[:80]!r}.")

    def attach(self, session_id: str, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self._kept(session_id).contents[digest] = bytes(data)
        return digest

    def attachment(self, session_id: str, sha256: str) -> bytes:
        return _content(self._kept(session_id), sha256)

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
        if not _is_session_id(session.session_id):
            raise StorageError(f"{session.session_id[:80]!r} is not a session id.")
        _require_writable(session.session_id, messages, memories)
        kept = StoredSession(
            session._replace(message_count=len(messages)), list(messages), list(memories)
        )
        if attachment is not None:
            kept.contents = _taken(messages, attachment)
        if deleted_at is not None:
            if any(
                (each.session.session_id, each.deleted_at) == (session.session_id, deleted_at)
                for each, _kept in self.store.trash.values()
            ):
                raise StorageError(f"The trash holds session {session.session_id} already.")
            self._throw_away(kept, deleted_at)
        elif session.session_id in self.store.sessions:
            raise StorageError(f"There is a session {session.session_id} already.")
        else:
            self.store.sessions[session.session_id] = kept

    def trashed_messages(self, trash_id: str) -> list[Message]:
        return list(self._trashed(trash_id)[1].messages)

    def trashed_memories(self, trash_id: str) -> list[Memory]:
        return list(self._trashed(trash_id)[1].memories)

    def trashed_attachment(self, trash_id: str, sha256: str) -> bytes:
        return _content(self._trashed(trash_id)[1], sha256)

    # The trash ---------------------------------------------------------------------------

    def delete(self, session_id: str) -> TrashedSession:
        self.open(session_id)  # in the trash nobody would, and a reply may be cut off
        kept = self._kept(session_id)
        del self.store.sessions[session_id]
        trashed = self._throw_away(kept, now())
        if self.store.current == session_id:
            following = next(iter(self.sessions()), None)
            self.store.current = following.session_id if following else None
        return trashed

    def _throw_away(self, kept: StoredSession, deleted_at: datetime) -> TrashedSession:
        size = sum(len(each.content.encode("utf-8", "replace")) for each in kept.messages)
        size += sum(map(len, kept.contents.values()))
        trashed = TrashedSession(new_id(), kept.session, deleted_at, size)
        self.store.trash[trashed.trash_id] = (trashed, kept)
        return trashed

    def trash(self) -> list[TrashedSession]:
        found = [trashed for trashed, _kept in reversed(self.store.trash.values())]
        return sorted(found, key=lambda each: each.deleted_at, reverse=True)

    def restore(self, trash_id: str) -> Session:
        trashed, kept = self._trashed(trash_id)
        session_id = trashed.session.session_id
        if session_id in self.store.sessions:
            raise StorageError(f"A session {session_id} exists.")
        del self.store.trash[trash_id]
        self.store.sessions[session_id] = kept
        return kept.session

    def purge(self, trash_id: str) -> None:
        self._trashed(trash_id)
        del self.store.trash[trash_id]

    def current(self) -> str | None:
        return self.store.current if self.store.current in self.store.sessions else None

    def set_current(self, session_id: str) -> None:
        self._kept(session_id)
        self.store.current = session_id

    def close(self) -> None:
        self.store.writing.discard(self._handle)

    def search(
        self,
        query: str,
        *,
        session_id: str | None = None,
        role: Role | None = None,
        since: datetime | None = None,
        limit: int = 20,
    ) -> list[SearchHit]:
        from agno_shell.toolkit import full_text

        searched = self.store.sessions.values() if session_id is None else [self._kept(session_id)]
        found = [
            (kept.session, message)
            for kept in searched
            for message in kept.messages
            if role in (None, message.role) and (since is None or message.created_at >= since)
        ]
        wanted = full_text.parse(query)
        best = wanted.ranked([message.content for _session, message in found])
        return [
            SearchHit(*found[position], wanted.snippet(found[position][1].content))
            for position in best[: max(limit, 0)]
        ]

    def _kept(self, session_id: str) -> StoredSession:
        kept = self.store.sessions.get(session_id) if isinstance(session_id, str) else None
        if kept is None:
            raise SessionNotFoundError(f"There is no session {str(session_id)[:80]!r}.")
        return kept

    def _trashed(self, trash_id: str) -> tuple[TrashedSession, StoredSession]:
        found = self.store.trash.get(trash_id) if isinstance(trash_id, str) else None
        if found is None:
            raise SessionNotFoundError(f"The trash holds no {str(trash_id)[:80]!r}.")
        return found

    def _path(self, kept: StoredSession) -> list[Message]:
        by_id = {message.id: message for message in kept.messages}
        head = kept.session.head
        if head is None and kept.messages:
            head = kept.messages[-1].id
        path: list[Message] = []
        while head is not None and head in by_id:
            path.append(by_id[head])
            head = by_id[head].parent
        path.reverse()
        return path

    def _rescue(self, kept: StoredSession, message: Message) -> None:
        before = self._path(kept)
        stood_on = before[-1].id if before else kept.session.head
        self.append(kept.session.session_id, message)
        if stood_on is not None and stood_on != (message.parent or ROOT):
            self._touch(kept, head=stood_on)

    def _touch(self, kept: StoredSession, **changes: Any) -> Session:
        updated_at = max(self._now(), kept.session.updated_at)
        kept.session = kept.session._replace(**changes, updated_at=updated_at)
        return kept.session

    def _now(self) -> datetime:
        """The clock of this store; a test may let it jump."""
        return now()


def _is_session_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value  # UUID() takes other forms as well
    except ValueError:
        return False


def _require_writable(
    session_id: str, messages: Sequence[Message], memories: Sequence[Memory] = ()
) -> None:
    """Refuse what a storage on a disk could not keep."""
    try:
        for message in messages:
            json_records.message_line(message)
        for memory in memories:
            json_records.memory_line(memory)
    except json_records.UnwritableError as error:
        raise StorageError(f"Session {session_id} cannot keep the message: {error}.") from error


def _content(kept: StoredSession, sha256: str) -> bytes:
    found = kept.contents.get(sha256) if isinstance(sha256, str) else None
    if found is None:
        raise StorageError(
            f"Session {kept.session.session_id} has no attachment {str(sha256)[:80]!r}."
        )
    if hashlib.sha256(found).hexdigest() != sha256:
        raise StorageError(
            f"The attachment {sha256} of session {kept.session.session_id} is damaged."
        )
    return found


def _taken(messages: Sequence[Message], attachment: Callable[[str], bytes]) -> dict[str, bytes]:
    """The contents that messages name, as far as they can be read."""
    found = {}
    for digest in {each.sha256 for message in messages for each in message.attachments}:
        with suppress(StorageError):
            data = attachment(digest)
            if hashlib.sha256(data).hexdigest() == digest:
                found[digest] = data
    return found
