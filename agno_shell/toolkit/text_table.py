"""Plain tables that fit the terminal; for the command line and for slash commands alike."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them at
# every start, and the first call of compile() alone takes 1 ms.

from collections.abc import Iterable, Sequence
from typing import NamedTuple

GAP = "  "


class Column(NamedTuple):
    """A heading, and how much the column may give up where the terminal is narrow."""

    title: str
    minimum: int | None = None
    """The width to which it may shrink; None: it is never shortened."""
    right: bool = False


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int = 0
) -> list[str]:
    """The headings and one line for each row, without trailing blanks.

    Cells are one line each and clean already. Where ``width`` columns are too few, the
    last shrinkable column gives way first; 0: nothing is shortened.
    """
    lines = [[column.title for column in columns], *rows]
    widths = [max(text_width(line[index]) for line in lines) for index in range(len(columns))]
    if width:
        _shrink(columns, widths, width)
    return [_line(columns, widths, line) for line in lines]


def foreign_table_lines(
    columns: Iterable[tuple[str, int | None, bool]], rows: Sequence[Sequence[str]], width: int = 0
) -> list[str]:
    """The same for cells that may hold anything; each becomes one clean line."""
    from agno_shell.toolkit.terminal_text import clean_line

    clean = [[clean_line(cell) for cell in row] for row in rows]
    return table_lines([Column(*each) for each in columns], clean, width)


def text_width(text: str) -> int:
    """Terminal columns of one line of clean text."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth

    width = wcswidth(text)
    return width if width >= 0 else len(text)


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns, with an ellipsis where something is missing."""
    if text_width(text) <= width:
        return text
    cut = text[: max(width - 1, 0)]
    while text_width(cut) > width - 1 and cut:
        cut = cut[:-1]
    return cut.rstrip() + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """``text`` with blanks up to ``width`` columns, in front of it if ``right``."""
    blanks = " " * max(0, width - text_width(text))
    return blanks + text if right else text + blanks


def _shrink(columns: Sequence[Column], widths: list[int], width: int) -> None:
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    for index in reversed(range(len(columns))):
        minimum = columns[index].minimum
        if excess > 0 and minimum is not None:
            given = max(0, min(excess, widths[index] - minimum))
            widths[index] -= given
            excess -= given


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    shown = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        if len(cell) <= width and cell.isascii():
            shown.append(cell.rjust(width) if column.right else cell.ljust(width))
        else:
            shown.append(pad(shorten(cell, width), width, right=column.right))
    return GAP.join(shown).rstrip()
