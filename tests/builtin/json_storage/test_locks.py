from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from agno_shell.builtin.json_storage import locks
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.errors import StorageError
from agno_shell.types import new_id


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_is_held_is_a_clear_line(tmp_path: Path) -> None:
    session_id = new_id()
    one, two = Locks(str(tmp_path)), Locks(str(tmp_path))
    with one.session(session_id):
        with pytest.raises(StorageError, match=session_id) as told, two.session(session_id):
            pass
        assert "Nothing was saved" in str(told.value)
        assert told.value.hint
        with two.session(new_id()), two.index():
            pass
    with two.session(session_id):
        pass


@pytest.mark.usefixtures("impatient")
def test_it_is_the_lock_that_filelock_takes(tmp_path: Path) -> None:
    with Locks(str(tmp_path)).index():
        pass
    other = FileLock(tmp_path / locks.FOLDER / "sessions.lock")
    with other, pytest.raises(StorageError), Locks(str(tmp_path)).index():
        pass


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    with Locks(str(tmp_path)).index():
        pass
    before = open_descriptors()
    for _ in range(3):
        with Locks(str(tmp_path)).index():
            pass
    assert open_descriptors() == before


def test_lock_files_are_never_removed(tmp_path: Path) -> None:
    file = tmp_path / locks.FOLDER / "sessions.lock"
    with Locks(str(tmp_path)).index():
        inode = file.stat().st_ino
    with Locks(str(tmp_path)).index():
        assert file.stat().st_ino == inode


def test_a_running_reply_is_one_writers(tmp_path: Path) -> None:
    session_id = new_id()
    one, two = Locks(str(tmp_path)), Locks(str(tmp_path))
    held, beside = one.try_reply(session_id, 0), two.try_reply(session_id, 1)
    assert held is not None
    assert beside is not None
    assert two.try_reply(session_id, 0) is None
    held.release()
    again = two.try_reply(session_id, 0)
    assert again is not None
    again.release()
    beside.release()


def test_a_planted_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / locks.FOLDER).symlink_to(tmp_path / "elsewhere" / "none")
    with pytest.raises(OSError), Locks(str(tmp_path)).index():
        pass


def test_a_planted_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / locks.FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"), Locks(str(tmp_path)).index():
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []
