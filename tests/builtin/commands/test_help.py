from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.contracts import Command
from agno_shell.errors import UsageError
from agno_shell.testing.fake_context import run

EXPECTED = [
    *("new", "sessions", "switch", "rename", "describe", "search", "delete", "trash", "undelete"),
    *(
        "history",
        "info",
        "recover",
        "undo",
        "redo",
        "retry",
        "continue",
        "edit",
        "fork",
        "tree",
        "copy",
    ),
    *("context", "pin", "unpin", "compact", "remember", "memory", "forget"),
    *("attach", "save", "model", "reasoning", "agent", "tools", "trace", "metrics", "plugins"),
    *("doctor", "help", "clear", "exit"),
]


def test_every_command_is_there_and_says_what_it_is(context: Any) -> None:
    assert list(context.app.commands) == EXPECTED
    for command in context.app.commands.values():
        assert command.summary.endswith("."), command.name
        assert len(command.summary) <= 100, command.name


async def test_help_has_a_line_for_every_command(
    context: Any, type_line: Callable[..., Any]
) -> None:
    lines = (await type_line(context, "/help")).splitlines()
    for command in context.app.commands.values():
        usage = f"/{command.name} {command.usage}".strip()
        assert any(line.startswith(f"{usage}  ") and command.summary in line for line in lines)


async def test_help_is_wrapped_to_the_width_and_loses_nothing(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(width=72)
    printed = await type_line(context, "/help")
    assert max(map(len, printed.splitlines())) <= 72
    words = printed.split()
    for command in context.app.commands.values():
        assert set(command.summary.split()) <= set(words), command.name


async def test_an_alias_is_no_second_line(context: Any, type_line: Callable[..., Any]) -> None:
    context.app.commands = {**context.app.commands, "quit": context.app.commands["exit"]}
    printed = await type_line(context, "/help")
    assert printed.count("Leave the shell") == 1


@pytest.mark.parametrize("name", ["rename", "/rename", "RENAME"])
async def test_help_in_full(context: Any, type_line: Callable[..., Any], name: str) -> None:
    printed = await type_line(context, f"/help {name}")
    command = context.app.commands["rename"]
    for part in ("/rename [REF] NAME", command.summary, command.details):
        assert part in printed


async def test_help_for_an_alias_explains_its_command(
    context: Any, type_line: Callable[..., Any]
) -> None:
    printed = await type_line(context, "/help quit")
    assert printed.splitlines()[0] == "/exit"
    assert "Also: /quit" in printed


async def test_an_unknown_command_names_the_nearest(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="There is no command /renam") as raised:
        await type_line(context, "/help renam")
    assert "/rename" in raised.value.hint
    with pytest.raises(UsageError) as raised:
        await type_line(context, "/help qqqqq")
    assert raised.value.hint == "/help lists all commands."


async def test_words_of_a_foreign_command_cannot_act_on_the_terminal(context: Any) -> None:
    foreign = Command("bad", "a\x1b[2Jb", run=print, details="c\x1b[2Jd\nsecond line")
    context.app.commands = {**context.app.commands, "bad": foreign}
    await run(context, context.app.commands["help"], "bad")
    await run(context, context.app.commands["help"])
    assert "\x1b" not in context.ui.text
    assert "second line" in context.ui.lines
