"""``/tree``: the branches of the open session, and going to one."""

from __future__ import annotations

from collections import Counter

from agno_shell.builtin.commands.arguments import require_nothing
from agno_shell.builtin.commands.tree_lines import lines
from agno_shell.builtin.commands.tree_shape import Row, rows, shortened
from agno_shell.contracts import Command, CommandContext
from agno_shell.types import ROOT, now

ALL = 24
"""Of more rows than this only those are shown where branches part or end."""

OPENED = 10
"""Rows that are shown more at each end of what was left out, each time it is picked."""

MARGIN = 8
"""Columns that the list itself needs."""

SHOWN = 2
"""Messages that are shown where the conversation stands then."""


async def tree(context: CommandContext, text: str) -> None:
    """Draw the branches, and go to the one that is chosen."""
    require_nothing(text, "tree", hint="Choose a branch in the list.")
    messages = await context.conversation.tree()
    if not messages:
        context.print("Nothing has been said in this session yet.")
        return
    history = context.history
    drawn = rows(messages, history[-1].id if history else ROOT)
    chosen = await _choose(context, drawn)
    if chosen is None:
        return
    if chosen.is_head:
        context.print("The conversation stands there already.")
        return
    await context.conversation.go_to(chosen.messages[-1].id)
    context.show_messages(context.history[-SHOWN:])
    context.print("The conversation stands here now; what you type next follows this.")


async def _choose(context: CommandContext, drawn: list[Row]) -> Row | None:
    """The row that is picked. Where turns are left out, more of them are shown first."""
    opened: Counter[str] = Counter()
    picked = ""
    while True:
        shown = drawn if len(drawn) <= ALL else shortened(drawn, opened)
        width = max(context.width - MARGIN, 1) if context.width else 0
        drawing = lines(shown, width, now().astimezone().date())
        begin = [place for place, row in enumerate(shown) if row.is_head or row.key == picked != ""]
        chosen = await context.choose(drawing, default=begin[-1] if begin else len(shown) - 1)
        if chosen is None:
            # The list is gone, or there was nobody to show it to.
            context.print_lines(drawing)
            return None
        if shown[chosen].messages:
            return shown[chosen]
        picked = shown[chosen].key
        opened[picked] += OPENED


COMMANDS = (
    Command(
        "tree",
        "Show the branches of the session, and go to one.",
        tree,
        details=(
            "A row is a turn: its question and its reply, each behind its number if it is on "
            "the way to where the conversation stands, which is marked with *. Enter goes to the "
            "end of the turn that is marked, Esc stays. In a long session only the turns are shown "
            "where branches part or end; picking a row of dots shows more of them.\n"
            "Nothing that was said is ever deleted: /retry, /edit and /undo make branches."
        ),
    ),
)
