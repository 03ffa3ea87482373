"""A list to choose from, in a terminal that is not always wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agno_shell.testing.terminal import CTRL_D, DOWN, ENTER, ESCAPE, Terminal

PICKER = """
from agno_shell import Command, hookimpl


async def pick(context, text):
    options = [(("", f"option {n:02} " + "wide 漢字 " * 12),) for n in range(30)]
    context.ui.print(f"picked {await context.ui.choose(options)}")


@hookimpl
def register_commands():
    return [Command("pick", "Pick one of thirty.", pick)]
"""


@pytest.fixture
def terminal(install: Callable[[str, str], None], start: Callable[..., Terminal]) -> Terminal:
    install("picker", PICKER)
    return start(columns=60, rows=20)


def options(terminal: Terminal) -> list[str]:
    return [line for line in terminal.screen() if "option " in line]


def test_a_line_is_picked_and_the_list_leaves_no_trace(terminal: Terminal) -> None:
    terminal.type("/pick\r")
    terminal.expect_screen("▸  1  option 00")
    terminal.until(lambda: len(options(terminal)) == 10)
    terminal.type(DOWN * 12)
    terminal.expect_screen("▸ 13  option 12")
    terminal.resize(30, 20)
    terminal.expect_screen("13/30")
    terminal.until(
        lambda: all(len(line) <= 30 and line.endswith("…") for line in options(terminal))
    )
    terminal.type(DOWN + ENTER)
    terminal.expect("picked 13")
    terminal.until(lambda: not options(terminal))
    assert terminal.lines()[-2] == "›"
    terminal.type("/pick\r")
    terminal.expect_screen("▸  1  option 00")
    terminal.type(ESCAPE)
    terminal.expect("picked None")
    terminal.until(lambda: not options(terminal))
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
