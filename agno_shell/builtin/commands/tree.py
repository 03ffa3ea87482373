"""``/tree``: the branches of the open session, and going to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agno_shell.builtin.commands import tree_page
from agno_shell.builtin.commands.arguments import require_nothing
from agno_shell.builtin.commands.tree_lines import lines
from agno_shell.builtin.commands.tree_shape import Row, rows, shortened
from agno_shell.contracts import Command, CommandContext
from agno_shell.types import ROOT, Stretch, now

ALL = 24
"""Of more rows than this only those are shown where branches part or end."""

OPENED = 10
"""Rows that are shown more at each end of what was left out, each time it is picked."""

WHOLE = 2_000
"""Messages of a session of which all is looked at."""

SEGMENTS = 60
"""Of a longer one: stretches between two places where branches part, that are looked at."""

READ_FURTHER = 80
"""Messages that are read then at each end of what was left out."""

MARGIN = 8
"""Columns that the list itself needs."""

SHOWN = 2
"""Messages that are shown where the conversation stands then."""


async def tree(context: CommandContext, text: str) -> None:
    """Draw the branches, and go to the one that is chosen."""
    require_nothing(text, "tree", hint="Choose a branch in the list.")
    outline = await context.engine.messages.outline()
    if not outline:
        context.ui.print("Nothing has been said in this session yet.")
        return
    drawing = Drawing(context, outline)
    chosen = await _choose(context, drawing)
    if chosen is None:
        return
    if chosen.is_head:
        context.ui.print("The conversation stands there already.")
        return
    await context.engine.go_to(chosen.messages[-1].id)
    context.ui.show_messages(context.engine.history[-SHOWN:])
    context.ui.print("The conversation stands here now; what you type next follows this.")


class Drawing:
    """The rows of the tree, of a long one those that were asked for."""

    def __init__(self, context: CommandContext, outline: Sequence[Stretch]) -> None:
        self._context = context
        self._outline = outline
        self._head = context.engine.history[-1].id if context.engine.history else ROOT
        self._limit = SEGMENTS
        self._opened: Counter[str] = Counter()
        self._more: Counter[int] = Counter()
        self._page = tree_page.Page((), {}, {})
        self._drawn: list[Row] | None = None

    async def rows(self) -> list[Row]:
        """What is shown."""
        if self._drawn is None:
            reader = self._context.engine.messages
            if self._outline[-1].stop <= WHOLE:
                messages = await reader.saved(0, self._outline[-1].stop)
                self._page = tree_page.Page(messages, {}, {})
            else:
                place = await reader.place(self._head) if self._head != ROOT else None
                self._page = await tree_page.load(
                    reader, self._outline, place, self._limit, self._more
                )
            self._drawn = rows(self._page.messages, self._head, self._page.gaps)
        drawn = self._drawn
        is_short = len(drawn) <= ALL and not self._page.gaps
        return drawn if is_short else shortened(drawn, self._opened)

    def open(self, row: Row) -> None:
        """Show more of what is left out."""
        self._opened[row.key] += OPENED
        if not row.gap:
            return
        self._drawn = None
        if row.key == tree_page.BEFORE:
            self._limit *= 4
        self._more[self._page.segment_of.get(row.key, 0)] += READ_FURTHER


async def _choose(context: CommandContext, drawing: Drawing) -> Row | None:
    """The row that is picked. Where turns are left out, more of them are shown first."""
    picked = ""
    while True:
        shown = await drawing.rows()
        width = max(context.ui.width - MARGIN, 1) if context.ui.width else 0
        drawn = lines(shown, width, now().astimezone().date())
        begin = [place for place, row in enumerate(shown) if row.is_head or row.key == picked != ""]
        chosen = await context.ui.choose(drawn, default=begin[-1] if begin else len(shown) - 1)
        if chosen is None:
            # The list is gone, or there was nobody to show it to.
            context.ui.print_lines(drawn)
            return None
        if shown[chosen].messages:
            return shown[chosen]
        picked = shown[chosen].key
        drawing.open(shown[chosen])


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
