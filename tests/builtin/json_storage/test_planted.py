"""Folders, links, pipes and closed files where the store's own should be: each is named
and left alone, and nothing leads out of the data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract import message, say

Opened = Callable[[], Storage]


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def no_permission(path: Path) -> None:
    path.chmod(0)


PLANTED = [a_folder, a_link, a_pipe, no_permission]


def planted(plant: Callable[[Path], None], path: Path, faults: Any) -> None:
    plant(path)
    if plant is no_permission:
        faults.forbidden.add(str(path))  # root may open it all the same


@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("file", ["messages.json", "session.json"])
def test_what_is_no_file_is_named_and_left_alone(
    plant: Callable[[Path], None],
    file: str,
    root: Path,
    session_id: str,
    open_store: Opened,
    faults: Any,
) -> None:
    path = root / session_id / file
    planted(plant, path, faults)
    before = os.lstat(path)
    store = open_store()
    assert {each.name for each in store.sessions()} == {"damaged", "bystander"}
    with pytest.raises(StorageError, match=file):
        store.messages(session_id)
    with pytest.raises(StorageError, match=f"not saved: .*{file}"):
        store.append(session_id, message("x"))
    if (plant, file) == (no_permission, "messages.json"):
        assert store.update(session_id, name="x").name == "x", "nothing is read for it"
    else:
        with pytest.raises(StorageError, match=file):
            store.update(session_id, name="x")
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    (other,) = [each for each in store.sessions() if each.name == "bystander"]
    assert say(store, other.session_id, "more")


def test_a_session_folder_that_is_a_link_is_refused(
    root: Path, session_id: str, open_store: Opened, tmp_path: Path
) -> None:
    (root / session_id).rename(tmp_path / "outside")
    (root / session_id).symlink_to(tmp_path / "outside")
    before = (tmp_path / "outside" / "messages.json").read_bytes()
    store = open_store()
    store.sessions()
    with pytest.raises(StorageError, match="link"):
        store.messages(session_id)
    with pytest.raises(StorageError, match="link"):
        store.append(session_id, message("x"))
    assert (tmp_path / "outside" / "messages.json").read_bytes() == before


@pytest.mark.parametrize("plant", PLANTED)
def test_an_index_that_is_no_file_is_left_alone(
    plant: Callable[[Path], None],
    root: Path,
    session_id: str,
    open_store: Opened,
    faults: Any,
    notices: list[str],
) -> None:
    path = root / "sessions.json"
    planted(plant, path, faults)
    before = os.lstat(path)
    store = open_store()
    assert {each.name for each in store.sessions()} == {"damaged", "bystander"}
    for _ in range(2):
        say(store, session_id, "d")
    assert store.open(session_id).message_count == 5
    (told,) = notices
    assert "sessions.json could not be brought up to date" in told
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    with pytest.raises(StorageError, match=r"sessions\.json"):
        store.set_current(session_id)


def test_an_index_that_cannot_be_read_is_not_replaced(
    tmp_path: Path, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    """In an old layout it may hold names that stand nowhere else."""
    (root / "sessions.json").rename(tmp_path / "elsewhere")
    (root / "sessions.json").symlink_to(tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere").read_bytes()
    store = open_store()
    say(store, session_id, "d")
    assert (root / "sessions.json").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == before
    assert store.open(session_id).message_count == 4
    assert ["sessions.json could not be" in line for line in notices] == [True]


def test_a_planted_trash_is_not_looked_into(
    tmp_path: Path, root: Path, session_id: str, store: Storage
) -> None:
    trashed = store.delete(session_id)
    (root / "trash").rename(tmp_path / "elsewhere")
    (root / "trash").symlink_to(tmp_path / "elsewhere")
    assert store.trash() == []
    for use in (store.restore, store.purge):
        with pytest.raises(SessionNotFoundError):
            use(trashed.trash_id)
