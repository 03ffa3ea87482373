from __future__ import annotations

import os
from pathlib import Path

import pytest

from agno_shell.toolkit import owners

STRANGER = 54321


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.touch(0o600)
    return path


def of(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    """Everything belongs to the user ``uid``."""
    stat = os.stat

    def foreign(path: str) -> os.stat_result:
        found = stat(path)
        return os.stat_result((*found[:4], uid, *found[5:10]))

    monkeypatch.setattr(owners.os, "stat", foreign)


def remarks(folder: Path, file: Path) -> list[str]:
    return list(owners.remarks((str(folder),), (str(file),)))


def test_ones_own_files_give_no_warning(tmp_path: Path, file: Path) -> None:
    assert remarks(tmp_path, file) == []
    assert remarks(tmp_path / "missing", tmp_path / "missing") == []


def test_files_of_another_user(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of(monkeypatch, STRANGER)
    configuration, folder = remarks(tmp_path, file)
    assert configuration.startswith(f"{file} belongs to user {STRANGER}, and you are ")
    assert "where your messages and keys go" in configuration
    assert folder.startswith(f"{tmp_path} belongs to user {STRANGER}, and you are ")
    assert f"user {STRANGER} may not get at it" in folder
    monkeypatch.setattr(owners.os, "access", lambda _path, _mode: False)
    assert "nothing can be kept there" in remarks(tmp_path, file)[1]


def test_a_configuration_of_the_system_is_well_but_a_folder_of_roots_is_not(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(monkeypatch, 0)
    monkeypatch.setattr(owners.os, "geteuid", lambda: STRANGER)
    (folder,) = remarks(tmp_path, file)
    assert folder.startswith(f"{tmp_path} belongs to root, and you are user {STRANGER}")


@pytest.mark.parametrize(("mode", "is_warned"), [(0o602, True), (0o646, True), (0o644, False)])
def test_a_configuration_that_others_can_change(mode: int, is_warned: bool, file: Path) -> None:
    file.chmod(mode)
    assert ["Others may change" in each for each in owners.remarks((), (str(file),))] == (
        [True] if is_warned else []
    )


@pytest.mark.parametrize("is_private", [True, False])
def test_a_group_of_ones_own_is_no_other(
    is_private: bool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o664)
    monkeypatch.setattr(owners, "_is_private_group", lambda _status: is_private)
    assert len(list(owners.remarks((), (str(file),)))) == (not is_private)


def test_a_folder_like_tmp_does_not_let_others_replace_files(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert list(owners.remarks((), (str(tmp_path),))) == []
    tmp_path.chmod(0o777)
    assert len(list(owners.remarks((), (str(tmp_path),)))) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_that_was_really_given_away(tmp_path: Path, file: Path) -> None:
    os.chown(file, STRANGER, STRANGER)
    assert len(remarks(tmp_path, file)) == 1
