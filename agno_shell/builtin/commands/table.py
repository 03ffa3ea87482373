"""Tables for the terminal: plain columns, cut to the width by display cells."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.contracts import CommandContext
from agno_shell.terminal_text import clean_line

GAP = "  "
SMALLEST = 8
"""A column that gives way keeps at least this many cells."""


def print_table(
    context: CommandContext,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    giving_way: Sequence[int] = (),
) -> None:
    """Show a table that fits the terminal; see :func:`table_lines`."""
    lines = table_lines(headers, rows, context.width, right=right, giving_way=giving_way)
    context.print(lines[0], "bold")
    for line in lines[1:]:
        context.print(line)


def table_lines(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int = 0,
    *,
    right: Sequence[int] = (),
    giving_way: Sequence[int] = (),
) -> list[str]:
    """The header and one line a row, without trailing blanks.

    ``right`` are the columns that end flush; ``giving_way`` those that are shortened,
    in this order, when the table is wider than ``width`` cells (0: never).
    """
    table = [list(headers), *([clean_line(cell) for cell in row] for row in rows)]
    widths = [max(cells(row[column]) for row in table) for column in range(len(headers))]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width if width else 0
    for column in giving_way:
        if excess > 0:
            floor = min(widths[column], max(SMALLEST, cells(headers[column])))
            given = min(excess, widths[column] - floor)
            widths[column] -= given
            excess -= given
    return [
        GAP.join(
            pad(shorten(cell, widths[column]), widths[column], right=column in right)
            for column, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]


def cells(text: str) -> int:
    """How many terminal cells ``text`` fills."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    width = wcswidth(text)
    return width if width >= 0 else len(text)


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells; what is left out is marked by ``…``."""
    if cells(text) <= width:
        return text
    kept = text[: max(0, width - 1)]  # right for ASCII; wide ones need fewer
    while kept and cells(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """``text`` with blanks up to ``width`` cells, in front of it if ``right``."""
    blanks = " " * max(0, width - cells(text))
    return blanks + text if right else text + blanks
