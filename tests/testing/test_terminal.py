from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from agno_shell.testing.terminal import CTRL_C, Terminal

ENVIRON = {"PATH": os.defpath, "LANG": "C.UTF-8", "TERM": "xterm-256color"}


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal(40, 5) as made:
        yield made


def sh(terminal: Terminal, script: str) -> None:
    terminal.start(["/bin/sh", "-c", script], ENVIRON)


def test_a_program_writes_reads_and_ends(terminal: Terminal) -> None:
    sh(terminal, 'printf "name? "; read name; echo "hello $name"; exit 7')
    terminal.expect_screen("name?")
    terminal.type("blue cup\r")
    terminal.expect("hello blue cup")
    assert terminal.wait() == 7


def test_it_is_the_controlling_terminal(terminal: Terminal) -> None:
    sh(terminal, "trap 'echo stopped; exit 3' INT; tty; echo </dev/tty ready; read line")
    terminal.expect("ready")
    assert terminal.sees("/dev/")
    terminal.type(CTRL_C)
    terminal.expect("stopped")
    assert terminal.wait() == 3


def test_lines_hold_what_has_left_the_screen(terminal: Terminal) -> None:
    sh(terminal, "seq 1 20")
    assert terminal.wait() == 0
    assert terminal.lines() == [str(number) for number in range(1, 21)]
    assert terminal.screen() == ["17", "18", "19", "20", ""]


def test_a_program_learns_of_another_size(terminal: Terminal) -> None:
    sh(terminal, "stty size; read line; stty size")
    terminal.expect("5 40")
    terminal.resize(60, 9)
    terminal.type("\r")
    terminal.expect("9 60")


def test_it_says_where_the_cursor_is(terminal: Terminal) -> None:
    sh(terminal, 'stty raw -echo; printf "ab\\033[6n"; head -c 6 | tr "\\033" E')
    terminal.expect("E[1;3R")


def test_what_is_not_seen_is_reported_with_the_screen(terminal: Terminal) -> None:
    sh(terminal, "echo here; sleep 60")
    terminal.expect("here")
    with pytest.raises(AssertionError, match=r"'elsewhere' was not seen.*\nhere"):
        terminal.expect("elsewhere", 0.0)
    terminal.kill()
    assert terminal.wait() == -9
