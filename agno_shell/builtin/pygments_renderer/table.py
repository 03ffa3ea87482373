"""Tables: rows wait until the widths of the columns are known, but not for long."""

from __future__ import annotations

import re
from copy import copy

from agno_shell.builtin.pygments_renderer.inline import Inline
from agno_shell.builtin.pygments_renderer.theme import FAINT
from agno_shell.builtin.pygments_renderer.wrapping import Fragment, Fragments, Wrapper, columns
from agno_shell.contracts import Line

MAX_ROWS = 50
MAX_SOURCE = 8_000
"""Rows and characters that are held back; then the widths are settled."""

MIN_COLUMN = 4
"""Where a column would be narrower, cells are shown one behind the other."""

ROOMY_COLUMN = 12
"""For rows that come when the widths are settled, whose cells may be wider."""

GAP = " │ "

_DELIMITER_ROW = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_PIPE = re.compile(r"(?<!\\)\|")

Cell = list[Fragment]


def cells_of(line: str) -> list[str]:
    """The cells of a source row."""
    line = line.strip()
    cells = _PIPE.split(line)
    if len(cells) > 1 and not cells[0].strip():
        cells = cells[1:]
    if len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    return [cell.strip().replace("\\|", "|") for cell in cells]


def alignments(header: str, line: str) -> list[str] | None:
    """``<``, ``^`` or ``>`` for each column if ``line`` makes ``header`` a table's header."""
    line = line.strip()
    if "|" not in line or not _DELIMITER_ROW.match(line):
        return None
    cells = cells_of(line)
    if len(cells) != len(cells_of(header)):
        return None
    return [_alignment(cell) for cell in cells]


def _alignment(cell: str) -> str:
    if cell.endswith(":"):
        return "^" if cell.startswith(":") else ">"
    return "<"


class Table:
    """The table in work. ``width`` 0: as wide as its cells."""

    def __init__(
        self,
        inline: Inline,
        width: int,
        first: Fragments,
        rest: Fragments,
        header: str,
        aligns: list[str],
    ) -> None:
        self._inline = inline
        self._rest = tuple(rest)
        self._first = tuple(first)
        indent = sum(columns(text) for _style, text in rest)
        self._room = max(width - indent, 1) if width else 0
        self._aligns = aligns
        self._held = [self._parse(header, "bold")]
        self._source = len(header)
        self._widths: list[int] = []
        self._ruled = False
        self._settled = False

    def copy(self) -> Table:
        other = copy(self)
        other._held, other._aligns = self._held[:], self._aligns[:]
        return other

    def add(self, line: str) -> list[Line]:
        """Take a source row; return the rows that are certain."""
        row = self._parse(line)
        if self._settled:
            return self._show(row)
        self._held.append(row)
        self._source += len(line)
        if len(self._held) > MAX_ROWS or self._source > MAX_SOURCE:
            return self._settle(least=ROOMY_COLUMN)
        return []

    def close(self) -> list[Line]:
        return [] if self._settled else self._settle()

    def _parse(self, line: str, base: str = "") -> list[Cell]:
        return [self._inline.parse(cell, base) for cell in cells_of(line)]

    def _settle(self, least: int = 1) -> list[Line]:
        """Fix the widths by what is held, and show it; no column under ``least`` columns,
        if there is room for it."""
        self._settled = True
        count = max(len(row) for row in self._held)
        self._aligns += ["<"] * (count - len(self._aligns))
        natural = [
            max(least, *(_cell_width(row[at]) for row in self._held if at < len(row)))
            for at in range(count)
        ]
        room = self._room - len(GAP) * (count - 1)
        if not self._room or sum(natural) <= room:
            self._widths = natural
        elif room >= MIN_COLUMN * count:
            self._widths = _share(natural, room)
            self._ruled = True
        header, *rows = self._held
        self._held = []
        lines = self._show(header)
        if self._widths and not self._ruled:
            lines.append(self._rule())
        for row in rows:
            lines += self._show(row)
        return lines

    def _rule(self) -> Line:
        return (*self._rest, (FAINT, "─┼─".join("─" * width for width in self._widths)))

    def _show(self, row: list[Cell]) -> list[Line]:
        prefix, self._first = self._first, self._rest
        if not self._widths:
            return self._show_narrow(row, prefix)
        count = len(self._widths)
        for extra in row[count:]:
            row[count - 1] = [*row[count - 1], (FAINT, " | "), *extra]
        row = row[:count] + [[] for _ in range(count - len(row))]
        columns_of_rows = []
        for cell, width in zip(row, self._widths, strict=True):
            wrapper = Wrapper(width)
            columns_of_rows.append(wrapper.add(cell) + wrapper.close())
        height = max(1, *(len(rows) for rows in columns_of_rows))
        lines = []
        # Where cells take several rows, a rule shows which rows belong together.
        rule = [self._rule()] if self._ruled else []
        for at in range(height):
            parts = [rows[at] if at < len(rows) else () for rows in columns_of_rows]
            lines.append((*(prefix if at == 0 else self._rest), *self._join(parts)))
        return lines + rule

    def _show_narrow(self, row: list[Cell], prefix: Fragments) -> list[Line]:
        """More columns than the terminal has room for: the cells one behind the other."""
        wrapper = Wrapper(self._room, prefix, self._rest)
        lines: list[Line] = []
        for at, cell in enumerate(row):
            lines += wrapper.add([(FAINT, " | "), *cell] if at else cell)
        return lines + wrapper.close()

    def _join(self, parts: list[Line]) -> list[Fragment]:
        joined: list[Fragment] = []
        for at, (part, width, align) in enumerate(
            zip(parts, self._widths, self._aligns, strict=True)
        ):
            spare = max(width - _cell_width(part), 0)
            left = {"<": 0, "^": spare // 2, ">": spare}[align]
            if at:
                joined.append((FAINT, GAP))
            if left:
                joined.append(("", " " * left))
            joined += part
            if spare > left and at < len(parts) - 1:
                joined.append(("", " " * (spare - left)))
        return joined


def _cell_width(cell: Fragments) -> int:
    return sum(columns(text) for _style, text in cell)


def _share(natural: list[int], room: int) -> list[int]:
    """Narrow columns keep their width, the others share what is left equally."""
    widths = [0] * len(natural)
    waiting = sorted(range(len(natural)), key=lambda at: natural[at])
    for done, at in enumerate(waiting):
        widths[at] = min(natural[at], room // (len(waiting) - done))
        room -= widths[at]
    return widths
