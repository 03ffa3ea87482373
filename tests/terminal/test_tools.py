"""A model that thinks aloud, asks for a tool and is given a file, in a real terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.terminal import CTRL_C, CTRL_D, ENTER, TAB, Terminal

THINKER = '''
import asyncio

from agno_shell import (
    Finished,
    Provider,
    ProviderFactory,
    ReasoningDelta,
    TextDelta,
    Tool,
    ToolBox,
    ToolCall,
    ToolFactory,
    ToolSchema,
    hookimpl,
)


class Thinker(Provider):
    """Thinks until a file says that it may go on, then asks for a tool, then answers."""

    name = "thinker"

    async def stream(self, request):
        last = request.messages[-1]
        if last.role == "tool":
            yield TextDelta("The tool said: " + last.content)
            yield Finished()
            return
        for number in range(30):
            yield ReasoningDelta(f"thought {number}\\n")
            await asyncio.sleep(0.002)
        from pathlib import Path

        while not Path("go").exists():
            await asyncio.sleep(0.01)
        yield TextDelta("I look it up.\\n")
        yield ToolCall("c1", "look_up", '{"word": "cup\\\\u202e", "in": "' + "x" * 100 + '"}')
        yield Finished("tool_calls")


class Box(ToolBox):
    async def tools(self):
        async def look_up(arguments):
            return "a cup is blue\\n\\x1b[2J"

        schema = ToolSchema("look_up", "Looks up.", {"type": "object", "properties": {}})
        return [Tool(schema, look_up, "a test")]


@hookimpl
def register_providers():
    return [ProviderFactory("thinker", "for tests", lambda _options: Thinker())]


@hookimpl
def register_tools():
    return [ToolFactory("box", "for tests", lambda _options: Box())]
'''

CONFIG = '[provider]\nplugin = "thinker"\nmodel = "thinker"\n[tools]\non = ["box"]\n'


@pytest.fixture
def terminal(
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    start: Callable[..., Terminal],
    tmp_path: Path,
) -> Terminal:
    install("thinker", THINKER)
    configure(CONFIG)
    (tmp_path / "blue cups.txt").write_text("five\n")
    return start()


def test_reasoning_approval_and_attachment(terminal: Terminal, home: Path, tmp_path: Path) -> None:
    terminal.type("How many are in @blue")
    terminal.expect_screen("blue cups.txt")
    terminal.type(TAB)
    terminal.expect_screen('› How many are in @"blue cups.txt"')
    terminal.type(ENTER + ENTER)
    terminal.expect("[attached: blue cups.txt · text/plain · 5 B]")

    terminal.expect_screen("thought 29")
    terminal.expect_screen("thinker thinks …")
    assert not terminal.sees("thought 20\n")
    (tmp_path / "go").touch()
    terminal.expect("I look it up.")
    terminal.expect_screen("▸ n  No")
    assert not terminal.sees("thought 29")
    text = terminal.text()
    assert "(thought for" in text
    assert '"word": "cup‹U+202E›",' in text
    assert "\n  ↪ " in text
    terminal.type("y" + ENTER)
    terminal.expect("The tool said: a cup is blue")
    terminal.expect("␛[2J")
    assert "▸" not in "\n".join(terminal.screen())

    terminal.type("Again\r")
    terminal.expect("The model asks to run look_up (a test).", times=2)
    terminal.expect_screen("▸ n  No")
    terminal.type(CTRL_C)
    terminal.expect("/continue goes on, /retry asks again)")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0

    [stored] = home.rglob("messages.json")
    messages = json.loads(stored.read_text())
    roles = [each["role"] for each in messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant", "tool"]
    assert messages[0]["content"] == 'How many are in @"blue cups.txt"'
    assert "status" not in messages[2]
    assert messages[6]["status"] == "interrupted"
