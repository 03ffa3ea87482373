"""What other parts have to say, and what goes wrong in the loop, as lines of the shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agno_shell.conversation.engine import Engine
from agno_shell.shell.lines import one_line
from agno_shell.shell.present import Presenter
from agno_shell.toolkit.terminal_text import clean_line


def report_to(presenter: Presenter, engine: Engine, update_toolbar: Callable[[], None]) -> None:
    """Show what the storage and the plugins report, from whatever thread, and the faults of
    the running loop."""
    loop, told = asyncio.get_running_loop(), set[str]()

    def report(line: str) -> None:
        loop.call_soon_threadsafe(presenter.notice, one_line(line) + "\n")

    def fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # Once each: a fault in drawing would otherwise be drawn, and fail, for ever.
        what = clean_line(repr(context.get("exception") or context.get("message")), 400)
        if what not in told:
            told.add(what)
            presenter.fail(f"Something failed inside the shell: {what}")

    engine.plugins.report = report
    engine.plugins.toolbar_changed = lambda: loop.call_soon_threadsafe(update_toolbar)
    engine.store.tell = report
    loop.set_exception_handler(fault)
