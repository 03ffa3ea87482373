"""Tables."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.pygments_renderer.stream import PygmentsRenderer
from agno_shell.builtin.pygments_renderer.table import MAX_ROWS, MAX_SOURCE, alignments, cells_of
from agno_shell.testing.renderer_contract import text_of

SOURCE = """| Name | Value | Note |
|:-----|------:|:----:|
| a | 1 | x |
| beta | 22 | **bold** |
"""


def test_columns_are_aligned(shown: Any) -> None:
    assert shown(SOURCE) == (
        "Name │ Value │ Note\n─────┼───────┼─────\na    │     1 │  x\nbeta │    22 │ bold"
    )


def test_the_header_is_bold(style_of: Any) -> None:
    assert style_of(SOURCE, "Value") == "bold"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a | b\n--|--\nc | d\n\nend", "a │ b\n──┼──\nc │ d\n\nend"),
        ("a | b\n--|--\nc | d\nend", "a │ b\n──┼──\nc │ d\nend"),
        ("| a |\n|---|\n| b |", "a\n─\nb"),
        (r"| a \| b | `c` |" + "\n|---|---|", "a | b │ c\n──────┼──"),
        ("a | b\nno table", "a | b\nno table"),
        ("a | b\n---|---|---", "a | b\n---|---|---"),
        ("a | b", "a | b"),
        ("|a|b|\n|-|-|\n|1|2|3|\n|4|", "a │ b │\n──┼───┼──\n1 │ 2 │ 3\n4 │   │"),
        ("- |a|b|\n  |-|-|\n  |1|2|", "• a │ b\n  ──┼──\n  1 │ 2"),
        ("> |a|b|\n> |-|-|\n> |1|2|", "▏ a │ b\n▏ ──┼──\n▏ 1 │ 2"),
        ("|a|b|\n|-|-|\n# Head | line", "a │ b\n──┼──\nHead | line"),
    ],
)
def test_examples(shown: Any, source: str, expected: str) -> None:
    assert "\n".join(line.rstrip() for line in shown(source).split("\n")) == expected


def test_a_wide_table_is_fitted_into_the_width(shown: Any) -> None:
    source = f"| Key | Text |\n|--|--|\n| one | {'several words ' * 10}|\n| two | short |\n"
    rows = shown(source, width=40).split("\n")
    assert all(len(row) <= 40 for row in rows)
    assert " ".join(row.split("│")[-1].strip() for row in rows).count("several") == 10
    assert any(row.startswith("two │ short") for row in rows)


def test_more_columns_than_fit_are_shown_one_behind_the_other(shown: Any) -> None:
    names = [f"column{number}" for number in range(12)]
    source = f"|{'|'.join(names)}|\n|{'-|' * 12}\n|{'|'.join('x' * 12)}|"
    rows = shown(source, width=20).split("\n")
    assert all(len(row) <= 20 for row in rows)
    assert all(any(name in row for row in rows) for name in names)


def test_rows_do_not_wait_for_ever() -> None:
    stream = PygmentsRenderer().begin(80)
    assert stream.feed("| a | b |\n|---|---|\n" + "| c | d |\n" * (MAX_ROWS - 1)) == []
    assert len(stream.feed("| c | d |\n")) == MAX_ROWS + 2
    later = text_of(stream.feed("| wider than before | d | more |\n"))
    assert later.count("\n") == 1
    assert "more" in later
    assert stream.tail() == []


def test_large_rows_do_not_wait_for_ever() -> None:
    stream = PygmentsRenderer().begin(80)
    stream.feed("| a | b |\n|---|---|\n")
    row = f"| {'word ' * 60}| b |\n"
    for _ in range(MAX_SOURCE // len(row) - 1):
        assert stream.feed(row) == []
    assert text_of(stream.feed(row * 3)).count("word") > MAX_SOURCE // 6


def test_a_long_row_is_a_row(shown: Any) -> None:
    source = f"| a | b |\n|---|---|\n| {'word ' * 150} | end |\n"
    rows = shown(source, width=60).split("\n")
    assert sum(row.count("word") for row in rows) == 150
    assert all(len(row) <= 60 for row in rows)
    assert any(row.endswith("│ end") for row in rows)


def test_an_endless_row_is_prose(shown: Any) -> None:
    source = f"| a | b |\n|---|---|\n| {'word ' * 2_000} | end |\n"
    assert shown(source, width=60).count("word") == 2_000


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        ("a|b", ":-|-:", ["<", ">"]),
        ("|a|b|", "|:-:|---|", ["^", "<"]),
        ("a|b", "---", None),
        ("a|b", "|x|y|", None),
        ("a|b|c", "|-|-|", None),
    ],
)
def test_delimiter_rows(header: str, line: str, expected: list[str] | None) -> None:
    assert alignments(header, line) == expected


def test_cells() -> None:
    assert cells_of("| a | b |") == ["a", "b"]
    assert cells_of("a|b|") == ["a", "b"]
    assert cells_of("| a || b |") == ["a", "", "b"]
    assert cells_of(r"a \| b | c") == ["a | b", "c"]
