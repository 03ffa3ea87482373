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
    for table, key, line in _entries(text):
        for length in range(len(table) + 1 if key else len(table), len(table + key) + 1):
            lines.setdefault((table + key)[:length], line)
    return lines


def stands_before(text: str, line: int) -> tuple[Key, int] | None:
    """The key or table header in ``line``, counted from 1, of a text that is valid before it,
    if it stands in an earlier line, too; and that line."""
    lines = text.split("\n")
    before = "\n".join(lines[: line - 1]) + "\n"
    here = next(_entries(lines[line - 1]), None)
    if here is None:
        return None
    table, key, _line = here
    if key:  # it belongs to the table that was begun last
        table = next((each for each, _key, _line in reversed([*_entries(before)])), ())
    known = key_lines(before)
    full = table + key
    shortest = len(table) if key else len(full) - 1
    for length in range(len(full), shortest, -1):
        if full[:length] in known:
            return full[:length], known[full[:length]]
    return None


def _entries(text: str) -> Iterator[tuple[Key, Key, int]]:
    """Each table header, with an empty key, and each key with its table; and the line."""
    table: Key = ()
    tokens = _tokens(text)
    for kind, part, line in tokens:
        if kind == "newline":
            continue
        if part == "[":  # a header; the second bracket of [[x]] is skipped as no part of a key
            table = _key(tokens, kind, part)
            yield table, (), line
        else:
            yield table, _key(tokens, kind, part), line
            _skip_value(tokens)


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
