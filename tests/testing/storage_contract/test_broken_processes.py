"""Stores on a disk that only a process which dies can distinguish from sound ones, each rejected
for its reason."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from agno_shell.builtin.json_storage import attachments, memory_file
from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract.killed import KilledProcessContract
from agno_shell.types import Growth, Memory, Message, Session, grown, new_id, now

OpenStore = Callable[[], Storage]


class AcknowledgesBeforeItIsWritten(JsonStorage):
    """Writes every third message, and with it those before; a reader in the same
    process finds them all."""

    waiting: ClassVar[list[tuple[str, Message]]] = []

    def append(self, session_id: str, message: Message) -> Session:
        self.waiting.append((session_id, message))
        if len(self.waiting) < 3:
            return self._catalog.find(session_id).session
        return self._write()

    def _write(self) -> Session:
        while True:
            session = super().append(*self.waiting.pop(0))
            if not self.waiting:
                return session

    def messages(self, session_id: str, last: int | None = None) -> list[Message]:
        if self.waiting:
            self._write()
        return super().messages(session_id, last)

    def close(self) -> None:
        if self.waiting:
            self._write()
        super().close()


class ReplaysItsJournal(JsonStorage):
    """Notes that something is being saved, and adds it again where it finds the note."""

    def append(self, session_id: str, message: Message) -> Session:
        Path(self._root, session_id, "note").touch()
        return super().append(session_id, message)

    def tree(self, session_id: str) -> list[Message]:
        found = super().tree(session_id)
        if Path(self._root, session_id, "note").exists():
            found += self.replayed(found[-1])
        return found

    def replayed(self, message: Message) -> list[Message]:
        return [message] * 2

    def close(self) -> None:
        for note in Path(self._root).glob("*/note"):
            note.unlink()
        super().close()


class ReplaysUnderNewIds(ReplaysItsJournal):
    def replayed(self, message: Message) -> list[Message]:
        return [message._replace(id=new_id()) for _ in range(2)]


class WritesHalves(JsonStorage):
    """Saves a message without its end, and some time later the whole one in its place."""

    def append(self, session_id: str, message: Message) -> Session:
        path = Path(self._root, session_id, "messages.json")
        before = path.read_bytes()
        super().append(session_id, message._replace(content=message.content[:-1]))
        time.sleep(0.02)  # so that it is likely to be killed here
        path.with_name("before").write_bytes(before)
        path.with_name("before").replace(path)  # not to be killed with nothing in it
        return super().append(session_id, message)


class LocksForEver(JsonStorage):
    """Marks a session in use by a file, which a process that dies leaves behind."""

    def append(self, session_id: str, message: Message) -> Session:
        path = f"{self._root}/{session_id}/in-use"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise StorageError(f"Session {session_id} is in use.") from None
        try:
            return super().append(session_id, message)
        finally:
            os.unlink(path)


class KeepsRepliesInMemory(JsonStorage):
    """Writes a running reply only when the handle is closed."""

    def save_partial(self, session_id: str, message: Message | None) -> None:
        self.__dict__.setdefault("running", {})[session_id] = message

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        self.save_partial(session_id, grown(self.__dict__["running"][session_id], [growth]))

    def close(self) -> None:
        for session_id, message in self.__dict__.get("running", {}).items():
            super().save_partial(session_id, message)
        super().close()


class KeepsAReplyOnceASecond(JsonStorage):
    """Holds what is added to a reply in memory until all of it is kept again."""

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        pass


class ImportsMessageByMessage(JsonStorage):
    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        super().import_session(session, messages[:1], deleted_at=deleted_at, **more)
        for message in messages[1:]:
            self.append(session.session_id, message)


class RemembersWhenItIsClosed(JsonStorage):
    """Writes what is to be remembered only when the handle is closed, or on a read."""

    def remember(self, session_id: str, text: str) -> Memory:
        memory = Memory(new_id(), text, now())
        self.__dict__.setdefault("waiting", []).append((session_id, memory))
        return memory

    def memories(self, session_id: str) -> list[Memory]:
        self._write()
        return super().memories(session_id)

    def close(self) -> None:
        self._write()
        super().close()

    def _write(self) -> None:
        for session_id, memory in self.__dict__.pop("waiting", []):
            folder = f"{self._root}/{session_id}"
            memory_file.change(folder, lambda before, new=memory: [*before, new], print)  # type: ignore[misc]


class AttachesInTheBackground(JsonStorage):
    """Writes a content some time after it was acknowledged."""

    def attach(self, session_id: str, data: bytes) -> str:
        previous = self.__dict__.pop("waiting", None)
        if previous is not None:
            super().attach(*previous)
        self.__dict__["waiting"] = (session_id, data)
        return attachments.digest_of(data)


class WithoutStreaming(KilledProcessContract):
    """Leaves out the test that takes more than a second."""

    test_a_process_killed_while_a_reply_streams = None  # type: ignore[assignment]


SAVING = "test_a_process_killed_while_saving"
STREAMING = "test_a_process_killed_while_a_reply_streams"
IMPORTING = "test_a_process_killed_while_importing"
BELONGINGS = "test_a_process_killed_while_it_remembers_and_attaches"

BROKEN: dict[type[JsonStorage], tuple[str, ...]] = {
    AcknowledgesBeforeItIsWritten: (SAVING, "every message that append() had returned for"),
    ReplaysItsJournal: (SAVING, "no message is doubled"),
    ReplaysUnderNewIds: (SAVING, "at most the message in flight"),
    WritesHalves: (SAVING, "no message is garbled"),
    LocksForEver: (SAVING, "is in use"),
    KeepsRepliesInMemory: (STREAMING, "becomes an interrupted message"),
    KeepsAReplyOnceASecond: (STREAMING, "a killed process costs nothing of a reply"),
    RemembersWhenItIsClosed: (BELONGINGS, "everything that remember() had returned for"),
    AttachesInTheBackground: (BELONGINGS, "is not there"),
    ImportsMessageByMessage: (IMPORTING, "a session is imported whole or not at all"),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_it_is_rejected_for_its_own_reason(
    broken: type[JsonStorage], failures: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    own, words = BROKEN[broken]
    contract = KilledProcessContract if own == STREAMING else WithoutStreaming
    found = failures(_stores(broken, tmp_path), contract)
    assert set(found) == {own}, found
    assert words in found[own]


def _stores(kind: type[JsonStorage], folder: Path) -> Callable[[], OpenStore]:
    numbers = iter(range(1000))

    def new_store() -> OpenStore:
        options = StorageOptions(str(folder / f"store {next(numbers)}"))
        return lambda: kind(options)

    return new_store
