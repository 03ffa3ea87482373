"""A session made of the beginning of another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from threading import Event
from typing import overload

from agno_shell.contracts import Storage
from agno_shell.conversation.tree import outline
from agno_shell.conversation.tree.outline import Run
from agno_shell.errors import StorageError
from agno_shell.types import Message, Session, new_id, now


class Copies(Sequence[Message]):
    """The messages of a path as those of another session, made while they are gone through:
    a part of them is held at a time.

    Their ids are new, because a message belongs to one session; when they were said, and what
    they cost, stays. ``told`` hears how many were gone through; once ``stopped`` is set, going
    through them raises ``StorageError``.
    """

    def __init__(
        self,
        read: Callable[[Sequence[Run]], Iterator[list[Message]]],
        runs: Sequence[Run],
        is_on_path: Callable[[str], bool],
        told: Callable[[int], None] = lambda _done: None,
        stopped: Event | None = None,
    ) -> None:
        self._read = read
        self._runs = runs
        self._told = told
        self._stopped = stopped
        self.is_on_path = is_on_path
        self._key = os.urandom(16)

    def __len__(self) -> int:
        return outline.length(self._runs)

    def __iter__(self) -> Iterator[Message]:
        done = 0
        parent: str | None = None
        for some in self._read(self._runs):
            if self._stopped is not None and self._stopped.is_set():
                raise StorageError("The copy was stopped; nothing was made.")
            for message in some:
                yield self._copy(message, parent)
                parent = message.id
            done += len(some)
            self._told(done)

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> list[Message]: ...
    def __getitem__(self, at: int | slice) -> Message | list[Message]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        place = at + len(self) if at < 0 else at
        if not 0 <= place < len(self):
            raise IndexError(at)
        wanted = outline.within(self._runs, max(0, place - 1), place + 1)
        some = [each for part in self._read(wanted) for each in part]
        return self._copy(some[-1], some[-2].id if place else None)

    def _copy(self, message: Message, parent: str | None) -> Message:
        covers = message.covers
        return message._replace(
            id=self.renamed(message.id),
            parent=None if parent is None else self.renamed(parent),
            covers=self.renamed(covers) if covers and self.is_on_path(covers) else None,
        )

    def renamed(self, message_id: str) -> str:
        """The id of a message in the copy: the same whenever it is asked for, so that none has
        to be remembered."""
        raw = message_id.encode("utf-8", "surrogatepass")
        digest = bytearray(blake2b(raw, key=self._key, digest_size=16).digest())
        digest[6] = digest[6] & 0x0F | 0x40
        digest[8] = digest[8] & 0x3F | 0x80
        digits = digest.hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def stored(
    storage: Storage,
    session_id: str,
    runs: Sequence[Run],
    told: Callable[[int], None] = lambda _done: None,
    stopped: Event | None = None,
) -> Copies:
    """The messages of a path that is stored."""

    def read(some: Sequence[Run]) -> Iterator[list[Message]]:
        return outline.each(storage, session_id, some)

    def is_on_path(message_id: str) -> bool:
        return bool(outline.numbers(storage, session_id, runs, (message_id,)))

    return Copies(read, runs, is_on_path, told, stopped)


def held(path: Sequence[Message]) -> Copies:
    """The messages of a path of which some could not be saved."""
    ids = {message.id for message in path}
    return Copies(
        lambda runs: iter([list(path[start:stop]) for start, stop in runs]),
        [(0, len(path))],
        ids.__contains__,
    )


def make(storage: Storage, session: Session, copies: Copies, name: str) -> Session:
    """Keep them as a session of its own, with the memories of ``session`` and what is attached
    to the messages; all of it, or nothing."""
    session_id = session.session_id
    moment = now()
    made = session._replace(
        session_id=new_id(),
        name=name,
        created_at=moment,
        updated_at=moment,
        message_count=len(copies),
        head=None,
        pinned=tuple(copies.renamed(each) for each in session.pinned if copies.is_on_path(each)),
    )
    storage.import_session(
        made,
        copies,
        memories=[each._replace(id=new_id()) for each in storage.memories(session_id)],
        attachment=lambda sha256: storage.attachment(session_id, sha256),
    )
    return storage.open(made.session_id)
