"""Every style of the renderer, and the colours of code.

Prose uses bold, italic, underline and colours that read on dark and on light terminals,
and never a background. Code takes the colours of a pygments style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.errors import ConfigError
from agno_shell.toolkit.nearest import nearest

if TYPE_CHECKING:
    from pygments.token import _TokenType

DEFAULT_THEME = "monokai"

FAINT = "fg:#888888"
HEADINGS = (
    "bold underline fg:ansimagenta",
    "bold fg:ansimagenta",
    "bold fg:ansicyan",
    "bold",
    "bold",
    "bold italic",
)
BULLET = "fg:ansicyan"
INLINE_CODE = "fg:ansicyan"
LINK = "underline"
IMAGE = "italic"

# Contrast is (lighter + 0.05) / (darker + 0.05) of relative luminances, WCAG 2.2. Between
# these two a colour keeps 3:1, what is asked of large text, on black as on white.
MIN_LUMINANCE = 0.10
MAX_LUMINANCE = 0.30


def join(*styles: str) -> str:
    """Styles one upon the other, as one prompt_toolkit style string."""
    return " ".join(filter(None, styles))


def check_theme(name: str) -> None:
    """Raise :class:`~agno_shell.errors.ConfigError` unless pygments has the style."""
    if not name:
        return
    from pygments.styles import STYLE_MAP

    if name in STYLE_MAP:
        return
    from pygments.styles import get_all_styles, get_style_by_name
    from pygments.util import ClassNotFound

    try:
        get_style_by_name(name)
    except ClassNotFound:
        names = sorted(get_all_styles())
        near = nearest(name, names)
        hint = f"Did you mean {near!r}? " if near else ""
        raise ConfigError(
            f"[renderer] theme: there is no pygments style named {name!r}.",
            hint=f"{hint}All of them: {', '.join(names)}.",
        ) from None


class CodeTheme:
    """Token types to prompt_toolkit style strings.

    A theme that was asked for is taken as it is. The default one must do for terminals
    nobody described: its colours are brought to a lightness that reads on any background.
    """

    def __init__(self, name: str = "") -> None:
        from pygments.styles import get_style_by_name
        from pygments.token import Error, Token

        self._style: Any = get_style_by_name(name or DEFAULT_THEME)
        self._adapt = not name
        self._default_colour = self._style.style_for_token(Token)["color"]
        # Half of a program, or a new keyword, is no error: it is not painted red.
        self._styles: dict[_TokenType, str] = {Error: ""}

    def style(self, token: _TokenType) -> str:
        found = self._styles.get(token)
        if found is None:
            found = self._styles[token] = self._look_up(token)
        return found

    def _look_up(self, token: _TokenType) -> str:
        try:
            entry = self._style.style_for_token(token)
        except KeyError:  # a type of one lexer's own, which no style knows
            return self.style(token.parent) if token.parent else ""
        colour: str | None = entry["color"]
        if colour and self._adapt:
            colour = None if colour == self._default_colour else readable(colour)
        return join(
            f"fg:#{colour}" if colour else "",
            "bold" if entry["bold"] else "",
            "italic" if entry["italic"] else "",
            "underline" if entry["underline"] else "",
        )


def readable(colour: str) -> str:
    """The nearest colour of the same hue, six hexadecimal digits, that keeps a contrast of
    3:1 on black and on white."""
    linear = [_to_linear(int(colour[at : at + 2], 16) / 255) for at in (0, 2, 4)]
    luminance = _luminance(linear)
    if luminance > MAX_LUMINANCE:
        linear = [part * MAX_LUMINANCE / luminance for part in linear]
    elif luminance < MIN_LUMINANCE:
        towards_white = (MIN_LUMINANCE - luminance) / (1 - luminance)
        linear = [part + (1 - part) * towards_white for part in linear]
    return "".join(f"{round(_from_linear(part) * 255):02x}" for part in linear)


def _luminance(linear: list[float]) -> float:
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_linear(part: float) -> float:
    """The transfer function of sRGB, IEC 61966-2-1."""
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _from_linear(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)
