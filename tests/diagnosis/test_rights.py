from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from agno_shell.diagnosis import rights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "it's a file"
    path.touch(0o600)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_what_its_owner_alone_may_read_is_well(mode: int, file: Path) -> None:
    file.chmod(mode)
    assert list(rights.private(str(file), repair=True)) == []
    assert file.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o777])
def test_the_command_that_is_named_mends_it(mode: int, file: Path) -> None:
    file.chmod(mode)
    (found,) = rights.private(str(file), repair=False)
    command = found.advice.partition(": ")[2]
    assert shlex.split(command) == ["chmod", "600", str(file)]
    assert os.system(command) == 0
    assert list(rights.private(str(file), repair=False)) == []


def test_rights_that_cannot_be_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    file.chmod(0o644)
    monkeypatch.setattr(os, "chmod", refuse)
    (found,) = rights.private(str(file), repair=True)
    assert not found.healed
    assert "Operation not permitted" in found.advice


def test_of_a_link_it_only_matters_that_nobody_else_changes_its_target(
    file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    file.chmod(0o644)
    assert list(rights.private(str(link), repair=True)) == []
    file.chmod(0o664)
    (found,) = rights.private(str(link), repair=True)
    assert str(found.where) == str(link)
    assert os.system(found.advice.partition(": ")[2]) == 0
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_file_of_another_user(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(file).st_uid + 1)
    (found,) = rights.private(str(file), repair=True)
    assert "Another user" in found.problem
    assert "chown" in found.advice


def test_a_file_of_another_user_that_root_looks_at(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o644)
    status = os.lstat(file)
    theirs = os.stat_result((*status[:4], 54321, *status[5:10]))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(rights.os, "lstat", lambda _path: theirs)
    (found,) = rights.private(str(file), repair=True)
    assert "belongs to user 54321" in found.problem
    assert file.stat().st_mode & 0o777 == 0o644


def test_whether_something_can_be_kept(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(rights.writable([(str(tmp_path / "not" / "there" / "yet"), "x")])) == []
    (found,) = rights.writable([(str(file / "below a file"), "nothing is kept")])
    assert found.where == str(file)
    assert found.problem == "It is no folder; nothing is kept."
    monkeypatch.setattr(os, "access", lambda path, _mode: path != str(tmp_path))
    new = str(tmp_path / "new")
    (found,) = rights.writable([(new, "nothing is kept"), (new, "x"), (f"{new}/y", "x")])
    assert (found.where, found.problem) == (
        str(tmp_path),
        "It cannot be written; nothing is kept, x.",
    )
    assert str(tmp_path) in found.advice
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("plant", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file(plant: object, tmp_path: Path, file: Path) -> None:
    assert list(rights.regular(str(file), "x")) == []
    assert list(rights.regular(str(tmp_path / "missing"), "x")) == []
    plant(tmp_path / "planted")  # type: ignore[operator]
    (found,) = rights.regular(str(tmp_path / "planted"), "x")
    assert found.problem == "It is no plain file; x."
