from __future__ import annotations

import logging
import os
import stat
import sys
from pathlib import Path

import pytest

from agno_shell.app.program_log_file import kept
from agno_shell.base.program_log import ROOT, is_kept, note
from agno_shell.errors import StorageError, UsageError
from agno_shell.toolkit import log_file
from agno_shell.toolkit.log_file import OLDER


def lines(path: Path) -> list[str]:
    """What each line says behind the process."""
    return [line.partition(" pid=")[2].partition(" ")[2] for line in path.read_text().splitlines()]


def test_a_run_is_added_from_start_to_exit(tmp_path: Path) -> None:
    path = tmp_path / "some.log"

    def work() -> int:
        note("agno_shell.some", "it went")
        return 3

    assert kept(str(path), "session", work) == 3
    assert kept(str(path), "chat", lambda: 0) == 0
    first, went, end, second, _ = lines(path)
    assert first.startswith("start command=session version=")
    assert went == "it went"
    assert end.startswith("exit status=3 seconds=0.")
    assert second.startswith("start command=chat ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not is_kept()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StorageError("a secret"), "exit seconds=0."),
        (KeyboardInterrupt(), "exit seconds=0."),
        (SystemExit(2), "exit status=2 seconds=0."),
    ],
)
def test_the_end_by_an_error_is_logged_without_its_text(
    tmp_path: Path, error: BaseException, expected: str
) -> None:
    path = tmp_path / "some.log"

    def work() -> int:
        raise error

    with pytest.raises(type(error)):
        kept(str(path), "session", work)
    end = lines(path)[-1]
    assert end.startswith(expected)
    assert "secret" not in path.read_text()
    assert isinstance(error, SystemExit) or f"error={type(error).__name__}" in end
    assert not is_kept()


def test_a_file_that_is_no_log_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 1000)
    path = tmp_path / "thesis.txt"
    path.write_text("My thesis. " * 1000)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="no log of agno-shell, and stays as it is") as caught:
        kept(str(path), "session", lambda: 0)
    assert caught.value.exit_code == 2
    assert path.read_text() == "My thesis. " * 1000
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("where", ["", "missing/some.log", "fifo", "link", "nul\0"])
def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, where: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError) as caught:
        kept(str(tmp_path / where), "session", lambda: 0)
    assert caught.value.exit_code == 2
    assert str(caught.value).endswith(".")
    assert not (tmp_path / "elsewhere").exists()
    assert not is_kept()


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 2000)
    path = tmp_path / "some.log"

    def work() -> int:
        for number in range(100):
            note("agno_shell.some", "it went", number=number)
        return 0

    kept(str(path), "session", work)
    older = tmp_path / f"some.log{OLDER}"
    assert max(path.stat().st_size, older.stat().st_size) <= 2000
    assert lines(path)[-1].startswith("exit status=0")
    assert kept(str(path), "session", lambda: 0) == 0, "a new log is recognised"


def test_a_full_disk_costs_the_line_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "some.log"

    def work() -> int:
        [handler] = logging.getLogger(ROOT).handlers
        handler._file.close()
        handler._file.descriptor = os.open("/dev/full", os.O_WRONLY)
        note("agno_shell.some", "it went")
        return 0

    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    assert kept(str(path), "session", work) == 0
    assert len(lines(path)) == 1


def test_a_message_of_several_lines_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "some.log"

    def work() -> int:
        logging.getLogger(f"{ROOT}.plugin").warning("one\ntwo\x1b é")
        return 0

    kept(str(path), "session", work)
    assert lines(path)[1] == "one two\x1b \\xe9"


def test_the_root_logger_hears_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin may have made it write to the screen."""

    def work() -> int:
        note("agno_shell.some", "it went")
        return 0

    kept(str(tmp_path / "some.log"), "session", work)
    assert caplog.records == []
    assert logging.getLogger(ROOT).propagate


@pytest.mark.skipif(sys.platform == "win32", reason="modes")
def test_a_log_that_a_umask_closed_is_opened_again(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        kept(str(tmp_path / "some.log"), "session", lambda: 0)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "some.log").stat().st_mode) == 0o600
