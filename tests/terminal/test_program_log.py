"""A whole chat with a log, and no word of it in there."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.testing.terminal import CTRL_D, Terminal

CANARY = "c4n4ry"

PLUGIN = '''
import asyncio

from agno_shell import (
    Command,
    Failed,
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

CANARY = "c4n4ry"


class Canaries(Provider):
    """Says the canary wherever a provider may say anything."""

    name = "canaries"

    async def stream(self, request):
        last = request.messages[-1]
        if last.role == "tool":
            yield ReasoningDelta("thought of " + CANARY)
            yield TextDelta("It said: " + last.content)
            yield Finished()
        elif "raise" in last.content:
            raise RuntimeError(CANARY, request)
        elif "fail" in last.content:
            yield Failed("server", CANARY, CANARY)
        else:
            for name in ("look_up", "break_down", CANARY):
                yield ToolCall("id-" + name, name, '{"word": "' + CANARY + '"}')
            yield Finished("tool_calls")


class Box(ToolBox):
    async def tools(self):
        async def look_up(arguments):
            return "found " + arguments["word"]

        async def break_down(arguments):
            raise OSError(2, CANARY, CANARY)

        nothing = {"type": "object", "properties": {}}
        return [
            Tool(ToolSchema("look_up", CANARY, nothing), look_up, "a test"),
            Tool(ToolSchema("break_down", CANARY, nothing), break_down, "a test"),
        ]


def crash(context, text):
    raise ValueError(text)


@hookimpl
def on_message_saved(session, message):
    raise KeyError(session.name, message.content)


@hookimpl
def register_commands():
    return [Command("crash", "Fails.", crash)]


@hookimpl
def register_providers():
    return [ProviderFactory("canaries", "for tests", lambda _options: Canaries())]


@hookimpl
def register_tools():
    return [ToolFactory("box", "for tests", lambda _options: Box())]
'''

CONFIG = """
[provider]
plugin = "canaries"
model = "canaries"
[tools]
on = ["box"]
[agents.writer]
instructions = "c4n4ry"
"""


@pytest.fixture
def log(
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    environ: dict[str, str],
    tmp_path: Path,
) -> Path:
    install("canaries", PLUGIN)
    install("broken", f"raise RuntimeError('{CANARY}')")
    configure(CONFIG)
    environ["OPENAI_API_KEY"] = f"sk-fake-0000-{CANARY}"
    (tmp_path / f"{CANARY}.txt").write_text(f"{CANARY}\n")
    return tmp_path / "program.log"


def test_no_word_of_a_chat_is_in_the_log(
    log: Path, start: Callable[..., Terminal], run: Callable[..., Any]
) -> None:
    arguments = ("--new", f"{CANARY} session", "--agent", "writer")
    context = ("--context", f'{{"{CANARY}": "{CANARY}"}}')
    terminal = start("--log", str(log), *arguments, *context)
    terminal.type(f"What is in @{CANARY}.txt?\r")
    for tool in ("look_up", "break_down"):
        terminal.expect(f"The model asks to run {tool} (a test).")
        terminal.expect_screen("▸ n  No")
        terminal.type("y\r")
    terminal.expect(f"There is no tool called '{CANARY}'")
    terminal.type(f"fail {CANARY}\r")
    terminal.expect(f"{CANARY} {CANARY}")
    terminal.type(f"raise {CANARY}\r")
    terminal.expect("The provider 'canaries' failed: RuntimeError")
    for command in ("crash", "rename", "attach", "switch", "remember"):
        terminal.type(f"/{command} {CANARY}\r")
    terminal.expect("Remembered in this session")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    quick = ("chat", "--quick", f"raise {CANARY}", "--log", str(log))
    assert run(*quick).returncode == 1
    assert run("session", "--set", CANARY * 2, "--log", str(log)).returncode == 1

    text = log.read_text()
    assert CANARY not in text
    for told in (
        "start command=chat ",
        'plugin loaded plugin="canaries (canaries 1.0)"',
        'plugin failed plugin="broken (broken 1.0)" hook=load error=RuntimeError at=',
        'plugin failed plugin="canaries (canaries 1.0)" hook=on_message_saved error=KeyError at=',
        "storage opened name=json",
        "provider opened name=canaries",
        "tool box opened name=box",
        "session opened messages=0",
        "request sent provider=canaries model=canaries messages=2 tools=2 files=0",
        "tool started tool=look_up",
        "tool ended tool=look_up ran=yes status=complete",
        "tool failed tool=break_down error=FileNotFoundError errno=ENOENT at=",
        "tool ended ran=no status=failed",
        "reply finished reason=stop",
        "reply failed kind=server",
        "provider failed provider=canaries error=RuntimeError at=",
        "command failed error=ValueError at=",
        "start command=session ",
    ):
        assert told in text, told
    assert text.splitlines()[-1].partition(" exit ")[2].startswith("seconds=")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_of_the_variable_and_one_that_cannot_be_opened(
    run: Callable[..., Any], environ: dict[str, str], tmp_path: Path
) -> None:
    environ["AGNO_SHELL_LOG"] = "~/program.log"
    assert run("session").returncode == 0
    assert run("--log", "other.log", "config").returncode == 0
    assert " start command=session " in (tmp_path / "program.log").read_text()
    assert " start command=config " in (tmp_path / "other.log").read_text()
    environ["AGNO_SHELL_LOG"] = "program.log"
    refused = run("session")
    assert refused.returncode == 2
    assert b"AGNO_SHELL_LOG must be a whole path" in refused.stderr
    environ["AGNO_SHELL_LOG"] = str(tmp_path / "missing" / "program.log")
    refused = run("session")
    assert refused.returncode == 2
    assert refused.stderr.count(b"\n") == 1
    assert refused.stdout == b""
