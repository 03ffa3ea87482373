from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from agno_shell.contracts import Line
from agno_shell.shell.lines import (
    flat,
    last_rows,
    one_line,
    rows,
    safe,
    text_lines,
    wrapped,
    wrapped_line,
)


def text_of(line: Line) -> str:
    return "".join(text for _style, text in line)


def test_text_becomes_lines_of_one_style() -> None:
    assert text_lines("a\nb", "bold") == [(("bold", "a"),), (("bold", "b"),)]


def test_foreign_bytes_are_made_visible() -> None:
    assert text_lines("\x1b[31m") == [(("", "␛[31m"),)]
    assert safe((("", "a\nb\x07"),)) == (("", "a␊b␇"),)


def test_prose_breaks_between_words() -> None:
    assert wrapped("one two three\n\nfour", 8) == "one two\nthree\n\nfour"
    assert wrapped("one two three", 0) == "one two three"


def test_a_line_in_several_styles_breaks_between_words() -> None:
    line: Line = (("bold", "one two"), ("", " three "), ("bold", "four"))
    assert wrapped_line(line, 9) == [
        (("bold", "one two"),),
        (("", "three"),),
        (("bold", "four"),),
    ]
    assert wrapped_line(line, 0) == [line]
    assert [text_of(each) for each in wrapped_line(line, 14)] == ["one two three", "four"]


def test_a_path_is_never_broken_or_cut() -> None:
    path = "/home/me/" + "long folder  name/" * 240 + "messages.json"
    assert one_line(f"Kept as {path}.") == f"Kept as {path}."
    whole = "/home/" + "x" * 300
    assert wrapped(f"Kept as {whole} now", 20) == f"Kept as\n{whole}\nnow"


def test_a_sentence_is_one_line_and_has_an_end() -> None:
    assert one_line("a\nb\x1b[2J") == "a␊b␛[2J"
    assert len(one_line("x" * 1_000_000)) < 20_000


def test_a_tab_in_a_window_is_blanks() -> None:
    assert flat((("bold", "a\tb"),)) == (("bold", "a    b"),)


@given(st.lists(st.text(alphabet="ab 漢", max_size=30), min_size=1, max_size=4), st.integers(2, 20))
def test_rows_hold_everything_and_fit(parts: list[str], width: int) -> None:
    line = tuple(("", part) for part in parts)
    made = rows(line, width)
    assert "".join(text_of(row) for row in made) == text_of(line)
    assert all(get_cwidth(text_of(row)) <= width for row in made)


def test_styles_survive_a_break() -> None:
    assert rows((("bold", "abc"), ("", "de")), 2) == [
        (("bold", "ab"),),
        (("bold", "c"), ("", "d")),
        (("", "e"),),
    ]


def test_the_last_rows_of_a_very_long_line() -> None:
    line = (("", "x" * 1_000_000 + "END"),)
    made = last_rows([(("", "before"),), line], 10, 3)
    assert len(made) == 3
    assert "".join(text_of(row) for row in made).endswith("END")


def test_fewer_lines_than_rows_are_all_shown() -> None:
    made = last_rows([(("", "one"),), (("", "two"),)], 10, 5)
    assert [text_of(row) for row in made] == ["one", "two"]
