from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agno_shell.base.installed import may_have


@pytest.mark.parametrize("before", ["", " ", "[console_scripts]\nx = y\n\n"])
def test_a_section_is_found_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    info = tmp_path / "good-1.0.dist-info"
    info.mkdir()
    assert not may_have("agno_shell_test_group")
    (info / "entry_points.txt").write_text(f"{before}[agno_shell_test_group]\ngood = good\n")
    assert may_have("agno_shell_test_group")


def test_an_archive_may_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/no/such/folder"])
    assert not may_have("agno_shell")
    (tmp_path / "some.zip").write_bytes(b"PK")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "some.zip")])
    assert may_have("agno_shell")
