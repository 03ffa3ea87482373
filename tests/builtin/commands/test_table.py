from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.commands.table import cells, pad, print_table, shorten, table_lines


def test_columns_are_as_wide_as_their_widest_cell():
    assert table_lines(("ID", "Name"), [("1", "a"), ("1234", "bcd")]) == [
        "ID    Name",
        "1     a",
        "1234  bcd",
    ]


def test_numbers_end_flush():
    assert table_lines(("A", "Count"), [("x", "7")], right=(1,)) == ["A  Count", "x      7"]


def test_a_wide_table_gives_way_in_order():
    rows = [("n" * 20, "d" * 30)]
    assert table_lines(("Name", "Text"), rows, 40, giving_way=(1, 0))[1] == (
        "n" * 20 + "  " + "d" * 17 + "…"
    )
    assert table_lines(("Name", "Text"), rows, 20, giving_way=(1, 0))[1] == (
        "n" * 9 + "…  " + "d" * 7 + "…"
    )


def test_width_0_shortens_nothing():
    assert table_lines(("T",), [("x" * 150,)], 0, giving_way=(0,))[1] == "x" * 150


def test_wide_characters_keep_the_columns_straight():
    header, row, plain = table_lines(("A", "B"), [("日本", "x"), ("ab", "y")])
    assert cells(row[: row.index("x")]) == plain.index("y") == header.index("B")


def test_a_cell_cannot_break_its_line():
    lines = table_lines(("A",), [("one\ntwo\x1b[31m",)])
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("ab", 1, "…"),
    ],
)
def test_shorten(text, width, expected):
    assert shorten(text, width) == expected


@given(st.text(max_size=40), st.integers(1, 30))
def test_shortened_text_fits(text, width):
    assert cells(shorten(text, width)) <= width


def test_pad():
    assert pad("a", 3) == "a  "
    assert pad("日", 3, right=True) == " 日"


def test_only_the_header_is_bold(context):
    print_table(context, ("A",), [("x",)])
    assert list(zip(context.lines, context.styles, strict=True)) == [("A", "bold"), ("x", "")]
