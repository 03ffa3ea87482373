"""Tables in the scrollback, cut to the width of the screen."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.contracts import CommandContext
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column, table_lines


def print_table(
    context: CommandContext, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Show a table under bold headings; the cells may hold anything."""
    clean = [[clean_line(cell) for cell in row] for row in rows]
    headings, *lines = table_lines(columns, clean, context.width)
    context.print(headings, "bold")
    for line in lines:
        context.print(line)
