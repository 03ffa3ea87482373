"""On which line each key of a TOML text stands; ``tomllib`` does not say.

Imported only when a place has to be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'''
      (?P<text>   """ (?: \\. | [^\\] )*? "{3,5} | \'\'\' .*? \'{3,5}
                | " (?: \\. | [^"\\\n] )* " | ' [^'\n]* ' )
    | (?P<comment> \# [^\n]* )
    | (?P<newline> \n )
    | (?P<space>   [ \t\r]+ )
    | (?P<sign>    [\[\]{}=.,] )
    | (?P<word>    [^\s\[\]{}=.,\#"']+ )
    ''',
    re.VERBOSE | re.DOTALL,
)

Key = tuple[str, ...]
_Tokens = Iterator[tuple[str, str, int]]


def key_lines(text: str) -> dict[Key, int]:
    """The line, counted from 1, of every key and table header of a valid TOML text.

    Keys inside an inline table are not listed; the key before the table is.
    """
    lines: dict[Key, int] = {}
    table: Key = ()
    tokens = _tokens(text)
    for kind, part, line in tokens:
        if kind == "newline":
            continue
        if part == "[":  # a header; the second bracket of [[x]] is skipped as no part of a key
            table = _key(tokens, kind, part)
            lines.setdefault(table, line)
        else:
            key = table + _key(tokens, kind, part)
            for length in range(len(table) + 1, len(key) + 1):
                lines.setdefault(key[:length], line)
            _skip_value(tokens)
    return lines


def _tokens(text: str) -> _Tokens:
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        part = found.group()
        if kind not in ("space", "comment"):
            yield kind, part, line
        line += part.count("\n")


def _key(tokens: _Tokens, kind: str, part: str) -> Key:
    """The dotted key that begins with this part, up to ``=`` or the end of the header."""
    parts: list[str] = []
    while True:
        if kind in ("word", "text"):
            parts.append(_plain(part) if kind == "text" else part)
        kind, part, _ = next(tokens, ("newline", "\n", 0))
        if kind == "newline" or part == "=":
            return tuple(parts)


def _plain(quoted: str) -> str:
    if quoted[0] == "'" or "\\" not in quoted:
        return quoted[1:-1]
    import tomllib

    return str(tomllib.loads(f"key = {quoted}")["key"])


def _skip_value(tokens: _Tokens) -> None:
    """Go on behind the newline that ends this value; one inside brackets does not."""
    depth = 0
    for kind, part, _ in tokens:
        if kind == "newline" and depth == 0:
            return
        if kind == "sign":
            depth += (part in "[{") - (part in "]}")
