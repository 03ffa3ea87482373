"""The file of what was entered and is not sent."""

from __future__ import annotations

import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from agno_shell.shell.entered import EnteredFile, Entry
from agno_shell.types import new_id, now

SESSION = "11111111-2222-4333-8444-555555555555"


def entry(text: str, later: float = 0.0) -> Entry:
    return Entry(new_id(), text, now() + timedelta(seconds=later))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "entered"


def die(file: EnteredFile) -> None:
    """What the death of the process does."""
    for descriptor in (file._fd, file._lock):
        os.close(descriptor)
    file._fd = file._lock = -1


def test_what_a_dead_shell_had_waiting_is_taken_over_once(folder: Path) -> None:
    first, second, third = entry("one"), entry("two\nlines é\ud800", 1), entry("three", 2)
    file = EnteredFile(str(folder), SESSION)
    file.add([first])
    file.add([second, third])
    file.done([first.id])
    die(file)
    heir, late = EnteredFile(str(folder), SESSION), EnteredFile(str(folder), SESSION)
    assert heir.adopt() == [second, third]
    assert late.adopt() == []
    assert heir.adopt() == []
    die(heir)
    assert EnteredFile(str(folder), SESSION).adopt() == [second, third], "also when it dies, too"


def test_what_a_living_shell_has_waiting_is_its_own(folder: Path) -> None:
    living = EnteredFile(str(folder), SESSION)
    living.add([entry("mine")])
    assert EnteredFile(str(folder), SESSION).adopt() == []
    living.close()
    assert [each.text for each in EnteredFile(str(folder), SESSION).adopt()] == ["mine"]


def test_each_session_has_its_own(folder: Path) -> None:
    for session_id, text in ((SESSION, "one"), ("../../etc/passwd\ud800", "two"), ("x", "three")):
        file = EnteredFile(str(folder), session_id)
        file.add([entry(text)])
        file.close()
    assert [each.text for each in EnteredFile(str(folder), "x").adopt()] == ["three"]
    odd = EnteredFile(str(folder), "../../etc/passwd\ud800")
    assert [each.text for each in odd.adopt()] == ["two"]
    assert {each.parent for each in folder.parent.rglob("*.jsonl")} == {folder}


def test_nothing_is_left_where_nothing_waits(folder: Path) -> None:
    file = EnteredFile(str(folder), SESSION)
    file.close()
    assert not folder.exists()
    file.add([one := entry("one"), two := entry("two")])
    (data,) = folder.glob("*.jsonl")
    assert stat.S_IMODE(data.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    file.done([one.id])
    file.done([two.id])
    assert data.read_bytes() == b""
    file.close()
    assert list(folder.iterdir()) == []


def test_a_damaged_line_costs_that_line(folder: Path) -> None:
    file = EnteredFile(str(folder), SESSION)
    file.add([one := entry("one"), two := entry("two")])
    die(file)
    (data,) = folder.glob("*.jsonl")
    lines = data.read_bytes().splitlines(keepends=True)
    odd = [b"[1]\n", b'{"id": 3, "text": "x"}\n', b'{"done": [[1]]}\n', b"\xff\n", b"[" * 9999]
    data.write_bytes(b"".join([lines[0], *odd, b"\n", lines[1], b'{"id": "torn", "te']))
    assert EnteredFile(str(folder), SESSION).adopt() == [one, two]


def test_a_full_disk_tears_no_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = EnteredFile(str(folder), SESSION)
    file.add([one := entry("one")])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 40:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[: len(data) - 20])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        file.add([entry("two")])
    monkeypatch.undo()
    file.add([three := entry("three", 1)])
    die(file)
    (data,) = folder.glob("*.jsonl")
    assert all(json.loads(line) for line in data.read_text().splitlines())
    assert EnteredFile(str(folder), SESSION).adopt() == [one, three]


def test_what_is_planted_is_not_followed(folder: Path, tmp_path: Path) -> None:
    file = EnteredFile(str(folder), SESSION)
    file.add([entry("one")])
    die(file)
    (data,) = folder.glob("*.jsonl")
    data.rename(tmp_path / "elsewhere")
    data.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        EnteredFile(str(folder), SESSION).adopt()
    assert (tmp_path / "elsewhere").exists()
