"""Styled lines on their way out: the terminal rule, wrapping, conversion. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import lru_cache

from prompt_toolkit.utils import get_cwidth

from agno_shell.contracts import Line
from agno_shell.shell.style import STYLE
from agno_shell.toolkit.terminal_text import clean

LONGEST_SENTENCE = 16_384
"""Characters: more than two paths of the longest kind (4,096 bytes on Linux)."""


def text_lines(text: str, style: str = "") -> list[Line]:
    """Plain text as styled lines."""
    return [((style, line),) for line in clean(text).split("\n")]


def wrapped(text: str, width: int) -> str:
    """Prose broken between words at ``width`` columns; 0: left as it is. A longer word, such
    as a path, stays whole: the terminal breaks it, and it can be copied in one piece."""
    if not width:
        return text
    return "\n".join(row for line in text.split("\n") for row in _wrapped_line(line, width))


def _wrapped_line(line: str, width: int) -> list[str]:
    if get_cwidth(line) <= width:
        return [line]
    wrapper = textwrap.TextWrapper(
        width, replace_whitespace=False, break_on_hyphens=False, break_long_words=False
    )
    return wrapper.wrap(line) or [""]


def wrapped_line(line: Line, width: int) -> list[Line]:
    """The same for a line in several styles that holds no tab and no end of a line."""
    text = "".join(part for _style, part in line)
    made, start = [], 0
    for row in wrapped(text, width).split("\n"):
        start = text.index(row, start)
        made.append(_slice(line, start, start + len(row)))
        start += len(row)
    return made


def _slice(line: Line, start: int, end: int) -> Line:
    """The characters from ``start`` to ``end``, each in its style."""
    kept, before = [], 0
    for style, text in line:
        if part := text[max(0, start - before) : max(0, end - before)]:
            kept.append((style, part))
        before += len(text)
    return tuple(kept)


def safe(line: Line) -> Line:
    """A line in which no foreign byte acts on the terminal and nothing breaks the line."""
    return tuple((_usable(style), clean(text).replace("\n", "␊")) for style, text in line)


def flat(line: Line) -> Line:
    """A window shows a tab as ``^I``; in the scrollback the terminal itself knows tabs."""
    return tuple((style, text.replace("\t", "    ")) for style, text in line)


def one_line(text: str) -> str:
    """A sentence of the shell's own as one line. It may hold a path, which is never cut and
    whose blanks stay as they are; only what no path can be as long as is."""
    line = clean(text).replace("\n", "␊")
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]}…"


@lru_cache(maxsize=1024)
def _usable(style: str) -> str:
    """The style, or none where a plugin made up one: drawing it would raise every time."""
    try:
        STYLE.get_attrs_for_style_str(style)
    except ValueError:
        return ""
    return style


def rows(line: Line, width: int) -> list[Line]:
    """The rows that a terminal of ``width`` columns needs for a line."""
    made: list[Line] = []
    row: list[tuple[str, str]] = []
    used = 0
    for style, text in line:
        start = 0
        for index, character in enumerate(text):
            columns = get_cwidth(character)
            if used + columns > width and used:
                row.append((style, text[start:index]))
                made.append(tuple(row))
                row, used, start = [], 0, index
            used += columns
        row.append((style, text[start:]))
    made.append(tuple(row))
    return made


def last_rows(lines: Iterable[Line], width: int, height: int) -> list[Line]:
    """The last ``height`` rows of ``lines``, at a cost that their length does not change."""
    made: list[Line] = []
    for line in reversed(list(lines)):
        made[:0] = rows(_end(line, width * height), width)[-height:]
        if len(made) >= height:
            break
    return made[-height:]


def _end(line: Line, characters: int) -> Line:
    if sum(len(text) for _style, text in line) <= characters:
        return line
    kept: list[tuple[str, str]] = []
    for style, text in reversed(line):
        kept.insert(0, (style, text[-characters:]))
        characters -= len(text)
        if characters <= 0:
            break
    return tuple(kept)
