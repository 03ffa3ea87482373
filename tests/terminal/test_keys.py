"""What the keys do, as a terminal sends them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from agno_shell.testing.terminal import (
    ALT_ENTER,
    BACKSPACE,
    CTRL_C,
    CTRL_R,
    ENTER,
    TAB,
    UP,
    Terminal,
    paste,
)

Start = Callable[..., Terminal]


def saved(home: Path) -> list[str]:
    """What the person said in the only session, as it is on the disk."""
    [path] = (home / "sessions").glob("*/messages.json")
    messages = json.loads(path.read_text())
    return [message["content"] for message in messages if message["role"] == "user"]


def test_the_menu_completes_commands_and_goes_away(start: Start) -> None:
    terminal = start()
    terminal.type("/")
    terminal.expect_screen("Start a session and open it.")
    terminal.type("metr")
    terminal.until(lambda: "Start a session" not in "\n".join(terminal.screen()))
    terminal.expect_screen("/metrics")
    terminal.type(TAB)
    terminal.expect_screen("› /metrics")
    terminal.type(BACKSPACE * 8)
    terminal.until(lambda: "/metrics" not in "\n".join(terminal.screen()))
    prompt, toolbar = terminal.lines()[-2:]
    assert prompt == "›"
    assert " · offline" in toolbar, "plugins may have put something behind it"


def test_an_unknown_command_is_not_sent(start: Start, home: Path) -> None:
    terminal = start()
    terminal.type("/swich x\r")
    terminal.expect("Did you mean /switch?")
    terminal.expect("› /swich x")  # to be mended
    terminal.type("\x15   \r")
    terminal.type("hello\r")
    terminal.expect("You said: “hello”")
    assert saved(home) == ["hello"]


def test_several_lines_are_one_message(start: Start, home: Path) -> None:
    terminal = start()
    terminal.type("first" + ALT_ENTER + "second" + ENTER)
    terminal.expect("You said: “first second”")
    terminal.type(paste("third\r\nfourth\tend\n") + ENTER)
    terminal.expect("You said: “third fourth end”")
    assert saved(home) == ["first\nsecond", "third\nfourth\tend"]


def test_five_megabytes_stay_one_message(start: Start, home: Path) -> None:
    terminal = start()
    text = "0123456789abcde\n" * (5 * 65536)
    terminal.type(paste(text))
    terminal.expect_screen("[paste 1: 5,242,880 characters")
    terminal.type(ENTER)
    terminal.expect("You said: “0123456789abcde 0123456789abcde", 60)
    terminal.type("exit\r")  # what is shown of a reply may not be saved yet
    assert terminal.wait() == 0
    assert saved(home) == [text.rstrip()]


def test_history_survives_without_what_is_secret(start: Start, home: Path) -> None:
    terminal = start()
    said = ["the blue cup", " not for the history", "my key is sk-fake-00000000000000000000"]
    for number, text in enumerate(said, start=1):
        terminal.type(text + ENTER)
        terminal.expect("You said: ", times=number)
    terminal.type("exit\r")
    assert terminal.wait() == 0

    again = start()
    again.type(UP)
    again.expect_screen("› exit")
    again.type(UP)
    again.until(lambda: again.lines()[-2] == "› the blue cup")
    again.type(CTRL_C)
    again.until(lambda: again.lines()[-2] == "›")
    again.type(CTRL_R + "blue")
    again.expect_screen("search: blue")
    again.expect_screen("› the blue cup")
    again.type(ENTER + ENTER)
    again.expect("You said: “the blue cup”")
    path = home / "history"
    assert "sk-fake" not in path.read_text()
    assert "not for" not in path.read_text()
    assert os.stat(path).st_mode & 0o777 == 0o600
