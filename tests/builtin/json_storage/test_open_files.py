"""What stays open between two uses, and what that must not cost."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.disk import FileHandle
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Message

pytestmark = pytest.mark.skipif(
    not (disk.STAYS_OPEN and Path("/proc/self/fd").exists()), reason="counts open files in /proc"
)


def open_files(below: Path) -> list[str]:
    """The files below a folder that this process has open, as they are called now."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue  # the descriptor with which the folder was read
        if target.startswith(f"{below}/"):
            found.append(target.removeprefix(f"{below}/"))
    return found


def contents(messages: list[Message]) -> list[str]:
    return [each.content for each in messages]


# A file ----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    return path


def test_it_is_opened_once(path: Path) -> None:
    file = FileHandle(str(path))
    assert file.look() is None
    assert file.open().st_size == 3
    fd = file.fd
    path.write_bytes(b"longer")
    status = file.look()
    assert status is not None
    assert status.st_size == 6
    assert file.fd == fd
    file.close()
    assert file.fd < 0
    assert open_files(path.parent) == []


def moved_away(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    path.with_name("new").write_bytes(b"two")
    path.with_name("new").replace(path)


def a_link_to_it(path: Path) -> None:
    moved_away(path)
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("change", [moved_away, replaced, a_link_to_it, Path.unlink])
def test_what_is_not_at_the_path_any_more_is_let_go(
    path: Path, change: Callable[[Path], None]
) -> None:
    file = FileHandle(str(path))
    file.open()
    change(path)
    assert file.look() is None
    assert open_files(path.parent) == []
    if change is replaced:
        size = file.open().st_size
        assert disk.read_at(file.fd, 0, size) == b"two"
    else:
        with pytest.raises(OSError):
            file.open()


def test_who_forgets_to_close_it_keeps_nothing_open(path: Path) -> None:
    FileHandle(str(path)).open()
    assert open_files(path.parent) == []


def test_nothing_stays_open_where_that_is_in_the_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "STAYS_OPEN", False)
    file = FileHandle(str(path))
    file.open()
    file.rest()
    assert file.fd < 0


# A store ---------------------------------------------------------------------------------


def test_few_files_stay_open_however_many_sessions_are_written(root: Path, store: Storage) -> None:
    idents = [store.create(str(number)).session_id for number in range(20)]
    for ident in idents * 2:
        say(store, ident, "x")
    opened = open_files(root)
    assert [name for name in opened if "messages.json" in name] == [f"{idents[-1]}/messages.json"]
    assert opened.count("sessions.json") == 1
    assert len(opened) <= 6
    store.close()
    assert open_files(root) == []


def test_a_deleted_session_is_not_kept_open(root: Path, store: Storage) -> None:
    session_id = store.create("gone").session_id
    say(store, session_id, "x")
    store.purge(store.delete(session_id).trash_id)
    assert [name for name in open_files(root) if "messages.json" in name] == []


def test_a_file_that_another_program_puts_there_is_the_one_that_counts(
    root: Path, store: Storage
) -> None:
    """As some editors save: the old file gets another name and stays as it is."""
    session_id = store.create("edited").session_id
    (first,) = say(store, session_id, "a")
    path = root / session_id / "messages.json"
    before = path.read_bytes()
    path.rename(path.with_name("messages.json~"))
    path.write_bytes(before)
    store.append(session_id, message("b", first))
    assert contents(store.tree(session_id)) == ["a", "b"]
    assert path.with_name("messages.json~").read_bytes() == before


@pytest.mark.parametrize("call", ["write_at", "sync"])
@pytest.mark.parametrize("keeps_a_backup", [False, True])
def test_a_file_that_an_editor_saves_in_the_middle_of_an_append(
    root: Path,
    store: Storage,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    keeps_a_backup: bool,
) -> None:
    """It takes no lock: what is written into the file that it has put away would be lost."""
    session_id = store.create("edited").session_id
    (first,) = say(store, session_id, "a")
    path = root / session_id / "messages.json"
    edited = path.read_bytes().replace(b'"a"', b'"A"')
    real = getattr(disk, call)

    def save_in_the_editor(*arguments: Any) -> None:
        monkeypatch.undo()
        path.with_name("edited").write_bytes(edited)
        if keeps_a_backup:
            path.rename(path.with_name("messages.json~"))
        path.with_name("edited").replace(path)
        real(*arguments)

    monkeypatch.setattr(disk, call, save_in_the_editor)
    second = message("b", first)
    assert store.append(session_id, second).message_count == 2
    assert contents(store.tree(session_id)) == ["A", "b"]
    assert store.append(session_id, message("c", second)).message_count == 3
    assert contents(store.tree(session_id)) == ["A", "b", "c"]


def test_a_message_in_a_new_file_that_was_said_not_to_be_saved_is_not_doubled(
    root: Path, store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("once").session_id
    (first,) = say(store, session_id, "a")
    path = root / session_id / "messages.json"
    path.write_bytes(path.read_bytes().removesuffix(b"]\n"))
    second = message("b", first)
    real = disk.replace

    def replace(path: str, data: bytes) -> None:
        real(path, data)
        if path.endswith("messages.json"):
            session_json = root / session_id / "session.json"
            session_json.unlink()
            session_json.symlink_to("elsewhere")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "replace", replace)
        with pytest.raises(StorageError, match="not saved"):
            store.append(session_id, second)
    (root / session_id / "session.json").unlink()
    assert store.append(session_id, second._replace(status="incomplete")).message_count == 2
    assert contents(store.tree(session_id)) == ["a", "b"]


def test_a_session_that_another_shell_deletes_and_restores(
    root: Path, store: Storage, open_store: Callable[[], Storage]
) -> None:
    session_id = store.create("away").session_id
    (first,) = say(store, session_id, "a")
    other = open_store()
    trash_id = other.delete(session_id).trash_id
    with pytest.raises(SessionNotFoundError):
        store.append(session_id, message("b", first))
    assert contents(other.trashed_messages(trash_id)) == ["a"]
    other.restore(trash_id)
    store.append(session_id, message("c", first))
    assert contents(store.tree(session_id)) == ["a", "c"]
    shutil.rmtree(root / session_id)
    with pytest.raises(SessionNotFoundError):
        store.append(session_id, message("d", first))


def test_a_link_in_the_place_of_a_folder_is_refused_once_the_file_is_another(
    root: Path, store: Storage, tmp_path: Path
) -> None:
    session_id = store.create("planted").session_id
    (first,) = say(store, session_id, "a")
    shutil.copytree(root / session_id, tmp_path / "outside")
    (root / session_id).rename(tmp_path / "inside")
    (root / session_id).symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError):
        store.append(session_id, message("b", first))
    for name in ("inside", "outside"):
        assert b'"b"' not in (tmp_path / name / "messages.json").read_bytes()


def test_a_patch_does_not_go_into_an_index_that_was_replaced(
    root: Path, store: Storage, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the index and its lock another shell makes a session."""
    session_id = store.create("one").session_id
    (first,) = say(store, session_id, "a")
    other = open_store()
    real = disk.sync

    def sync(fd: int) -> None:
        monkeypatch.setattr(disk, "sync", real)
        real(fd)
        other.create("another")

    monkeypatch.setattr(disk, "sync", sync)
    store.append(session_id, message("b", first))
    counts = {each.name: each.message_count for each in open_store().sessions()}
    assert counts == {"one": 2, "another": 0}
    line = next(
        each for each in (root / "sessions.json").read_bytes().split(b"\n") if b"one" in each
    )
    assert line.endswith(b'"message_count":         2}')


# What is done while the disk is busy -----------------------------------------------------


def test_a_message_whose_session_cannot_be_named_is_taken_back(
    root: Path, store: Storage, faults: Any
) -> None:
    session_id = store.create("nameless").session_id
    (first,) = say(store, session_id, "a")
    path = root / session_id / "messages.json"
    before = path.read_bytes()
    (root / session_id / "session.json").unlink()
    faults.fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), only="replace")
    with pytest.raises(StorageError, match="was not saved"):
        store.append(session_id, message("b", first))
    assert path.read_bytes() == before
    faults.heal()
    store.append(session_id, message("c", first))
    assert contents(store.tree(session_id)) == ["a", "c"]
    assert store.open(session_id).name == "nameless"


def test_the_disk_begins_before_the_index_is_looked_at(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("busy").session_id
    (first,) = say(store, session_id, "a")
    calls: list[str] = []
    for name in ("write_at", "begin_sync", "read_at", "sync"):
        real = getattr(disk, name)
        monkeypatch.setattr(
            disk, name, lambda *args, name=name, real=real: (calls.append(name), real(*args))[1]
        )
    store.append(session_id, message("b", first))
    assert calls == ["read_at", "write_at", "begin_sync", "read_at", "sync", "write_at"]
