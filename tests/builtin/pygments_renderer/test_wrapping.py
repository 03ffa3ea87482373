"""Rows: every word once, in order, within the width."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.pygments_renderer.wrapping import Wrapper, columns


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    wrapper = Wrapper(width, [("", first)] if first else [], [("", rest)] if rest else [])
    rows = wrapper.add([("", text)]) + wrapper.close()
    return ["".join(part for _style, part in row) for row in rows]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 0, ["one two three"]),
        ("one   two  three", 9, ["one   two", "three"]),
        ("one two ", 7, ["one two"]),
        ("a\nb", 9, ["a", "b"]),
        ("a\n\nb", 9, ["a", "", "b"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("x abcdefghij y", 4, ["x", "abcd", "efgh", "ij y"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("a 漢字漢字", 6, ["a 漢字", "漢字"]),
        ("漢字。漢", 5, ["漢", "字。", "漢"]),
        ("a\tb", 9, ["a   b"]),
        ("no\u00a0break here", 8, ["no\u00a0break", "here"]),
        ("", 9, []),
    ],
)
def test_rows(text: str, width: int, rows: list[str]) -> None:
    assert wrap(text, width) == rows


def test_prefixes() -> None:
    assert wrap("one two three", 9, "1. ", "   ") == ["1. one", "   two", "   three"]
    assert wrap("", 9, "• ") == ["• "]


def test_a_word_may_have_several_styles() -> None:
    wrapper = Wrapper(8)
    rows = wrapper.add([("", "one two"), ("bold", "three"), ("", " four")]) + wrapper.close()
    assert rows == [
        (("", "one"),),
        (("", "two"), ("bold", "three")),
        (("", "four"),),
    ]


def test_a_word_that_fits_into_no_row_is_not_waited_for() -> None:
    wrapper = Wrapper(10)
    rows = wrapper.add([("", "a " + "x" * 25)])
    assert rows == [(("", "a"),), (("", "x" * 10),), (("", "x" * 10),)]
    rows = wrapper.add([("bold", "y" * 12), ("", " z")]) + wrapper.close()
    assert rows == [(("", "xxxxx"), ("bold", "yyyyy")), (("bold", "yyyyyyy"), ("", " z"))]


def test_combining_marks_stay_with_their_letter() -> None:
    assert wrap("e\u0301" * 6, 4) == ["e\u0301" * 4, "e\u0301" * 2]


def test_a_copy_goes_its_own_way() -> None:
    wrapper = Wrapper(20)
    wrapper.add([("", "one tw")])
    other = wrapper.copy()
    other.add([("", "x three")])
    assert wrapper.add([("", "o")]) + wrapper.close() == [(("", "one two"),)]
    assert other.close() == [(("", "one twx three"),)]


@pytest.mark.parametrize("width", [0, 40])
def test_the_copy_of_a_long_row_is_bounded(width: int) -> None:
    wrapper = Wrapper(width)
    for _ in range(1_000):
        wrapper.add([("", "unbroken" * 10)])
    other = wrapper.copy()
    assert sum(len(text) for row in other.close() for _style, text in row) < 2_000


@given(
    st.text(st.sampled_from("ab  \n漢。é\u0301W"), max_size=80),
    st.integers(2, 20),
    st.lists(st.integers(0, 80), max_size=4),
)
def test_the_same_rows_however_the_words_come(text: str, width: int, cuts: list[int]) -> None:
    """Whole words may come in any number of pieces."""
    places = sorted({0, len(text), *(cut for cut in cuts if text[cut - 1 : cut] in ("\n", " "))})
    wrapper = Wrapper(width)
    rows = []
    for start, end in pairwise(places):
        rows += wrapper.add([("", text[start:end])])
    rows += wrapper.close()
    assert ["".join(part for _style, part in row) for row in rows] == wrap(text, width)
    assert all(columns("".join(part for _style, part in row)) <= width for row in rows)
    assert "".join(wrap(text, width)).replace(" ", "") == text.replace(" ", "").replace("\n", "")


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("漢", 2), ("e\u0301", 1), ("❤\ufe0f", 2), ("👩\u200d💻", 4), ("ü", 1)],
)
def test_columns_are_never_too_few(text: str, width: int) -> None:
    assert columns(text) == width
