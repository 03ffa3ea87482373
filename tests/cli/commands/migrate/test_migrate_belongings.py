"""What belongs to a session beside its messages goes along when it is copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Attachment, Memory, Message

Move = Callable[..., Any]
OpenJson = Callable[..., JsonStorage]
Say = Callable[..., list[Message]]


@pytest.fixture
def put(say: Say) -> Callable[[Storage], str]:
    """Puts a session with two attached files and two memories into a store; its id."""

    def put(storage: Storage) -> str:
        session_id = storage.create("Tax").session_id
        digests = [storage.attach(session_id, data) for data in (b"one", b"two")]
        files = tuple(Attachment("a", "b/c", digest, 3) for digest in digests)
        say(storage, session_id, "see", attachments=files)
        for text in ("blue", "red"):
            storage.remember(session_id, text)
        return session_id

    return put


def test_a_dry_run_tells_how_much_there_is(move: Move, put: Any) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    put(source)
    ran = move(source, target, dry_run=True)
    assert "(1 message, 3 characters, 2 things to remember, 2 attached files)" in ran.out
    assert (ran.status, target.sessions()) == (0, [])


class LossyStorage(MemoryStorage):
    def memories(self, session_id: str) -> list[Memory]:
        return super().memories(session_id)[1:]


class AlteringStorage(MemoryStorage):
    def memories(self, session_id: str) -> list[Memory]:
        return [each._replace(text="x") for each in super().memories(session_id)]


class LossyFileStorage(MemoryStorage):
    def attachment(self, session_id: str, sha256: str) -> bytes:
        raise StorageError("It is not there.")


class LossyTrashStorage(MemoryStorage):
    def trashed_memories(self, trash_id: str) -> list[Memory]:
        return []


@pytest.mark.parametrize(
    ("kind", "deleted", "what"),
    [
        (LossyStorage, False, "1 thing to remember missing."),
        (AlteringStorage, False, "other things to remember, or in another order."),
        (LossyFileStorage, False, "2 attached files missing."),
        (LossyTrashStorage, True, "2 things to remember missing."),
    ],
)
def test_a_target_that_loses_something_is_caught(
    kind: type[MemoryStorage], deleted: bool, what: str, move: Move, put: Any
) -> None:
    source = MemoryStorage()
    session_id = put(source)
    if deleted:
        source.delete(session_id)
    ran = move(source, kind())
    assert ran.status == 1
    assert f"its copy in there is not the same: {what}" in ran.err


def test_a_lost_file_costs_that_file_and_is_named(
    move: Move, open_json: OpenJson, put: Any, tmp_path: Path
) -> None:
    source, target = open_json("source"), MemoryStorage()
    session_id = put(source)
    (lost, kept) = sorted((tmp_path / "source" / session_id / "attachments").iterdir())
    lost.write_bytes(b"something else")
    for _time in range(2):
        ran = move(source, target)
        assert ran.status == 1
        assert ran.err.count("\n") == 1
        assert f"Session 'Tax' ({session_id}): 1 attached file cannot be read in here: " in ran.err
        assert str(lost) in ran.err
        assert target.tree(session_id) == source.tree(session_id)
        assert target.attachment(session_id, kept.name) == kept.read_bytes()
        assert target.memories(session_id) == source.memories(session_id)
        with pytest.raises(StorageError):
            target.attachment(session_id, lost.name)


def test_of_a_damaged_file_what_can_be_read_is_copied_and_it_is_named(
    move: Move, open_json: OpenJson, put: Any, tmp_path: Path
) -> None:
    session_id = put(open_json("source"))
    path = tmp_path / "source" / session_id / "memory.json"
    path.write_bytes(path.read_bytes()[:-20])
    notices: list[str] = []
    target = MemoryStorage()
    ran = move(open_json("source", notices), target, notices)
    assert ran.status == 1
    assert f"what can be read of it is copied. {path} is damaged" in ran.err
    assert [each.text for each in target.memories(session_id)] == ["blue"]


def test_what_was_remembered_since_is_brought_up_to_date(move: Move, put: Any) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = put(source)
    move(source, target)
    source.remember(session_id, "green")
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert "1 session brought up to date" in ran.out
    assert target.memories(session_id) == source.memories(session_id)
    assert target.attachment(session_id, source.attach(session_id, b"one")) == b"one"
    (older,) = target.trash()
    assert [each.text for each in target.trashed_memories(older.trash_id)] == ["blue", "red"]


def test_what_only_the_target_remembers_is_not_overwritten(move: Move, put: Any) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = put(source)
    move(source, target)
    own = target.remember(session_id, "green")
    source.remember(session_id, "yellow")
    ran = move(source, target)
    assert ran.status == 1
    assert "1 thing to remember missing; 1 thing to remember more" in ran.err
    assert own in target.memories(session_id)


def test_what_is_remembered_during_the_copy_is_named(move: Move, put: Any) -> None:
    class Growing(MemoryStorage):
        reads = 0

        def memories(self, session_id: str) -> list[Memory]:
            self.reads += 1
            if self.reads == 2:
                self.remember(session_id, "meanwhile")
            return super().memories(session_id)

    source = Growing()
    session_id = put(source)
    ran = move(source, MemoryStorage())
    assert ran.status == 1
    assert f"({session_id}): it was changed in here while it was copied." in ran.err
