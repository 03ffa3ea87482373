"""Code blocks: the language of a fence, and code that stays exactly what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.pygments_renderer.highlight import Highlighter, language_of
from agno_shell.builtin.pygments_renderer.lexing import LineLexer
from agno_shell.builtin.pygments_renderer.theme import CodeTheme


@pytest.fixture(scope="module")
def theme() -> CodeTheme:
    return CodeTheme()


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        ("Python", "python"),
        (" python {.numberLines}", "python"),
        ("{.python .numberLines}", "python"),
        ("rust,no_run", "rust"),
        ("js{1,3}", "js"),
        ("c++", "c++"),
        ("python:app.py", "python"),
        ("golang", "go"),
        ("", ""),
        ("{}", ""),
    ],
)
def test_the_language_of_an_info_string(info: str, language: str) -> None:
    assert language_of(info) == language


@pytest.mark.parametrize(
    ("info", "line"),
    [
        ("python", "def f(): return 1"),
        ("c++", "int main() { return 0; }"),
        ("php", "function f($x) { return 1; }"),
        ("php", "<?php return 1;"),
        ("console", "$ ls -l"),
        ("shell-session", "$ ls -l"),
        ("sh", "for x in a; do echo $x; done"),
        ("jsonl", '{"a": 1}'),
    ],
)
def test_known_languages_are_coloured(theme: CodeTheme, info: str, line: str) -> None:
    fragments = Highlighter(info, theme).line(line)
    assert "".join(text for _style, text in fragments) == line
    assert len({style for style, _text in fragments}) > 1


def test_php_without_its_tag_is_php(theme: CodeTheme) -> None:
    fragments = Highlighter("php", theme).line("return $value;")
    styles = {text: style for style, text in fragments}
    assert styles["return"]


@pytest.mark.parametrize("info", ["", "no-such-language", "text", "../../etc/passwd", "\u200b"])
def test_other_code_is_plain(theme: CodeTheme, info: str) -> None:
    assert Highlighter(info, theme).line("def f(): pass") == [("", "def f(): pass")]


def test_a_lexer_that_raises_leaves_the_block_plain(
    theme: CodeTheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    highlighter = Highlighter("python", theme)
    assert len(highlighter.line("x = 1")) > 1

    def fail(self: LineLexer, text: str) -> None:
        raise RecursionError

    monkeypatch.setattr(LineLexer, "line", fail)
    assert highlighter.line("y = 2") == [("", "y = 2")]
    monkeypatch.undo()
    assert highlighter.line("z = 3") == [("", "z = 3")]


def test_a_lexer_that_loses_text_is_not_believed(
    theme: CodeTheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LineLexer, "line", lambda _self, text: [(None, text[1:])])
    assert Highlighter("python", theme).line("x = 1") == [("", "x = 1")]


@given(
    st.sampled_from(["python", "c", "js", "html", "bash", "yaml", "ruby", "php", "html+php"]),
    st.text(st.sampled_from("ab1 \t'\"`#/*-<>!&|{}()[]=;:$\\\n%@é漢"), max_size=200),
)
def test_code_is_shown_exactly(language: str, code: str) -> None:
    highlighter = Highlighter(language, CodeTheme())
    for line in code.split("\n"):
        assert "".join(text for _style, text in highlighter.line(line)) == line
