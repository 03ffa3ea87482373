from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.oneshot.table import Column, shorten, table, terminal_width, text_width

COLUMNS = (Column("ID"), Column("Name", minimum=6), Column("Count", right=True))


def test_columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() -> None:
    assert table(COLUMNS, [("1", "Tax questions", "3"), ("22", "", "10")], None) == (
        "ID  Name           Count\n"
        "1   Tax questions      3\n"
        "22                    10\n"
    )  # fmt: skip


def test_a_narrow_terminal_shortens_what_may_shrink() -> None:
    rows = [("1", "Tax questions", "3")]
    assert table(COLUMNS, rows, 19).splitlines()[1] == "1   Tax que…      3"
    assert table(COLUMNS, rows, 5).splitlines()[1] == "1   Tax q…      3"


def test_the_last_column_gives_way_first() -> None:
    columns = (Column("A", minimum=2), Column("B", minimum=2))
    assert table(columns, [("aaaaaa", "bbbbbb")], 10).splitlines()[1] == "aaaaaa  b…"
    assert table(columns, [("aaaaaa", "bbbbbb")], 8).splitlines()[1] == "aaa…  b…"


def test_wide_characters_take_two_columns() -> None:
    rows = [("1", "日本", "3"), ("2", "four", "4")]
    assert [text_width(line) for line in table(COLUMNS, rows, None).splitlines()] == [15] * 3
    assert shorten("日本語", 5) == "日本…"
    assert shorten("日本語", 4) == "日…"
    assert shorten("日本語", 6) == "日本語"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30), st.integers(1, 20))
def test_nothing_is_wider_than_it_may_be(text: str, width: int) -> None:
    assert text_width(shorten(text, width)) <= width
    if text_width(text) <= width:
        assert shorten(text, width) == text


def test_what_is_no_terminal_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal_width(io.StringIO()) is None
    closed = io.StringIO()
    closed.close()
    assert terminal_width(closed) is None
