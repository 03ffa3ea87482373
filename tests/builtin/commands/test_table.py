from __future__ import annotations

from typing import Any

from agno_shell.builtin.commands.table import print_table
from agno_shell.toolkit.text_table import Column


def test_only_the_headings_are_bold(context: Any) -> None:
    print_table(context, (Column("A"),), [("x",)])
    assert list(zip(context.lines, context.styles, strict=True)) == [("A", "bold"), ("x", "")]


def test_a_cell_cannot_break_its_line(context: Any) -> None:
    print_table(context, (Column("A"),), [("one\ntwo\x1b[31m",)])
    assert len(context.lines) == 2
    assert "\x1b" not in context.lines[1]


def test_the_table_fits_the_screen(context: Any) -> None:
    context.width = 20
    print_table(context, (Column("A", minimum=4), Column("B")), [("x" * 30, "y" * 8)])
    assert context.lines[1] == "x" * 9 + "…  " + "y" * 8
