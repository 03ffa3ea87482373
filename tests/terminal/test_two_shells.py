"""Two shells on one store, each in a terminal of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agno_shell.testing.terminal import CTRL_D, Terminal

Start = Callable[..., Terminal]


def stored(home: Path) -> list[dict[str, Any]]:
    """The messages of the only session, as they are on the disk."""
    [path] = (home / "sessions").glob("*/messages.json")
    messages: list[dict[str, Any]] = json.loads(path.read_text())
    return messages


def wait_for(terminal: Terminal, home: Path, number: int) -> list[dict[str, Any]]:
    """The messages, once there are so many; the file may be caught in the middle of a write."""

    def there() -> bool:
        with suppress(ValueError):
            return len(stored(home)) == number
        return False

    terminal.until(there)
    return stored(home)


def short_id(home: Path) -> str:
    [path] = (home / "sessions").glob("*/messages.json")
    return path.parent.name[:8]


def ask(terminal: Terminal, text: str) -> None:
    terminal.type(f"{text}\r")
    terminal.expect(f"You said: “{text}”")


def branch(messages: list[dict[str, Any]], last: str) -> list[str]:
    """What was said on the way to the message that begins with ``last``."""
    by_id = {message["id"]: message for message in messages}
    [end] = [message for message in messages if message["content"].startswith(last)]
    step: dict[str, Any] | None = end
    found = []
    while step:
        found.append(step["content"].split("\n")[0])
        step = by_id.get(step["parent"])
    return found[::-1]


def test_two_shells_in_one_session_make_two_branches(start: Start, home: Path) -> None:
    one = start()
    ask(one, "begin")
    two = start()
    two.expect("› begin")
    ask(one, "of one")
    two.expect("added to this session elsewhere. /switch")
    two.expect_screen("2 added elsewhere")
    ask(two, "of two")
    one.expect("added to this session elsewhere. /switch")
    ask(one, "of one later")
    messages = wait_for(one, home, 8)
    ends = {text: branch(messages, text) for text in ("of one later", "of two")}
    assert [text for text in ends["of one later"] if text.startswith("of")] == [
        "of one",
        "of one later",
    ]
    assert [text for text in ends["of two"] if text.startswith("of")] == ["of two"]
    assert all(path[0] == "begin" for path in ends.values())
    assert "of one" not in two.text()
    two.type(f"/switch {short_id(home)}\r")
    two.expect("› of one later")
    ask(two, "together")
    assert "of one later" in branch(wait_for(two, home, 10), "together")
    for terminal in (one, two):
        terminal.type(CTRL_D)
        assert terminal.wait() == 0


def test_a_session_that_another_shell_deletes_can_be_brought_back(start: Start, home: Path) -> None:
    one = start()
    ask(one, "begin")
    short = short_id(home)
    two = start()
    two.type("/delete\r")
    two.expect_screen("[y/N]")
    two.type("y\r")
    one.expect(f"was deleted elsewhere and is in the trash. /undelete {short}")
    ask(one, "into the void")
    one.expect("The reply was not saved either.")
    one.type(f"/undelete {short}\r")
    one.expect("Everything that was said is saved now.")
    [path] = (home / "sessions").glob(f"{short}*/messages.json")
    questions = [m["content"] for m in json.loads(path.read_text()) if m["role"] == "user"]
    assert questions == ["begin", "into the void"]
    assert not any((home / "sessions" / "trash").iterdir())
    one.type(CTRL_D)
    assert one.wait() == 0
