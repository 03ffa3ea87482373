from __future__ import annotations

from agno_shell.testing.fake_context import FakeUi
from agno_shell.toolkit.text_table import Column


def test_only_the_headings_are_bold() -> None:
    ui = FakeUi()
    ui.table((Column("A"),), [("x",)])
    assert list(zip(ui.lines, ui.styles, strict=True)) == [("A", "bold"), ("x", "")]


def test_a_cell_cannot_break_its_line() -> None:
    ui = FakeUi()
    ui.table((Column("A"),), [("one\ntwo\x1b[31m",)])
    assert len(ui.lines) == 2
    assert "\x1b" not in ui.lines[1]


def test_the_table_fits_the_screen() -> None:
    ui = FakeUi()
    ui.width = 20
    ui.table((Column("A", minimum=4), Column("B")), [("x" * 30, "y" * 8)])
    assert ui.lines[1] == "x" * 9 + "…  " + "y" * 8
