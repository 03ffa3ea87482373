from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agno_shell import log_file
from agno_shell.log_file import open_log


def write(path: str | None, text: bytes) -> str | None:
    descriptor, found = open_log(path)
    os.write(descriptor, text)
    os.close(descriptor)
    return found


def test_a_log_is_private_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logs" / "some.log"
    assert write(str(path), b"one\n") == str(path)
    assert write(str(path), b"two\n") == str(path)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_one_that_grew_too_long_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 3)
    path = tmp_path / "some.log"
    write(str(path), b"long")
    write(str(path), b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["nothing", "fifo", "link", "folder", "file above"])
def test_what_is_no_file_is_not_written_to(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "some.log", tmp_path / "target"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        target.write_text("mine")
        path.symlink_to(target)
    elif kind == "folder":
        path.mkdir()
    elif kind == "file above":
        path.write_text("mine")
        path = path / "below.log"
    assert write(None if kind == "nothing" else str(path), b"lost\n") is None
    assert not target.exists() or target.read_text() == "mine"


def test_a_fifo_that_somebody_reads_is_no_log_either(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert write(str(path), b"a secret\n") is None
        assert os.read(reader, 100) == b""
    finally:
        os.close(reader)
