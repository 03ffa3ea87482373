"""The colours of a code block, chosen by the info string of its fence."""

from __future__ import annotations

import re

from agno_shell.builtin.pygments_renderer.lexing import LineLexer
from agno_shell.builtin.pygments_renderer.theme import CodeTheme
from agno_shell.builtin.pygments_renderer.wrapping import Fragment, merge

_LANGUAGE = re.compile(r"[{\s.]*([^\s,{}:]+)")

# Names that people and models use and pygments does not know.
_ALIASES = {
    "console": "console",
    "golang": "go",
    "jsonl": "json",
    "mermaid": "text",
    "shellsession": "console",
    "terminal": "console",
    "zshrc": "zsh",
}


def language_of(info: str) -> str:
    """``python`` of ``python``, ``Python {.numberLines}``, ``{.python}``, ``python,ignore``."""
    match = _LANGUAGE.match(info)
    name = match[1].lower() if match else ""
    return _ALIASES.get(name, name)


class Highlighter:
    """Colours the lines of one block; without a known language it leaves them plain."""

    def __init__(self, info: str, theme: CodeTheme) -> None:
        self._language = language_of(info)
        self._theme = theme
        self._lines: LineLexer | None = None
        self._begun = False

    def copy(self) -> Highlighter:
        other = Highlighter("", self._theme)
        other._language, other._begun = self._language, self._begun
        other._lines = self._lines.copy() if self._lines else None
        return other

    def line(self, text: str) -> list[Fragment]:
        """The fragments of the next line; joined they are ``text``, exactly."""
        if not self._begun and text.strip():
            self._begun = True
            self._lines = _line_lexer(self._language, text)
        if self._lines is None:
            return [("", text)]
        try:
            tokens = self._lines.line(text)
        except Exception:  # a lexer is anybody's code, and colours are not worth a reply
            self._lines = None
            return [("", text)]
        if "".join(value for _kind, value in tokens) != text:
            return [("", text)]
        return list(merge((self._theme.style(kind), value) for kind, value in tokens))


def _line_lexer(language: str, first_line: str) -> LineLexer | None:
    if not language:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    # A fragment of PHP rarely begins with the tag that would switch the lexer on.
    php = language == "php" and "<?" not in first_line
    try:
        return LineLexer(get_lexer_by_name(language, **({"startinline": True} if php else {})))
    except ClassNotFound:
        return None
    except Exception:  # a plugin's lexer that cannot even be loaded
        return None
