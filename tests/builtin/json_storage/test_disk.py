from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    # The folder of the test is made before; what has no rights at all is closed to its owner.
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.usefixtures("umask")
def test_files_are_0600_and_folders_0700(tmp_path: Path) -> None:
    disk.make_folders(str(tmp_path / "a" / "b"))
    disk.create_whole(str(tmp_path / "a" / "b" / "c"), b"x")
    disk.replace(str(tmp_path / "a" / "d"), b"x")
    disk.create_by_link(str(tmp_path / "a" / "e"), b"x")
    disk.close(disk.open_lock(str(tmp_path / "a" / "f")))
    assert {mode(tmp_path / "a"), mode(tmp_path / "a" / "b")} == {0o700}
    assert [mode(tmp_path / "a" / name) for name in ("b/c", "d", "e", "f")] == [0o600] * 4


def test_replacing_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "t"
    for data in (b"one", b"two"):
        disk.replace(str(target), data)
        assert target.read_bytes() == data
        assert [each.name for each in tmp_path.iterdir()] == ["t"]


def test_a_failed_replace_leaves_the_old_file_alone(tmp_path: Path, faults: Any) -> None:
    target = tmp_path / "t"
    target.write_bytes(b"old")
    faults.fail(OSError(errno.ENOSPC, "full"), only="write fsync fdatasync replace")
    with pytest.raises(OSError):
        disk.replace(str(target), b"new")
    assert target.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["t"]


def test_short_writes_are_carried_on(tmp_path: Path, faults: Any) -> None:
    faults.short_writes = True
    disk.create_whole(str(tmp_path / "t"), b"0123456789" * 50)
    assert (tmp_path / "t").read_bytes() == b"0123456789" * 50
    assert faults.calls.count("write") > 5


def test_links_pipes_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "made")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder link").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        for use in (disk.read, disk.open_to_write, disk.open_lock, disk.create):
            with pytest.raises(OSError):
                use(str(tmp_path / name))
    for use in (disk.create, disk.open_lock):
        with pytest.raises(OSError):
            use(str(tmp_path / "dangling"))
    assert not (tmp_path / "made").exists()
    for name in ("folder link", "file"):
        for use_folder in (disk.require_folder, disk.ensure_folder, disk.remove_tree):
            with pytest.raises(OSError):
                use_folder(str(tmp_path / name))


def test_removing_a_tree_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"x")
    (tmp_path / "gone" / "deep").mkdir(parents=True)
    (tmp_path / "gone" / "deep" / "file").write_bytes(b"x")
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "kept")
    disk.remove_tree(str(tmp_path / "gone"))
    assert not (tmp_path / "gone").exists()
    assert (tmp_path / "kept" / "file").exists()


def test_creating_by_link_keeps_what_is_there(tmp_path: Path) -> None:
    disk.create_by_link(str(tmp_path / "t"), b"first")
    disk.create_by_link(str(tmp_path / "t"), b"second")
    assert (tmp_path / "t").read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["t"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        disk.make_folders(str(tmp_path / "file" / "below"))
