"""What nobody else may read, and what is no file at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage.check import rights
from agno_shell.contracts import Storage
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import Finding

Opened = Callable[[], Storage]
Looks = Callable[[Path], Mapping[str, object]]
Lock = Callable[[str], AbstractContextManager[Callable[[], None]]]


def check(kept: Storage, *, repair: bool = False) -> list[Finding]:
    return list(kept.check(repair=repair))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


def a_link(path: Path) -> None:
    path.rename(path.parent.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent.parent / "elsewhere")


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("plant", [a_folder, a_link, a_pipe])
@pytest.mark.parametrize("name", ["messages.json", "session.json", "reply-0.jsonl"])
def test_what_is_no_file_is_named_and_left_alone(
    looks: Looks,
    plant: Callable[[Path], None],
    name: str,
    root: Path,
    folder: Path,
    open_store: Opened,
) -> None:
    (folder / "reply-0.jsonl").touch(0o600)
    plant(folder / name)
    before = looks(root)[str(folder / name)]
    for repair in (False, True):
        found = [each for each in check(open_store(), repair=repair) if is_wrong(each)]
        assert str(folder / name) in [each.where for each in found]
    assert looks(root)[str(folder / name)] == before


@pytest.mark.parametrize("name", ["trash", ".locks", "sessions.json", "{session_id}"])
def test_a_link_in_the_place_of_a_folder_is_not_followed(
    looks: Looks, name: str, tmp_path: Path, root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / name.format(session_id=session_id)
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    before = looks(tmp_path / "outside")
    for repair in (False, True):
        found = [each for each in check(open_store(), repair=repair) if is_wrong(each)]
        assert str(path) in [each.where for each in found]
        assert "link" in str(found)
    assert looks(tmp_path / "outside") == before


@pytest.mark.parametrize(
    ("mode", "problem"),
    [(0o755, "Others may read"), (0o750, "Others may"), (0o400, "You may not"), (0o000, "You may")],
)
def test_wrong_rights_are_one_finding_and_are_set(
    mode: int, problem: str, root: Path, folder: Path, open_store: Opened
) -> None:
    paths = [root, folder, folder / "messages.json", root / ".locks"]
    for path in paths:
        path.chmod(mode | 0o100 if path.is_dir() and os.geteuid() else mode)
    try:
        before = {path: path.lstat().st_mtime_ns for path in paths}
        (found,) = [each for each in check(open_store(), repair=True) if problem in each.problem]
        assert found.healed
        assert "4 files and folders" in found.problem
    finally:
        root.chmod(0o700)
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o700, 0o700, 0o600, 0o700]
    assert {path: path.lstat().st_mtime_ns for path in paths} == before
    assert check(open_store()) == []


def test_the_command_that_sets_the_rights_does_it(
    root: Path, folder: Path, open_store: Opened
) -> None:
    (folder / "messages.json").chmod(0o644)
    folder.chmod(0o755)
    (found,) = check(open_store())
    assert os.system(found.advice.removeprefix("Set them with: ")) == 0
    assert check(open_store()) == []


def test_rights_that_cannot_be_set_stay_a_finding(
    folder: Path, open_store: Opened, faults: Any
) -> None:
    (folder / "messages.json").chmod(0o644)
    faults.fail(PermissionError(1, "Operation not permitted"), only="chmod")
    (found,) = check(open_store(), repair=True)
    assert is_wrong(found)
    assert "Operation not permitted" in found.advice
    assert f"chmod -R u=rwX,go= {folder}/messages.json" in found.advice


def test_a_disk_that_keeps_no_rights_is_named(
    folder: Path, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "messages.json").chmod(0o644)
    monkeypatch.setattr(rights.disk, "restrict", lambda _path, _mode: None)
    (found,) = check(open_store(), repair=True)
    assert is_wrong(found)
    assert "this disk keeps no rights" in found.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_mends_nothing_in_the_store_of_a_user(
    looks: Looks, root: Path, folder: Path, open_store: Opened
) -> None:
    """What it would replace there, the user could not read any more."""
    (folder / "messages.json").write_bytes(b"[")
    for path in (root, *root.rglob("*")):
        os.chown(path, 54321, 54321)
    before = looks(root)
    found = [each for each in check(open_store(), repair=True) if is_wrong(each)]
    assert "damaged" in str(found)
    assert [each for each in found if "Mend it as that user" in each.advice] != []
    assert looks(root) == before
