"""The blocks: what each kind of source line becomes."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

FRAME = "─" * 48


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Blank lines: none at the start or the end, one between blocks.
        ("\n\n\none\n\n\n\ntwo\n\n\n", "one\n\ntwo"),
        ("one\ntwo", "one\ntwo"),
        # Headings.
        ("# Title\ntext", "Title\ntext"),
        ("## Section ##", "Section"),
        ("# C#", "C#"),
        ("###### Deep\n####### Too deep", "Deep\n####### Too deep"),
        ("#hashtag", "#hashtag"),
        ("#", "#"),
        ("Title\n=====", "Title\n====="),
        # Rules.
        ("a\n\n---\n\nb", f"a\n\n{FRAME}\n\nb"),
        ("* * *", FRAME),
        ("--", "--"),
        # Lists.
        ("- a\n* b\n+ c", "• a\n• b\n• c"),
        ("1. a\n2) b\n10. c", "1. a\n2) b\n10. c"),
        ("- a\n  - b\n    - c\n- d", "• a\n  • b\n    • c\n• d"),
        ("1. a\n   - b\n2. c", "1. a\n   • b\n2. c"),
        ("1. a\n  - two columns are enough\n2. c", "1. a\n   • two columns are enough\n2. c"),
        ("- a\n\n- b", "• a\n\n• b"),
        ("- a\n\n  second paragraph\n\nno more", "• a\n\n  second paragraph\n\nno more"),
        ("- a\nlazy", "• a\n  lazy"),
        ("- a\n# no item", "• a\nno item"),
        ("- - deep", "• • deep"),
        ("-", "• "),
        ("-5 degrees\n3.14 is pi", "-5 degrees\n3.14 is pi"),
        ("- [ ] open\n- [x] done\n- [?] else", "☐ open\n☑ done\n• [?] else"),
        # Quotes.
        ("> a\n>b\n> > c", "▏ a\n▏ b\n▏ ▏ c"),
        ("> a\n>\n> b\n\nc", "▏ a\n▏ \n▏ b\n\nc"),
        ("> - a\n>   - b", "▏ • a\n▏   • b"),
        ("- a\n  > b\n  > c", "• a\n  ▏ b\n  ▏ c"),
        ("> a\n\n> b", "▏ a\n\n▏ b"),
        ("> a\n\n>\n> b", "▏ a\n\n▏ b"),
        # Code.
        ("```\n  a\n\n\n\tb\n```\nc", f"{FRAME}\n  a\n\n\n\tb\n{FRAME}\nc"),
        ("~~~\n```\n~~~", f"{FRAME}\n```\n{FRAME}"),
        ("````\n```\n````", f"{FRAME}\n```\n{FRAME}"),
        ("```\n    ```\n```", f"{FRAME}\n    ```\n{FRAME}"),
        ("```\nopen", f"{FRAME}\nopen\n{FRAME}"),
        ("1. a\n   ```\n   x\n     y\n   ```\n2. b", f"1. a\n{FRAME}\nx\n  y\n{FRAME}\n2. b"),
        ("> ```\n> x\n> ```\n> y", f"▏ {FRAME[2:]}\n▏ x\n▏ {FRAME[2:]}\n▏ y"),
        ("> ```\n> x\nout", f"▏ {FRAME[2:]}\n▏ x\n▏ {FRAME[2:]}\nout"),
        (
            "```\n# no heading\n- no item\n> q\n```",
            f"{FRAME}\n# no heading\n- no item\n> q\n{FRAME}",
        ),
        ("``` no fence ```", "no fence"),
        ("a\n\n    code\n      more\n\n\n    end\n\nb", "a\n\ncode\n  more\n\n\nend\n\nb"),
        ("a\n    continues", "a\ncontinues"),
        ("- a\n\n      code", "• a\n\ncode"),
        # Never hidden.
        ("<!-- note -->\n<b>x</b>", "<!-- note -->\n<b>x</b>"),
        ("[ref]: https://example.com 'T'", "[ref]: https://example.com 'T'"),
        ("[text][ref]", "[text][ref]"),
    ],
)
def test_blocks(shown: Any, source: str, expected: str) -> None:
    assert shown(source) == expected


@pytest.mark.parametrize(
    ("info", "title"),
    [
        ("python", "── python "),
        ('js title="a.js" {1,3}', '── js title="a.js" {1,3} '),
        ("no such language", "── no such language "),
    ],
)
def test_the_info_string_is_shown(shown: Any, info: str, title: str) -> None:
    assert shown(f"```{info}\nx\n```").split("\n")[0] == title.ljust(48, "─")


def test_a_long_info_string_is_shown_in_full(shown: Any) -> None:
    info = "python " + "filename.py " * 20
    assert shown(f"```{info}\nx\n```").count("filename.py") == 20


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("- one two three four", "• one two\n  three\n  four"),
        ("10. one two three", "10. one two\n    three"),
        ("> one two three four", "▏ one two\n▏ three\n▏ four"),
        ("# one two three four", "one two\nthree four"),
    ],
)
def test_rows_hang_under_their_marker(shown: Any, source: str, expected: str) -> None:
    assert shown(source, width=11) == expected


def test_code_is_never_wrapped(shown: Any) -> None:
    code = "word " * 50 + "end"
    assert code in shown(f"```\n{code}\n```", width=20).split("\n")
    assert code in shown(f"```\n{'word ' * 500}end\n```\n\n    {code}", width=20).split("\n")


def test_emphasis_may_span_source_lines(style_of: Any, shown: Any) -> None:
    source = "some **bold\ntext** here"
    assert shown(source) == "some bold\ntext here"
    assert style_of(source, "text") == "bold"
    assert shown("some **bold\n\ntext** here") == "some **bold\n\ntext** here"


@pytest.mark.parametrize("prefix", ["", "- ", "> ", "# ", "1. "])
def test_a_long_line_is_cut_invisibly(shown: Any, prefix: str) -> None:
    sentence = "All **of this** is `one line` and [a link](https://example.com/x) more. "
    plain_sentence = "All of this is one line and a link (https://example.com/x) more."
    source = prefix + sentence * 60
    indent = 0 if prefix == "# " else len(prefix)
    flat = shown(source, width=0)
    assert flat[indent:] == " ".join([plain_sentence] * 60)
    rows = shown(source, width=50).split("\n")
    assert [row[indent:] for row in rows] == textwrap.wrap(
        flat[indent:], 50 - indent, break_on_hyphens=False
    )


def test_rows_of_a_long_line_come_before_its_end(lines_of: Any) -> None:
    from agno_shell.builtin.pygments_renderer.stream import PygmentsRenderer

    stream = PygmentsRenderer().begin(80)
    assert len(stream.feed("several words " * 100)) > 10


def test_deep_nesting_leaves_room_for_text(shown: Any) -> None:
    source = "\n".join(f"{'  ' * depth}- item {depth}" for depth in range(40))
    rows = shown(source, width=40).split("\n")
    assert max(len(row) for row in rows) <= 40
    assert shown("> " * 300 + "x", width=40).endswith("x")
