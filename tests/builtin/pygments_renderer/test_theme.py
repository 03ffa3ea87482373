"""Themes: colours that can be read, and a name that can be mended."""

import pytest
from prompt_toolkit.styles import Style
from pygments.styles import get_all_styles
from pygments.token import STANDARD_TYPES, Comment, Error, Keyword, Literal, Name, Text

from agno_shell.builtin.pygments_renderer import theme as styles
from agno_shell.builtin.pygments_renderer.theme import CodeTheme, check_theme, readable
from agno_shell.errors import ConfigError


def contrast(colour: str, background: float) -> float:
    """As WCAG 2.2 defines it; ``background`` is a relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    lighter, darker = max(luminance, background), min(luminance, background)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colour", ["000000", "ffffff", "f8f8f2", "e6db74", "0000ff", "777777"])
def test_readable_on_black_and_on_white(colour: str) -> None:
    assert contrast(readable(colour), 0.0) >= 2.95
    assert contrast(readable(colour), 1.0) >= 2.95


def test_a_readable_colour_stays() -> None:
    assert readable("777777") == "777777"


def test_the_default_theme_reads_on_any_background() -> None:
    theme = CodeTheme()
    for token in STANDARD_TYPES:
        style = theme.style(token)
        assert "bg:" not in style
        for part in style.split():
            if part.startswith("fg:#"):
                assert contrast(part[4:], 0.0) >= 2.95
                assert contrast(part[4:], 1.0) >= 2.95
    assert theme.style(Text) == ""
    assert theme.style(Keyword) != theme.style(Comment)


def test_a_theme_that_was_asked_for_is_taken_as_it_is() -> None:
    assert CodeTheme("monokai").style(Keyword) == "fg:#66d9ef"
    assert CodeTheme().style(Keyword) != "fg:#66d9ef"


def test_half_a_program_is_not_painted_red() -> None:
    assert CodeTheme("monokai").style(Error) == ""


def test_a_token_of_a_lexers_own_has_its_parents_style() -> None:
    theme = CodeTheme()
    assert theme.style(Name.Function.Own.Invention) == theme.style(Name.Function)
    assert theme.style(Literal.Scalar.Plain) == theme.style(Literal)


@pytest.mark.parametrize("name", sorted(get_all_styles()))
def test_every_style_is_one_that_prompt_toolkit_knows(name: str) -> None:
    theme = CodeTheme(name)
    for token in STANDARD_TYPES:
        Style([("x", theme.style(token))])


def test_the_styles_of_prose_are_known_and_have_no_background() -> None:
    for style in (
        *styles.HEADINGS,
        styles.FAINT,
        styles.BULLET,
        styles.INLINE_CODE,
        styles.LINK,
        styles.IMAGE,
    ):
        assert Style([("x", style)])
        assert "bg:" not in style


def test_an_unknown_theme_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no pygments style named 'monokay'") as caught:
        check_theme("monokay")
    assert "Did you mean 'monokai'?" in caught.value.hint
    assert "dracula" in caught.value.hint


def test_a_strange_theme_lists_them() -> None:
    with pytest.raises(ConfigError) as caught:
        check_theme("qqqqqqqq")
    assert caught.value.hint.startswith("All of them: ")


@pytest.mark.parametrize("name", ["", "monokai", "solarized-light"])
def test_known_themes(name: str) -> None:
    check_theme(name)
