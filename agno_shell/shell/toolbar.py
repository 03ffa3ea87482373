"""The line under the input."""

from __future__ import annotations

from collections.abc import Iterable

from agno_shell.contracts import Line, ToolbarItem, ToolbarView
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import text_width

SEPARATOR = " · "

LONGEST_ITEM = 40
"""Characters."""


def toolbar_line(
    view: ToolbarView, items: Iterable[ToolbarItem], width: int, *, elsewhere: int = 0
) -> Line:
    """Session, model, agent and state, then what plugins add, as far as they fit;
    ``elsewhere`` is how many messages were added in other shells.

    The line ends before the last column, so that a narrower window does not wrap it
    before it can be drawn anew.
    """
    own = [
        ToolbarItem(view.session.name, "class:toolbar.session", 0),
        ToolbarItem(view.model, "class:toolbar", 10),
    ]
    if view.agent:
        own.append(ToolbarItem(f"agent {view.agent}", "class:toolbar", 20))
    if view.queued:
        own.append(ToolbarItem(f"{view.queued} waiting", "class:busy", 30))
    if elsewhere:
        own.append(ToolbarItem(f"{elsewhere} added elsewhere", "class:busy", 40))
    line: list[tuple[str, str]] = []
    left = width - 1
    for item in sorted([*own, *items], key=lambda item: item.order):
        text = clean_line(item.text, LONGEST_ITEM)
        needed = text_width(text) + (len(SEPARATOR) if line else 0)
        if not text or needed > left:
            continue
        if line:
            line.append(("class:toolbar", SEPARATOR))
        line.append((item.style or "class:toolbar", text))
        left -= needed
    return tuple(line)
