from __future__ import annotations

from pathlib import Path

import pytest

from agno_shell.toolkit import file_systems

MOUNTS = r"""
22 28 0:21 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 /@home /home rw - btrfs /dev/sdb1 rw
31 30 0:41 / /home/a\040user/cache rw shared:3 master:1 - tmpfs tmpfs rw
32 22 0:42 / /homestead rw - zfs tank rw
33 22 0:43 / /over rw - btrfs /dev/sdc rw
34 22 0:44 / /over rw - xfs /dev/sdd rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", False),
        ("/var/lib", False),
        ("/home", True),
        ("/home/someone/not/yet/there", True),
        ("/home/a user/cache", False),
        ("/home/a user/cache/agno-shell", False),
        ("/home/a user", True),
        ("/homestead/x", True),
        ("/homeward", False),
        ("/over/there", False),
    ],
)
def test_the_innermost_mount_counts(
    path: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS.strip() + "\n")
    monkeypatch.setattr(file_systems, "MOUNTS", str(tmp_path / "mountinfo"))
    assert file_systems.is_copy_on_write(path) is expected


def test_a_system_that_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "MOUNTS", str(tmp_path / "none"))
    assert not file_systems.is_copy_on_write("/home")
