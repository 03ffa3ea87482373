"""What happens on the screen, and on the disk, while a reply streams."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.terminal import CTRL_C, CTRL_D, Terminal

Start = Callable[..., Terminal]

pytestmark = pytest.mark.usefixtures("talker")

ALL_LINES = [f"line {number:03}" for number in range(1, 201)]


def numbered(text: str) -> list[str]:
    return re.findall(r"^line \d{3}$", text, re.MULTILINE)


def test_a_resize_loses_nothing_and_doubles_nothing(start: Start) -> None:
    terminal = start("--model", "lines")
    terminal.type("Count\r")
    for number, (columns, rows) in enumerate([(60, 30), (40, 30), (100, 40), (80, 40)], start=1):
        terminal.expect(f"line {number * 40:03}")
        terminal.resize(columns, rows)
    terminal.expect("line 200")
    terminal.until(lambda: terminal.lines()[-2] == "›")
    assert numbered(terminal.text()) == ALL_LINES
    assert "\n".join(terminal.screen()).count("›") == 1
    assert terminal.text().count("Session 2") == 2  # the greeting and the toolbar


def test_typing_ahead_waits_for_the_reply(start: Start) -> None:
    terminal = start("--model", "lines")
    terminal.type("Count\r")
    terminal.expect("line 010")
    terminal.type("/info\r")
    terminal.expect_screen("1 waiting")
    terminal.expect("line 200")
    terminal.expect("› /info")
    assert terminal.text().index("line 200") < terminal.text().index("› /info")


def test_ctrl_c_keeps_what_was_shown(start: Start) -> None:
    terminal = start("--model", "half")
    terminal.type("Go\r")
    terminal.expect_screen("The second")
    terminal.type(CTRL_C)
    terminal.expect("stopped; what was shown is kept")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    again = start("--model", "lines")
    again.expect("stopped; what was shown is kept")
    assert again.sees("The second")


def test_a_killed_shell_loses_a_second_at_most(start: Start, home: Path) -> None:
    terminal = start("--model", "half")
    terminal.type("Go\r")
    terminal.expect_screen("The second")
    terminal.until(lambda: any(b"The second" in path.read_bytes() for path in files(home)))
    terminal.kill()
    again = start("--model", "lines")
    again.expect("stopped; what was shown is kept")
    assert again.sees("› Go")
    assert again.sees("The second")
    assert again.sees("2 messages")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_to_end_is_leaving(start: Start, home: Path, number: int) -> None:
    terminal = start("--model", "half")
    terminal.type("Go\r")
    terminal.expect_screen("The second")
    assert terminal.process is not None
    terminal.process.send_signal(number)
    terminal.wait()
    [path] = home.rglob("messages.json")
    [question, reply] = json.loads(path.read_text())
    assert question["content"] == "Go"
    assert reply["content"] == "The first half.\n\nThe second"
    assert reply["status"] == "interrupted"
    assert b"\x1b[?2004l" in terminal.written


def files(home: Path) -> list[Path]:
    return [path for path in (home / "sessions").rglob("*") if path.is_file()]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which wraps lines anew")
def test_a_terminal_that_wraps_anew_shows_one_prompt(
    program: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    def tmux(*arguments: str) -> str:
        command = ["tmux", "-S", str(tmp_path / "tmux"), *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True).stdout

    def shows(text: str) -> bool:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if text in tmux("capture-pane", "-p", "-S-"):
                return True
        return False

    tmux(
        "-f/dev/null",
        "new-session",
        "-d",
        "-x100",
        "-y30",
        shlex.quote(str(program)) + " --model lines",
    )
    try:
        assert shows("lists the commands")
        tmux("send-keys", "Count", "Enter")
        for number, columns in enumerate((60, 35, 90, 50), start=1):
            assert shows(f"line {number * 40:03}")
            tmux("resize-window", "-x", str(columns), "-y", "30")
        assert shows("line 200")
        tmux("send-keys", "the end")
        assert shows("› the end")
        text = tmux("capture-pane", "-p", "-S-")
        assert numbered(text) == ALL_LINES
        assert len(re.findall("^› ", text, re.MULTILINE)) == 2  # the question and the prompt
    finally:
        tmux("kill-server")
