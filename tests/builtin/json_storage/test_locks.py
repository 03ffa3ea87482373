from __future__ import annotations

import os
import shutil
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


proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")


@proc
def test_few_descriptors_stay_open(tmp_path: Path) -> None:
    before = open_descriptors()
    store = Locks(str(tmp_path))
    for _ in range(50):
        with store.session(new_id()), store.index():
            pass
    assert open_descriptors() - before <= locks._ROOM
    store.close()
    assert open_descriptors() == before
    with store.index():
        pass
    assert open_descriptors() == before, "a lock given back after the end stays closed"


@proc
def test_what_nobody_uses_any_more_keeps_nothing_open(tmp_path: Path) -> None:
    before = open_descriptors()
    for _ in range(3):
        with Locks(str(tmp_path)).index():
            pass
    assert open_descriptors() == before


@pytest.mark.usefixtures("impatient")
def test_two_users_of_one_store_keep_each_other_out(tmp_path: Path) -> None:
    store = Locks(str(tmp_path))
    for _ in range(2):
        with store.index(), pytest.raises(StorageError), store.index():
            pass


@pytest.mark.usefixtures("impatient")
def test_a_lock_file_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    one, two = Locks(str(tmp_path)), Locks(str(tmp_path))
    with one.index():
        pass
    shutil.rmtree(tmp_path / locks.FOLDER)
    with two.index(), pytest.raises(StorageError), one.index():
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
@pytest.mark.usefixtures("impatient")
def test_a_forked_process_has_locks_of_its_own(tmp_path: Path) -> None:
    store = Locks(str(tmp_path))
    with store.index():
        pass
    ready, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(go_on[1])
        status = 1
        try:
            with store.index():
                os.write(ready[1], b"x")
                os.read(go_on[0], 1)
            status = 0
        finally:
            os._exit(status)
    try:
        os.read(ready[0], 1)
        with pytest.raises(StorageError), store.index():
            pass
    finally:
        for fd in (*ready, *go_on):
            os.close(fd)
        assert os.waitpid(child, 0)[1] == 0
    with store.index():
        pass


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
