from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agno_shell.toolkit.whole_files import write_whole


def test_it_is_there_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a b 東"
    assert write_whole(str(path), [b"one", b"two"], replace=False) == 6
    assert path.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == [path.name]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_a_strange_umask_changes_nothing(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_whole(str(tmp_path / "x"), [b"x"], replace=True)
    finally:
        os.umask(before)
    assert (tmp_path / "x").read_bytes() == b"x"


def test_what_is_there_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_whole(str(path), iter(()), replace=False)
    assert path.read_text() == "mine"
    write_whole(str(path), [b"new"], replace=True)
    assert path.read_text() == "new"


@pytest.mark.parametrize("links", [True, False])
def test_what_came_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    def pieces() -> Iterator[bytes]:
        (tmp_path / "x").write_text("theirs")
        yield b"ours"

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(FileExistsError):
        write_whole(str(tmp_path / "x"), pieces(), replace=False)
    assert (tmp_path / "x").read_text() == "theirs"
    assert os.listdir(tmp_path) == ["x"]
    write_whole(str(tmp_path / "y"), [b"y"], replace=False)
    assert (tmp_path / "y").read_text() == "y"


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        assert path.read_text() == "old"

    write_whole(str(path), pieces(), replace=True)
    assert path.read_text() == "new"


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_whole(str(tmp_path / "x"), pieces(), replace=False)
    assert os.listdir(tmp_path) == []
