"""Within a line: styles, links, and that nothing is hidden."""

import pytest

from agno_shell.builtin.pygments_renderer.inline import MAX_DELIMITERS, Inline, scan


@pytest.fixture(scope="module")
def inline() -> Inline:
    return Inline()


@pytest.mark.parametrize(
    ("source", "fragments"),
    [
        ("plain", [("", "plain")]),
        ("**b**", [("bold", "b")]),
        ("*i* ~~s~~", [("italic", "i"), ("", " "), ("strike", "s")]),
        ("***bi***", [("italic bold", "bi")]),
        ("a `*c*` b", [("", "a "), ("fg:ansicyan", "*c*"), ("", " b")]),
        ("**`c`**", [("bold fg:ansicyan", "c")]),
        ("snake_case_name 2 * 3 * 4", [("", "snake_case_name 2 * 3 * 4")]),
        (r"\*no\* \_emphasis\_", [("", "*no* _emphasis_")]),
        ("a &lt; b &amp; c", [("", "a < b & c")]),
    ],
)
def test_styles(inline: Inline, source: str, fragments: list) -> None:
    merged: list[tuple[str, str]] = []
    for style, text in inline.parse(source):
        if merged and merged[-1][0] == style:
            merged[-1] = (style, merged[-1][1] + text)
        else:
            merged.append((style, text))
    assert merged == fragments


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[docs](https://a.example/x)", "docs (https://a.example/x)"),
        ("[docs](https://a.example 'Title')", 'docs (https://a.example "Title")'),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("[https://a.example](https://a.example 'T')", 'https://a.example (https://a.example "T")'),
        ("[a](https://a.example/&#x202e;x)", "a (https://a.example/‹U+202E›x)"),
        ("[https://a.example](https://b.example)", "https://a.example (https://b.example)"),
        ("<https://a.example/ü>", "https://a.example/ü"),
        ("<me@a.example>", "me@a.example"),
        ("[me](mailto:me@a.example)", "me (mailto:me@a.example)"),
        ("[file](src/a.py)", "[file](src/a.py)"),
        ("[**f**](ftp://a.example 'T')", '[f](ftp://a.example "T")'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](data:text/html,hi)", "[x](data:text/html,hi)"),
        ("![cat](https://a.example/c.png)", "[image: cat] (https://a.example/c.png)"),
        ("![cat](c.png 'T')", '[image: cat] (c.png "T")'),
        ("<!-- comment --> <a href='x'>y</a>", "<!-- comment --> <a href='x'>y</a>"),
        ("&#x202e;abc&#8203;&#10;x", "‹U+202E›abc‹hidden 1› x"),
        ("&#27;[2J", "\ufffd[2J"),
        ("[a][b] [c]", "[a][b] [c]"),
    ],
)
def test_what_is_shown(inline: Inline, source: str, text: str) -> None:
    assert "".join(part for _style, part in inline.parse(source)) == text


@pytest.mark.parametrize(
    ("source", "linked"),
    [
        ("[docs](https://a.example)", "docs"),
        ("[docs](HTTP://a.example)", "docs"),
        ("[docs](mailto:x@a.example)", "docs"),
        ("see https://a.example/b_c.", "https://a.example/b_c"),
        ("<https://a.example>", "https://a.example"),
        ("[file](src/a.py)", ""),
        ("[f](ftp://a.example)", ""),
        ("[x](javascript:alert(1))", ""),
    ],
)
def test_only_links_that_may_be_followed_look_like_links(
    inline: Inline, source: str, linked: str
) -> None:
    parsed = inline.parse(source)
    assert "".join(text for style, text in parsed if "underline" in style) == linked


def test_the_base_style_is_kept(inline: Inline) -> None:
    assert inline.parse("a **b**", "italic") == [("italic", "a "), ("italic bold", "b")]


@pytest.mark.parametrize("piece", ["[", "![", "*", "*a ", "[a](", "_a_"])
def test_text_that_is_made_to_be_slow_is_shown_as_it_is(inline: Inline, piece: str) -> None:
    text = piece * MAX_DELIMITERS + "[*"
    assert inline.parse(text) == [("", text)]


@pytest.mark.parametrize(
    ("text", "safe", "opened"),
    [
        ("one two three", "one two ", ""),
        ("one **two three", "one ", "**"),
        ("one **two** three", "one **two** ", ""),
        ("one **two *three four", "one ", "***"),
        ("one `two three", "one ", "`"),
        ("one ``two ` three`` four", "one ``two ` three`` ", ""),
        ("one [two three", "one ", "]"),
        ("one [two](https://a b", "one ", ")"),
        ("one [two](x) three", "one [two](x) ", ""),
        ("2 * 3 and 4", "2 * 3 and ", ""),
        ("snake_case and more", "snake_case and ", ""),
        (r"one \*two three", r"one \*two ", ""),
        ("***both*** done now", "***both*** done ", ""),
        ("word", "", ""),
    ],
)
def test_where_a_line_can_be_cut(text: str, safe: str, opened: str) -> None:
    assert scan(text) == (len(safe), opened)
