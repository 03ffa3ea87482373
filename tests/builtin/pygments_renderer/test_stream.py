"""The stream: deltas of any size, and the tail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.pygments_renderer.stream import PREVIEW, PygmentsRenderer
from agno_shell.contracts import Line

RENDERER = PygmentsRenderer()

PIECES = st.sampled_from(
    [
        *(
            "# ",
            "- ",
            "1. ",
            "> ",
            "  ",
            "    ",
            "```",
            "```python\n",
            "~~~\n",
            "---\n",
            "\n",
            "\n\n",
        ),
        *("**", "*", "_", "`", "``", "~~", "[", "](", ")", "![", "<", ">", "<!-- ", "-->", "\\"),
        *("| a | b |\n", "|---|---|\n", "|", "a | b\n", "- [x] ", "https://e.org/a_b", "&amp;"),
        *(
            "word ",
            "beta",
            "漢字",
            "。",
            "e\u0301",
            "👩\u200d💻",
            "\t",
            " ",
            "\r\n",
            "\x1b[0m",
            "\u200b",
        ),
        *("'''", '"""', "/* ", "*/", "def f(x):\n", "<script>", "several words " * 45, "x" * 90),
    ]
)


def text_of(lines: list[Line]) -> list[str]:
    return ["".join(text for _style, text in line) for line in lines]


@given(
    st.lists(PIECES, max_size=25).map("".join),
    st.sampled_from([0, 7, 30, 80]),
    st.lists(st.integers(1, 60), min_size=1, max_size=30),
    st.booleans(),
)
def test_every_way_of_splitting_gives_the_same_lines(
    text: str, width: int, sizes: list[int], look: bool
) -> None:
    whole = RENDERER.begin(width)
    expected = whole.feed(text) + whole.finish()
    stream = RENDERER.begin(width)
    lines: list[Line] = []
    at = turn = 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        lines += stream.feed(text[at : at + size])
        if look:
            stream.tail()
        at, turn = at + size, turn + 1
    assert lines + stream.finish() == expected


@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from([0, 30, 80]))
def test_no_letter_is_lost(text: str, width: int) -> None:
    stream = RENDERER.begin(width)
    shown = "".join(text_of(stream.feed(text) + stream.finish()))
    source = text.replace("[x] ", "").replace("&amp;", "")
    for char in set(source):
        if char.isalpha():
            assert shown.count(char) >= source.count(char)


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("half a li", ["half a li"]),
        ("one\n\ntwo", ["", "two"]),
        ("some **bold te", ["some bold te"]),
        ("some `co", ["some co"]),
        ("a ~~gone", ["a gone"]),
        ("a [li", ["a [li"]),
        ("a [link](htt", ["a [link](htt"]),
        ("# Ti", ["Ti"]),
        ("- ite", ["• ite"]),
        ("```py\nx = 1\ny =", ["y =", "─" * 48]),
        ("```\n\tx", ["        x", "─" * 48]),
        ("| a | b |\n|---|---|\n| c |", ["a │ b", "──┼──", "c │"]),
        ("done\n", []),
    ],
)
def test_the_tail_is_the_line_in_work_as_it_looks_now(text: str, tail: list[str]) -> None:
    stream = RENDERER.begin(80)
    stream.feed(text)
    assert [line.rstrip() for line in text_of(stream.tail())] == tail


def test_the_tail_follows_the_text() -> None:
    stream = RENDERER.begin(80)
    for text, tail in (("one", ["one"]), (" two", ["one two"]), ("\n", []), ("x", ["x"])):
        stream.feed(text)
        assert text_of(stream.tail()) == tail


def test_the_tail_has_the_style_of_what_is_open() -> None:
    stream = RENDERER.begin(80)
    stream.feed("some **bold te")
    assert stream.tail() == [(("", "some "), ("bold", "bold te"))]


def test_a_long_code_line_is_shown_by_its_end() -> None:
    stream = RENDERER.begin(80)
    stream.feed("```\n" + "x" * 5_000 + "end")
    assert text_of(stream.tail()) == ["…" + "x" * (PREVIEW - 3) + "end"]
    assert text_of(stream.finish())[0] == "x" * 5_000 + "end"


def test_rows_fit_into_the_width() -> None:
    text = "# A heading of words\n\nProse with **bold** and 漢字 words.\n\n- item " + "word " * 300
    for width in (20, 33, 80):
        stream = RENDERER.begin(width)
        rows = text_of(stream.feed(text) + stream.finish())
        assert all(len(row) <= width for row in rows)
