"""Moving into the trash and out of it, with a disk that fails."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import disk, trash
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract import HOSTILE_IDS, message, say
from agno_shell.types import Message, Session, new_id, now


@pytest.fixture(params=["sessions", "trash"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the folder whose sync fails once :func:`break_it` was called."""
    return str(request.param)


def break_it(patched: pytest.MonkeyPatch, failing: str) -> None:
    real = disk.sync_folder

    def sync_folder(path: str) -> None:
        if Path(path).name == failing:
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    patched.setattr(disk, "sync_folder", sync_folder)


def test_a_deletion_that_is_said_to_have_failed_has_not_happened(
    store: Storage, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("stays").session_id
    said = say(store, session_id, "a")
    store.purge(store.delete(store.create("so that there is a trash").session_id).trash_id)
    with monkeypatch.context() as patched:
        break_it(patched, failing)
        with pytest.raises(StorageError, match="not saved"):
            store.delete(session_id)
    assert store.trash() == []
    assert store.tree(session_id) == said
    assert [each.session_id for each in store.sessions()] == [session_id]


def test_a_restoring_that_is_said_to_have_failed_has_not_happened(
    store: Storage, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("deleted").session_id
    trashed = store.delete(session_id)
    with monkeypatch.context() as patched:
        break_it(patched, failing)
        with pytest.raises(StorageError, match="not saved"):
            store.restore(trashed.trash_id)
    assert store.sessions() == []
    assert store.trash() == [trashed]
    assert store.restore(trashed.trash_id).session_id == session_id


def test_an_import_into_the_trash_is_all_or_nothing(
    store: Storage, failing: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.purge(store.delete(store.create("so that there is a trash").session_id).trash_id)
    moment = now()
    deleted = Session(new_id(), "deleted elsewhere", moment, moment)
    with monkeypatch.context() as patched:
        break_it(patched, failing)
        with pytest.raises(StorageError, match="not saved"):
            store.import_session(deleted, [message("a")], deleted_at=moment)
    assert store.trash() == []
    assert sorted(each.name for each in root.iterdir()) == [".locks", "sessions.json", "trash"]
    store.import_session(deleted, [message("a")], deleted_at=moment)
    assert len(store.trash()) == 1


READS: dict[str, Callable[[Storage, str], list[Message]]] = {
    "messages": lambda store, session_id: store.messages(session_id),
    "the last message": lambda store, session_id: store.messages(session_id, last=1),
    "tree": lambda store, session_id: store.tree(session_id),
    "partials": lambda store, session_id: store.partials(session_id),
}


def call_before(patched: pytest.MonkeyPatch, names: list[str], act: Callable[[], object]) -> None:
    """Do something between finding a folder and reading what is in it."""

    def first(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            patched.undo()
            act()
            return real(*arguments)

        return call

    for name in names:
        patched.setattr(disk, name, first(getattr(disk, name)))


@pytest.mark.parametrize("name", READS)
def test_a_session_that_is_deleted_while_it_is_read_is_not_empty(
    name: str, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(), open_store()
    session_id = store.create("deleted meanwhile").session_id
    say(store, session_id, "a")
    reads = ["read", "open_to_read", "open_and_look", "names"]
    call_before(monkeypatch, reads, lambda: other.delete(session_id))
    with pytest.raises(SessionNotFoundError):
        READS[name](store, session_id)


def test_a_session_that_is_restored_while_it_is_read_is_not_empty(
    open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = open_store(), open_store()
    session_id = store.create("restored meanwhile").session_id
    say(store, session_id, "a")
    trash_id = store.delete(session_id).trash_id
    call_before(monkeypatch, ["names"], lambda: other.restore(trash_id))
    with pytest.raises(SessionNotFoundError):
        store.trashed_messages(trash_id)


@pytest.mark.parametrize("current", [True, False], ids=["the current one", "another one"])
def test_the_current_session_is_handed_over_in_a_list_of_another_layout(
    current: bool, root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    kept, gone = (store.create(name).session_id for name in ("kept", "gone"))
    if current:
        store.set_current(gone)
    path = root / "sessions.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=2))
    open_store().delete(gone)
    assert open_store().current() == (kept if current else None)


# Its names -------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
def test_nothing_else_is_a_trash_id(hostile: str) -> None:
    assert trash.split_trash_id(hostile) is None
    moved = trash.trash_id(new_id(), datetime(2026, 7, 20, tzinfo=UTC))[36:]
    assert trash.split_trash_id(f"{hostile}{moved}") is None


def test_a_trash_id_goes_both_ways() -> None:
    session_id, when = new_id(), datetime(2026, 7, 20, 10, 30, 1, 23, UTC)
    assert trash.split_trash_id(trash.trash_id(session_id, when)) == (session_id, when)


def test_a_trash_id_with_an_impossible_day_is_none() -> None:
    assert trash.split_trash_id(f"{new_id()}-20260231T000000000000Z") is None
