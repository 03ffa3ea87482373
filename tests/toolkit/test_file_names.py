from __future__ import annotations

from pathlib import Path

import pytest

from agno_shell.toolkit import file_names
from agno_shell.toolkit.file_names import holds, matching


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "docs").mkdir()
    for name in ("notes.txt", "my notes.md", ".hidden", "evil\x1b.txt", "docs/a b.txt"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["docs/", "my notes.md", "notes.txt"]),
        ("no", ["notes.txt", "my notes.md"]),
        ("NTX", ["notes.txt"]),
        (".", [".hidden", "my notes.md", "notes.txt"]),
        (".h", [".hidden"]),
        ("docs/", ["docs/a b.txt"]),
        ("~/docs/a", ["~/docs/a b.txt"]),
        ("none/", []),
        ("a\0b/", []),
        ("zzz", []),
    ],
)
def test_what_may_be_meant(folder: Path, typed: str, found: list[str]) -> None:
    assert matching(typed) == found


def test_a_huge_folder_is_looked_through_for_the_best(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_names, "OFFERED", 1)
    assert matching("no") == ["notes.txt"]
    monkeypatch.setattr(file_names, "LOOKED_AT", 0)
    assert matching("no") == []


def test_characters_in_order() -> None:
    assert holds("abc", "ac")
    assert holds("abc", "")
    assert not holds("abc", "ca")
    assert not holds("abc", "aa")
