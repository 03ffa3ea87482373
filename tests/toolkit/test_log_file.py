from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agno_shell.toolkit import log_file
from agno_shell.toolkit.log_file import LARGEST, OLDER, Log


def write(path: str | None, text: bytes) -> str | None:
    log = Log(path)
    os.write(log.descriptor, text)
    log.drain()
    return log.path


def test_a_log_is_private_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logs" / "some.log"
    assert write(str(path), b"one\n") == str(path)
    assert write(str(path), b"two\n") == str(path)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_it_is_bounded_while_one_program_writes_to_it_and_one_older_is_kept(
    tmp_path: Path,
) -> None:
    path, older = tmp_path / "some.log", tmp_path / f"some.log{OLDER}"
    log = Log(str(path))
    # Four times the bound, from a program that was started once.
    code = "import sys\nfor n in range(65536): sys.stderr.write(f'{n:063}\\n')"
    subprocess.run([sys.executable, "-c", code], stderr=log.descriptor, check=True, timeout=60)
    log.drain()
    assert 0 < path.stat().st_size <= LARGEST
    assert LARGEST - 65536 < older.stat().st_size <= LARGEST
    assert path.read_bytes().endswith(b"%063d\n" % 65535), "the newest is there"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["some.log", f"some.log{OLDER}"]
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(older.stat().st_mode) == 0o600


def test_one_that_nobody_bounded_is_cut_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 5)
    path = tmp_path / "some.log"
    path.write_bytes(b"much too long")
    write(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.with_name(f"some.log{OLDER}").read_bytes() == b"much "


def test_two_shells_share_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 40)
    path = tmp_path / "some.log"
    first, second = log_file.BoundedFile.open(str(path)), log_file.BoundedFile.open(str(path))
    assert first is not None
    assert second is not None
    for number in range(9):
        first.write(b"first %d...\n" % number)
        second.write(b"second %d..\n" % number)
    first.close()
    second.close()
    assert path.stat().st_size <= 40
    assert path.with_name(f"some.log{OLDER}").stat().st_size <= 40
    assert path.read_bytes().endswith(b"second 8..\n")


def test_a_writer_that_outlives_the_shell_fills_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "some.log"
    shell = f"""
import os, subprocess, sys
from agno_shell.toolkit.log_file import Log
log = Log({str(path)!r})
writer = subprocess.Popen(
    [sys.executable, "-c", "import os\\nwhile True: os.write(2, b'x' * 4096)"],
    stderr=log.descriptor,
)
log.close()
print(writer.pid, flush=True)
sys.stdin.read()
"""
    limit = (64 * LARGEST, 64 * LARGEST)
    started = subprocess.Popen(
        [sys.executable, "-c", shell],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert started.stdout is not None
    with started:
        writer = int(started.stdout.readline())
        started.kill()
    end = time.monotonic() + 10
    try:
        while _runs(writer):
            assert time.monotonic() < end, "it still writes"
            time.sleep(0.01)
    finally:
        if _runs(writer):
            os.kill(writer, signal.SIGKILL)
    assert path.stat().st_size <= LARGEST


def _runs(pid: int) -> bool:
    """Nobody may be there to take note of its end: a zombie does not run."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if sys.platform != "linux":
        return True
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_full_disk_costs_what_was_printed_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.log"

    def fail(_file: object, _piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_file.BoundedFile, "write", fail)
    write(str(path), b"x" * 1_000_000)
    assert path.read_bytes() == b""


def test_a_program_that_outlives_the_shell_writes_to_the_end_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "some.log"
    write(str(path), b"one\n")
    descriptor = log_file.appending(str(path))
    assert descriptor is not None
    write(str(path), b"two\n")
    os.write(descriptor, b"three\n")
    os.close(descriptor)
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert log_file.appending(None) is None
    assert log_file.appending(str(path.parent)) is None


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
