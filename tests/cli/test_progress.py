from __future__ import annotations

import io

import pytest

from agno_shell.cli import progress
from agno_shell.cli.progress import ProgressLine


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(progress, "terminal_width", lambda _err: 12)
    return io.StringIO()


def test_what_is_quick_shows_nothing(terminal: io.StringIO, clock: Clock) -> None:
    for err in (terminal, io.StringIO()):
        shown = ProgressLine(err, clock)
        clock.now += progress.QUIET / 2
        shown.at("Copying")
        shown.end()
        assert err.getvalue() == ""


def test_a_line_is_rewritten_on_a_terminal_and_goes(terminal: io.StringIO, clock: Clock) -> None:
    shown = ProgressLine(terminal, clock)
    clock.now = progress.QUIET
    shown.at("Copying 1")
    shown.at("at once again")
    clock.now += progress.REDRAWN
    shown.at("Copy 2\x1b[2J and what is too long")
    clock.now += progress.REDRAWN
    shown.at("3")
    shown.say("A line that stays\nin one line")
    shown.end()
    assert terminal.getvalue() == (
        "\rCopying 1\rCopy 2␛[2J…\r3          \r           \rA line that stays in one line\n"
    )


def test_a_log_gets_a_line_now_and_then(clock: Clock) -> None:
    err = io.StringIO()
    shown = ProgressLine(err, clock)
    for second in range(25):
        clock.now = float(second)
        shown.at(f"Copying {second}")
    shown.end()
    assert err.getvalue() == "Copying 10\nCopying 20\n"
