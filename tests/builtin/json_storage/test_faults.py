"""A disk on which any call may fail: what was saved stays, what was not is told."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Message, Session, Trashed

Opened = Callable[[], Storage]
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
MOST_CALLS = 40
"""More calls than any of the works below makes; a work that makes more fails."""


def ids(messages: list[Message]) -> list[str]:
    return [each.id for each in messages]


def refusal(work: Callable[[], object]) -> StorageError | None:
    """The error with which a work is refused, if it is."""
    try:
        work()
    except StorageError as error:
        return error
    return None


def old_layout(root: Path, session_id: str) -> None:
    path = root / session_id / "messages.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))


@pytest.mark.parametrize("lasting", [True, False], ids=["for good", "once"])
@pytest.mark.parametrize("prepare", [None, old_layout], ids=["in place", "anew"])
def test_an_append_that_fails_at_any_call(
    root: Path, open_store: Opened, faults: Any, lasting: bool, prepare: Any
) -> None:
    first = open_store()
    session_id = first.create("full").session_id
    saved = say(first, session_id, "a", "b")
    if prepare:
        prepare(root, session_id)
    store = open_store()
    for number in range(1, MOST_CALLS):
        if prepare:
            prepare(root, session_id)
        new = message(f"new {number}", saved[-1])
        faults.fail(FULL, number, lasting=lasting)
        error = refusal(lambda new=new: store.append(session_id, new))
        if error is None:
            saved.append(new)
        else:
            assert "was not saved: " in str(error)
            assert "No space left" in str(error)
            assert error.hint
        done = len(faults.calls) < number
        faults.heal()
        again = open_store().tree(session_id)
        assert ids(again)[: len(saved)] == ids(saved), "what was saved is there"
        assert ids(again)[len(saved) :] in ([], [new.id]), "and at most the one in flight"
        json.loads((root / session_id / "messages.json").read_bytes())
        if len(again) > len(saved):
            saved.append(new)
        after = message("after", saved[-1])
        store.append(session_id, after)
        saved.append(after)
        assert ids(open_store().tree(session_id)) == ids(saved)
        assert open_store().open(session_id).message_count == len(saved)
        if done:
            return
    pytest.fail("the work makes more calls than were tried")


def test_a_message_is_synced_before_it_is_acknowledged(store: Storage, faults: Any) -> None:
    session_id = store.create("order").session_id
    say(store, session_id, "a")
    faults.heal()
    say(store, session_id, "b")
    assert faults.calls == ["write", "fdatasync", "write"], "message, sync, index"


def test_a_replaced_file_is_synced_before_and_its_folder_after(store: Storage, faults: Any) -> None:
    session_id = store.create("order").session_id
    faults.heal()
    store.update(session_id, name="a longer name")
    replacing = ["create", "fchmod", "write", "fdatasync", "replace", "fsync"]
    assert faults.calls == replacing * 2, "session.json, then sessions.json"


def test_a_failed_write_is_rolled_back_to_the_byte(root: Path, store: Storage, faults: Any) -> None:
    session_id = store.create("full").session_id
    say(store, session_id, "a")
    path = root / session_id / "messages.json"
    before, inode = path.read_bytes(), path.stat().st_ino
    faults.fail(FULL, only="fdatasync")
    with pytest.raises(StorageError):
        say(store, session_id, "b")
    assert path.read_bytes() == before
    faults.heal()
    faults.fail(FULL, only="write", lasting=False)
    with pytest.raises(StorageError):
        say(store, session_id, "b")
    assert path.read_bytes() == before
    assert path.stat().st_ino == inode


def synced_inodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    seen: list[int] = []
    real = disk.sync

    def sync(fd: int) -> None:
        seen.append(os.fstat(fd).st_ino)
        real(fd)

    monkeypatch.setattr(disk, "sync", sync)
    return seen


def test_a_file_whose_sync_failed_is_never_synced_again(
    root: Path, store: Storage, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("failing disk").session_id
    (first,) = say(store, session_id, "a")
    path = root / session_id / "messages.json"
    inode = path.stat().st_ino
    faults.fail(OSError(errno.EIO, "I/O error"), only="fdatasync", lasting=False)
    lost = message("b", first)
    with pytest.raises(StorageError, match="I/O error"):
        store.append(session_id, lost)
    faults.heal()
    seen = synced_inodes(monkeypatch)
    store.append(session_id, lost)
    assert inode not in seen
    assert path.stat().st_ino != inode
    assert ids(store.tree(session_id)) == [first.id, lost.id]
    store.append(session_id, message("c", lost))
    assert path.stat().st_ino == seen[-1]


def test_a_roll_back_that_fails_leaves_a_file_that_opens(
    root: Path, open_store: Opened, faults: Any, notices: list[str]
) -> None:
    store = open_store()
    session_id = store.create("torn").session_id
    (first,) = say(store, session_id, "a")
    faults.short_writes = True
    faults.fail(FULL, 2, only="write ftruncate")
    lost = message("b" * 1000, first)
    with pytest.raises(StorageError):
        store.append(session_id, lost)
    faults.heal()
    assert ids(open_store().tree(session_id)) == [first.id]
    store.append(session_id, lost)
    assert ids(open_store().tree(session_id)) == [first.id, lost.id]
    json.loads((root / session_id / "messages.json").read_bytes())


def test_a_message_that_is_there_after_all_is_not_doubled(
    store: Storage, open_store: Opened, faults: Any
) -> None:
    """The sync of the folder failed after the new file was in place."""
    session_id = store.create("folder").session_id
    (first,) = say(store, session_id, "a")
    faults.fail(FULL, only="fdatasync", lasting=False)
    new = message("b", first)
    with pytest.raises(StorageError):
        store.append(session_id, new)
    faults.heal()
    faults.fail(FULL, only="fsync", lasting=False)
    with pytest.raises(StorageError):
        store.append(session_id, new)
    faults.heal()
    assert store.append(session_id, new).message_count == 2
    assert ids(open_store().tree(session_id)) == [first.id, new.id]


WORKS: dict[str, Callable[[Storage, str, str], Any]] = {
    "create": lambda store, one, _: store.create("another"),
    "update": lambda store, one, _: store.update(one, name="renamed", tags=("t",)),
    "set_current": lambda store, one, _: store.set_current(one),
    "delete": lambda store, one, _: store.delete(one),
    "restore": lambda store, _, trashed: store.restore(trashed),
    "purge": lambda store, _, trashed: store.purge(trashed),
    "save_partial": lambda store, one, _: store.save_partial(one, message("half")),
}


def state(store: Storage) -> tuple[list[Session], list[Trashed]]:
    return store.sessions(), store.trash()


@pytest.mark.parametrize("name", WORKS)
def test_other_work_that_fails_at_any_call_loses_no_message(
    name: str, tmp_path: Path, faults: Any
) -> None:
    work = WORKS[name]
    for number in range(1, MOST_CALLS):
        options = StorageOptions(str(tmp_path / str(number)))
        store = open_storage(options)
        one, two, gone = (store.create(each).session_id for each in ("one", "two", "gone"))
        said = {each: ids(say(store, each, "a", "b")) for each in (one, two, gone)}
        trashed = store.delete(gone).trash_id
        faults.fail(FULL, number)
        error = refusal(lambda store=store, one=one, trashed=trashed: work(store, one, trashed))
        assert error is None or "was not saved: " in str(error)
        done = len(faults.calls) < number
        faults.heal()
        again = open_storage(options)
        sessions, trash = state(again)
        assert {each.session_id for each in sessions} >= {two}
        for each in sessions:
            expected = said.get(each.session_id, [])
            assert ids(again.messages(each.session_id)) == expected
            assert each.message_count == len(expected)
        kept = {each.session_id for each in sessions} | {each.session.session_id for each in trash}
        if name != "purge":
            assert kept >= {one, two, gone}
        if error is None and name == "update":
            assert again.open(one).name == "renamed"
        assert say(again, two, "c")
        store.close()
        again.close()
        if done:
            assert error is None
            return
    pytest.fail("the work makes more calls than were tried")


def test_a_read_only_disk_opens_everything(open_store: Opened, faults: Any) -> None:
    store = open_store()
    session_id = store.create("read only").session_id
    said = say(store, session_id, "a", "b")
    store.set_current(session_id)
    faults.fail(OSError(errno.EROFS, os.strerror(errno.EROFS)))
    reader = open_store()
    assert reader.open(session_id) == reader.sessions()[0]
    assert reader.messages(session_id) == said
    assert reader.current() == session_id
    assert faults.calls == []
    with pytest.raises(StorageError, match="Read-only") as told:
        say(reader, session_id, "c")
    assert "[storage] path" in told.value.hint


def test_short_writes_are_carried_on(root: Path, store: Storage, faults: Any) -> None:
    faults.short_writes = True
    session_id = store.create("short").session_id
    said = say(store, session_id, "x" * 3000, "y")
    assert store.messages(session_id) == said
    json.loads((root / "sessions.json").read_bytes())


def test_failed_attempts_leave_no_copies_behind(root: Path, store: Storage, faults: Any) -> None:
    """A full disk on which every message leaves another copy never has room again."""
    session_id = store.create("full").session_id
    saved = say(store, session_id, "a", "b")
    old_layout(root, session_id)
    before = (root / session_id / "messages.json").read_bytes()
    for _ in range(3):
        faults.fail(FULL, only="replace")
        assert refusal(lambda: store.append(session_id, message("c", saved[-1])))
    assert {path.name for path in (root / session_id).iterdir()} == {
        "messages.json",
        "session.json",
    }
    faults.fail(FULL, at=2, only="fsync replace")  # the folder, after the rename
    assert refusal(lambda: store.append(session_id, message("c", saved[-1])))
    (copy,) = (root / session_id).glob("messages.json.before-*")
    assert copy.read_bytes() == before
