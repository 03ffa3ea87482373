"""A disk on which any call may fail: what was saved stays, what was not is told."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Attachment, Message, Session

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
        error = refusal(lambda new=new: store.append(session_id, new))  # type: ignore[misc]
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
    assert faults.calls[0] == "write", "the line in the index does not count until then"
    assert faults.calls[1:] == replacing * 2, "session.json, then sessions.json"


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
    "append": lambda store, one, _: store.append(one, message("new")),
    "create": lambda store, one, _: store.create("another"),
    "update": lambda store, one, _: store.update(one, name="renamed", tags=("t",)),
    "move the head": lambda store, one, _: store.update(one, head=store.tree(one)[0].id),
    "set_current": lambda store, one, _: store.set_current(one),
    "delete": lambda store, one, _: store.delete(one),
    "restore": lambda store, _, trashed: store.restore(trashed),
    "purge": lambda store, _, trashed: store.purge(trashed),
    "save_partial": lambda store, one, _: store.save_partial(one, message("half")),
    "save_partial, then append": lambda store, one, _: stream(store, one),
    "import_session": lambda store, one, _: store.import_session(*IMPORTED),
    "import into the trash": lambda store, one, _: store.import_session(
        *IMPORTED,
        deleted_at=IMPORTED[0].created_at,
    ),
    "rescue": lambda store, one, _: store.open(RESCUED),
    "remember": lambda store, one, _: store.remember(one, "new"),
    "remember for the first time": lambda store, _one, _: store.remember(RESCUED, "new"),
    "forget": lambda store, one, _: store.forget(one, store.memories(one)[0].id),
    "attach": lambda store, one, _: store.attach(one, b"new"),
    "attach for the first time": lambda store, _one, _: store.attach(RESCUED, b"new"),
    "attach again": lambda store, one, _: store.attach(one, KEPT),
    "import all of it": lambda store, one, _: store.import_session(
        *IMPORTED,
        memories=store.memories(one),
        attachment=lambda _digest: KEPT,
    ),
}

LOOKS: dict[str, Callable[[Storage, str, str], Any]] = {
    "sessions": lambda store, one, _: sorted(each.session_id for each in store.sessions()),
    "open": lambda store, one, _: store.open(one)._replace(updated_at=FIRST.created_at),
    "messages": lambda store, one, _: store.messages(one),
    "last messages": lambda store, one, _: store.messages(one, last=1),
    "tree": lambda store, one, _: store.tree(one),
    "trash": lambda store, one, _: [each.trash_id for each in store.trash()],
    "trashed_messages": lambda store, _, trashed: store.trashed_messages(trashed),
    "partials": lambda store, one, _: store.partials(RESCUED),
    "memories": lambda store, one, _: store.memories(one),
    "trashed_memories": lambda store, _, trashed: store.trashed_memories(trashed),
    "attachment": lambda store, one, _: store.attachment(one, KEPT_DIGEST),
    "trashed_attachment": lambda store, _, trashed: store.trashed_attachment(trashed, KEPT_DIGEST),
}
"""What only reads, but for what is no loss when it is not known: when a session was
changed last, which was the current one, and whether it has changed."""

KEPT: bytes = b"attached" * 100
KEPT_DIGEST: str = hashlib.sha256(KEPT).hexdigest()
"""What is attached in every session of the prepared store."""

RESCUED = "22222222-3333-4444-8555-666666666666"
"""A session in which a crash has left a reply."""
FIRST: Message = message("imported")
IMPORTED: tuple[Any, ...] = (
    Session("11111111-2222-4333-8444-555555555555", "imported", FIRST.created_at, FIRST.created_at),
    [
        FIRST,
        message("too", FIRST, attachments=(Attachment("a", "b/c", KEPT_DIGEST, len(KEPT)),)),
    ],
)


def stream(store: Storage, session_id: str) -> None:
    said = store.messages(session_id, last=1)
    reply = message("", said[-1], role="assistant")
    for text in ("one", "one two"):
        store.save_partial(session_id, reply._replace(content=text))
    store.append(session_id, reply._replace(content="one two three"))


class Prepared(NamedTuple):
    """A store with something of everything in it, and what it holds."""

    root: Path
    one: str
    two: str
    gone: str
    trash_id: str
    said: dict[str, list[str]]


@pytest.fixture
def prepared(scratch: Path) -> Prepared:
    root = scratch / "prepared"
    store = open_storage(StorageOptions(str(root)))
    one, two, gone = (store.create(each).session_id for each in ("one", "two", "gone"))
    said = {each: ids(say(store, each, "a", "b")) for each in (one, two, gone)}
    for each in (one, two, gone):
        store.remember(each, f"of {each}")
        assert store.attach(each, KEPT) == KEPT_DIGEST
    trash_id = store.delete(gone).trash_id
    store.set_current(two)
    store.import_session(IMPORTED[0]._replace(session_id=RESCUED), [FIRST])
    store.save_partial(RESCUED, message("half a reply", FIRST, role="assistant"))
    store.close()
    return Prepared(root, one, two, gone, trash_id, said | {RESCUED: [FIRST.id]})


EVERY_CALL = 400
"""More calls, looks and all, than any of the works makes."""


def tried_at_every_call(
    prepared: Prepared, faults: Any, scratch: Path, *, lasting: bool
) -> Iterator[tuple[int, Storage, StorageOptions]]:
    """The same store again and again, with a disk that fails at the first call, the
    second, ... until the work is done before that."""
    for number in range(1, EVERY_CALL):
        copied = scratch / str(number)
        shutil.copytree(prepared.root, copied)
        options = StorageOptions(str(copied))
        store = open_storage(options)
        faults.fail(OSError(errno.EIO, os.strerror(errno.EIO)), number, lasting=lasting, looks=True)
        yield number, store, options
        done = len(faults.calls) < number
        faults.heal()
        store.close()
        shutil.rmtree(copied)
        if done:
            return
    pytest.fail("the work makes more calls than were tried")


def what_is_wrong(again: Storage, prepared: Prepared, *, purged: bool, forgot: bool) -> list[str]:
    """Whether everything that was acknowledged is there."""
    sessions = again.sessions()
    wrong = []
    for each in sessions:
        ident = each.session_id
        remembered = [memory.text for memory in again.memories(ident)]
        if ident in prepared.said and ident != RESCUED:
            if remembered[:1] != [f"of {ident}"] and not forgot:
                wrong.append(f"{each.name}: it remembers {remembered}")
            if again.attachment(ident, KEPT_DIGEST) != KEPT:
                wrong.append(f"{each.name}: what was attached is another")
        if len(remembered) > 2:
            wrong.append(f"{each.name}: it remembers {remembered}")
    for each in sessions:
        expected = prepared.said.get(each.session_id, [])
        found = ids(again.tree(each.session_id))
        if each.session_id in prepared.said and found[: len(expected)] != expected:
            wrong.append(f"{each.name}: {len(found)} messages")
        if each.message_count != len(found):
            wrong.append(f"{each.name}: {each.message_count} are listed")
    kept = {each.session_id for each in sessions}
    if not purged:
        kept |= {each.session.session_id for each in again.trash()}
        wrong += [f"{each} is gone" for each in prepared.said.keys() - kept]
    json.loads(Path(again._root, "sessions.json").read_bytes())
    return wrong


@pytest.mark.parametrize("lasting", [True, False], ids=["for good", "once"])
@pytest.mark.parametrize("name", WORKS)
def test_work_that_fails_at_any_call_loses_nothing(
    name: str, lasting: bool, prepared: Prepared, faults: Any, scratch: Path
) -> None:
    error: StorageError | None = None
    for number, store, options in tried_at_every_call(prepared, faults, scratch, lasting=lasting):
        error = refusal(lambda store=store: WORKS[name](store, prepared.one, prepared.trash_id))  # type: ignore[misc]
        assert error is None or len(str(error)) > 20
        calls = len(faults.calls)
        faults.heal()
        again = open_storage(options)
        wrong = what_is_wrong(again, prepared, purged=name == "purge", forgot=name == "forget")
        assert wrong == [], number
        if error is None and name == "remember":
            assert [each.text for each in again.memories(prepared.one)][1:] == ["new"]
        if error is None and name == "forget":
            assert again.memories(prepared.one) == []
        if error is None and name == "attach":
            assert again.attachment(prepared.one, hashlib.sha256(b"new").hexdigest()) == b"new"
        if error is None and name == "update":
            assert again.open(prepared.one).name == "renamed"
        for handle in (store, again):
            assert say(handle, prepared.two, "the disk has healed")
            (new,) = handle.sessions()[:1]
            assert new.session_id == prepared.two
        again.open(RESCUED)
        assert [each.content for each in again.tree(RESCUED)][1:] == ["half a reply"]
        again.close()
        faults.calls[:] = ["-"] * calls
    assert error is None, "without a fault it is done"


@pytest.mark.parametrize("lasting", [True, False], ids=["for good", "once"])
@pytest.mark.parametrize("name", LOOKS)
def test_a_look_that_fails_at_any_call_tells_so(
    name: str, lasting: bool, prepared: Prepared, faults: Any, scratch: Path
) -> None:
    """No answer is right that leaves out what could not be read."""
    expected = None
    for number, store, options in tried_at_every_call(prepared, faults, scratch, lasting=lasting):
        found: list[Any] = []
        error = refusal(
            lambda store=store, found=found: found.append(  # type: ignore[misc]
                LOOKS[name](store, prepared.one, prepared.trash_id)
            )
        )
        calls = len(faults.calls)
        faults.heal()
        expected = LOOKS[name](open_storage(options), prepared.one, prepared.trash_id)
        assert found == ([] if error else [expected]), number
        assert error is None or len(str(error)) > 20
        faults.calls[:] = ["-"] * calls
    assert expected is not None


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


@pytest.mark.parametrize("only", ["create replace", "pwrite write create"])
def test_a_list_that_cannot_be_written_does_not_go_on_with_an_old_name(
    only: str, open_store: Opened, faults: Any
) -> None:
    store = open_store()
    session_id = store.create("old name").session_id
    for number, name in enumerate(("new name", "old name", "a longer name"), 1):
        # The more calls succeed, the later it fails: at last only the index does.
        faults.fail(FULL, number, only=only)
        refused = refusal(lambda name=name: store.update(session_id, name=name))  # type: ignore[misc]
        faults.heal()
        (listed,) = open_store().sessions()
        assert listed.name == open_store().open(session_id).name
        assert refused or listed.name == name
