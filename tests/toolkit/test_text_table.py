from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.toolkit.text_table import Column, pad, shorten, table_lines, text_width

COLUMNS = (Column("ID"), Column("Name", minimum=6), Column("Count", right=True))


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() -> None:
    assert table_lines(COLUMNS, [("1", "Tax questions", "3"), ("22", "", "10")]) == [
        "ID  Name           Count",
        "1   Tax questions      3",
        "22                    10",
    ]


def test_a_narrow_terminal_shortens_what_may_shrink() -> None:
    rows = [("1", "Tax questions", "3")]
    assert table_lines(COLUMNS, rows, 19)[1] == "1   Tax que…      3"
    assert table_lines(COLUMNS, rows, 5)[1] == "1   Tax q…      3"


def test_the_last_column_gives_way_first() -> None:
    columns = (Column("A", minimum=2), Column("B", minimum=2))
    assert table_lines(columns, [("aaaaaa", "bbbbbb")], 10)[1] == "aaaaaa  b…"
    assert table_lines(columns, [("aaaaaa", "bbbbbb")], 8)[1] == "aaa…  b…"


def test_wide_characters_take_two_columns() -> None:
    rows = [("1", "日本", "3"), ("2", "four", "4")]
    assert [text_width(line) for line in table_lines(COLUMNS, rows)] == [15] * 3
    assert shorten("日本語", 5) == "日本…"
    assert shorten("日本語", 4) == "日…"
    assert shorten("日本語", 6) == "日本語"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30), st.integers(1, 20))
def test_nothing_is_wider_than_it_may_be(text: str, width: int) -> None:
    assert text_width(shorten(text, width)) <= width
    if text_width(text) <= width:
        assert shorten(text, width) == text


def test_a_cell_is_padded_to_its_columns() -> None:
    assert pad("a", 3) == "a  "
    assert pad("日", 3, right=True) == " 日"
