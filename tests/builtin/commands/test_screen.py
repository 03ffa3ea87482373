from __future__ import annotations

from collections.abc import Callable
from typing import Any


async def test_clear_empties_the_screen_only(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/clear") == ""
    assert context.ui.cleared == 1
    assert not context.app.exited


async def test_exit_leaves(context: Any, type_line: Callable[..., Any]) -> None:
    await type_line(context, "/exit")
    assert context.app.exited
    assert context.app.commands["exit"].aliases == ("quit",)
