"""A whole journey over the branches of a session, in a terminal, on the real store."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agno_shell.testing.terminal import CTRL_C, CTRL_D, ENTER, ESCAPE, UP, Terminal

Start = Callable[..., Terminal]


def stored(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The messages of each session, by its name."""
    return {
        json.loads(path.with_name("session.json").read_text())["name"]: json.loads(path.read_text())
        for path in (home / "sessions").glob("*/messages.json")
    }


def ask(terminal: Terminal, text: str) -> None:
    terminal.type(f"{text}\r")
    terminal.expect(f"You said: “{text.rpartition('-- ')[2]}”")


def command(terminal: Terminal, line: str, expected: str, times: int = 1) -> None:
    terminal.type(f"{line}\r")
    terminal.expect(expected, times=times)


def test_a_journey_over_the_branches(start: Start, home: Path, environ: dict[str, str]) -> None:
    environ["SSH_CONNECTION"] = "no desktop near"
    terminal = start()
    command(terminal, "/rename Bread", "name changed to Bread")
    ask(terminal, "How do I bake bread?")
    ask(terminal, "And without yeast?")
    command(terminal, "/retry", "› And without yeast?", times=2)
    terminal.expect("You said: “And without yeast?”", times=2)

    # The two replies stand beside each other; back to the first.
    terminal.type("/tree\r")
    terminal.expect_screen("4/4")
    assert any("* 4 This is" in line for line in terminal.screen())
    assert any("├─ This is" in line for line in terminal.screen())
    terminal.type(UP + ENTER)
    terminal.expect("The conversation stands here now")

    # The question in other words, changed in the input line.
    terminal.type("/edit\r")
    terminal.expect_screen("› /edit 3 -- And without yeast?")
    terminal.type("\x7f" * 6 + "salt?\r")
    terminal.expect("You said: “And without salt?”")

    command(terminal, "/undo 2", "Taken back: 2 turns")
    command(terminal, "/redo", "Brought back: › How do I bake bread?")
    terminal.type("/edit\r")
    terminal.expect_screen("› /edit 1 -- How do I")
    terminal.type(CTRL_C)
    terminal.until(lambda: "/edit 1 --" not in terminal.screen()[-2])
    command(terminal, "/redo", "Brought back: › And without salt?")

    command(terminal, "/fork Cake --at 2", "'Cake' (")
    ask(terminal, "Is it sweet?")
    before = len(terminal.written)
    command(terminal, "/copy 3", "Copied message 3 (1 line) through the terminal")
    assert base64.b64encode(b"Is it sweet?") in terminal.written_from(before)
    terminal.type(CTRL_D)
    assert terminal.wait() == 0

    sessions = stored(home)
    bread, cake = sessions["Bread"], sessions["Cake"]
    questions = [each["content"] for each in bread if each["role"] == "user"]
    assert questions == ["How do I bake bread?", "And without yeast?", "And without salt?"]
    assert [each["role"] for each in bread].count("assistant") == 4
    assert [each["content"] for each in cake[::2]] == ["How do I bake bread?", "Is it sweet?"]
    assert not {each["id"] for each in bread} & {each["id"] for each in cake}


def test_what_was_taken_back_comes_back_after_a_restart(start: Start, home: Path) -> None:
    terminal = start()
    ask(terminal, "one")
    command(terminal, "/undo", "Taken back: › one")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    again = start()
    again.expect("Everything that was said here was taken back.")
    again.type("/tree\r")
    again.expect_screen("  one  This is")
    again.type(ESCAPE)
    command(again, "/redo", "Brought back: › one")
    command(again, "/redo", "There is nothing to bring back")
    ask(again, "two")
    again.type(CTRL_D)
    assert again.wait() == 0
    [messages] = stored(home).values()
    assert [each["parent"] for each in messages[1:]] == [each["id"] for each in messages[:-1]]


def test_a_reply_that_was_stopped_is_gone_on_with_after_a_restart(
    talker: None, start: Start, home: Path
) -> None:
    terminal = start("--model", "half")
    terminal.type("Tell me\r")
    terminal.expect_screen("The second")
    terminal.type(CTRL_C)
    terminal.expect("stopped")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    again = start("--model", "whole")
    again.type("/continue\r")
    again.expect("line 200")
    again.type(CTRL_D)
    assert again.wait() == 0
    [messages] = stored(home).values()
    assert [each["role"] for each in messages] == ["user", "assistant", "assistant"]
    assert [each.get("status", "complete") for each in messages] == [
        "complete",
        "interrupted",
        "complete",
    ]
    assert messages[2]["parent"] == messages[1]["id"]
