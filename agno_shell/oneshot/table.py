"""Plain tables that fit the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple, TextIO

GAP = "  "


class Column(NamedTuple):
    """A heading, and how much the column may give up where the terminal is narrow."""

    title: str
    minimum: int | None = None
    """The width to which it may shrink; None: it is never shortened."""
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """The rows below their headings, ending in a newline.

    Cells are one line each and clean already. Where ``width`` columns are too few,
    the last shrinkable column gives way first; None: nothing is shortened.
    """
    lines = [[column.title for column in columns], *rows]
    widths = [max(text_width(line[index]) for line in lines) for index in range(len(columns))]
    if width is not None:
        _shrink(columns, widths, width)
    return "".join(_line(columns, widths, line) + "\n" for line in lines)


def terminal_width(out: TextIO) -> int | None:
    """The columns of the terminal behind ``out``; None if there is no terminal."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else None
    except (OSError, ValueError):  # a stream of no file, or one that is closed
        return None


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


def _shrink(columns: Sequence[Column], widths: list[int], width: int) -> None:
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    for index in reversed(range(len(columns))):
        minimum = columns[index].minimum
        if excess > 0 and minimum is not None:
            given = max(0, min(excess, widths[index] - minimum))
            widths[index] -= given
            excess -= given


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        text = shorten(cell, width)
        padding = " " * (width - text_width(text))
        parts.append(padding + text if column.right else text + padding)
    return GAP.join(parts).rstrip()
