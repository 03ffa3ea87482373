from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.toolkit.disk_space import nearest_folder, obstacle

Disk = Callable[..., None]


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    def be(**changes: int) -> None:
        sound: dict[str, Any] = {
            "f_flag": 0,
            "f_bfree": 10**6,
            "f_bavail": 10**6,
            "f_frsize": 4096,
            "f_blocks": 10**7,
            "f_files": 100,
            "f_ffree": 50,
        }
        monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**(sound | changes)))

    return be


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"f_flag": 1}, "The disk is read-only"),
        ({"f_bfree": 3, "f_bavail": 3}, "The disk is full (12,288 bytes are free)"),
        ({"f_ffree": 0}, "The disk takes no more files"),
    ],
)
def test_what_is_wrong_with_a_disk(
    changes: dict[str, int], problem: str, disk: Disk, tmp_path: Path
) -> None:
    disk(**changes)
    found = obstacle(str(tmp_path))
    assert found is not None
    assert (found.problem, found.of_the_disk) == (problem, True)
    assert found.advice.endswith(".")


@pytest.mark.parametrize(
    "changes", [{}, {"f_blocks": 0, "f_bfree": 0, "f_bavail": 0}, {"f_files": 0, "f_ffree": 0}]
)
def test_a_disk_that_counts_nothing_is_not_full(
    changes: dict[str, int], disk: Disk, tmp_path: Path
) -> None:
    disk(**changes)
    assert obstacle(str(tmp_path)) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_one_may_not_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        found = obstacle(str(tmp_path))
        assert found is not None
        assert str(tmp_path) in found.advice
    finally:
        tmp_path.chmod(0o700)


def test_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert nearest_folder(str(tmp_path / "a" / "b")) == str(tmp_path)
    assert nearest_folder("/") == "/"
