from __future__ import annotations

import errno
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agno_shell.app.program_log_file import line
from agno_shell.base import program_log
from agno_shell.base.program_log import ROOT, is_kept, note, timed, word
from agno_shell.errors import StorageError


class Listener(logging.Handler):
    """Keeps the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(line(record))

    @property
    def text(self) -> str:
        """What the last line says behind the process."""
        return self.lines[-1].partition(" pid=")[2].partition(" ")[2]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    logger, made = logging.getLogger(ROOT), Listener()
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(made)
    yield made
    logger.removeHandler(made)


def test_a_line_has_time_level_logger_process_and_pairs(listener: Listener) -> None:
    record = logging.LogRecord("agno_shell.some", logging.INFO, "", 0, "%s", ("it began",), None)
    record.created = 1764444660.12
    assert line(record).startswith("2025-11-29T19:31:00.120Z INFO agno_shell.some pid=")
    note("agno_shell.some", "it went", model="m/x-1.5", seconds=1.23456, ran=True, none=None, n=3)
    assert listener.text == "it went model=m/x-1.5 seconds=1.235 ran=yes n=3\n"
    note("agno_shell.some", "it went", bad=True)
    assert " WARNING agno_shell.some " in listener.lines[-1]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        ("new\nline \x1b[2J", '"new\\nline \\u001b[2J"'),
        ("\u202eé", '"\\u202e\\u00e9"'),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_value_stays_on_its_line_and_in_its_place(
    listener: Listener, value: str, written: str
) -> None:
    note("agno_shell.some", "it went", value=value)
    assert listener.text == f"it went value={written}\n"


def test_an_error_is_logged_without_its_text(listener: Listener) -> None:
    def read() -> None:
        raise OSError(errno.ENOSPC, "a secret", "/secret/name")

    def store() -> None:
        try:
            read()
        except OSError as error:
            raise StorageError("the secret was not saved") from error

    with pytest.raises(StorageError) as caught:
        store()
    note("agno_shell.some", "storage error", problem=caught.value)
    [line] = listener.lines
    assert "secret" not in line
    assert " WARNING " in line
    assert f"error=StorageError<{type(caught.value.__cause__).__name__} errno=ENOSPC at=" in line
    places = line.partition(" at=")[2]
    assert re.search(r":read\b.*:store\b", places), "the innermost first"


def test_what_could_not_be_imported_is_named(listener: Listener) -> None:
    with pytest.raises(ImportError) as caught:
        import no_such_module_at_all  # type: ignore[import-not-found]  # noqa: F401
    note("agno_shell.some", "plugin failed", problem=caught.value)
    assert "error=ModuleNotFoundError module=no_such_module_at_all at=" in listener.text


def test_errors_that_cause_each_other_come_to_an_end(listener: Listener) -> None:
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first
    note("agno_shell.some", "failed", problem=first)
    assert listener.text == "failed error=ValueError<TypeError\n"


def test_what_takes_time_is_logged_with_it(listener: Listener) -> None:
    assert timed("agno_shell.some", "part opened", lambda: 5, name="p", plugin="q") == 5
    assert listener.text.startswith("part opened name=p plugin=q seconds=0.")
    with pytest.raises(ZeroDivisionError):
        timed("agno_shell.some", "part opened", lambda: 1 // 0, name="p")
    assert listener.text.startswith("part opened failed name=p seconds=0.")
    assert "error=ZeroDivisionError" in listener.text


def test_a_word_of_a_vocabulary_is_one() -> None:
    assert word("rate_limited") == "rate_limited"
    for other in ("", "what was said", "x" * 41, "é", "a\nb"):
        assert word(other) == "other"


def test_without_a_listener_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_kept()
    monkeypatch.setattr(program_log, "_value", None)
    note("agno_shell.some", "it went", value="x")


def test_a_command_without_a_log_does_not_even_import_logging(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.environ['AGNO_SHELL_HOME'] = sys.argv[1]\n"
        "from agno_shell import cli; cli.main(['session'])\n"
        "print({'logging', 'agno_shell.app.program_log_file'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
