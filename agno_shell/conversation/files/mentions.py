"""``@path`` in a message: the files that the user names in passing. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 4096
"""Characters of a path: more than systems take."""

_MENTION = (
    # At the beginning of a word: "me@example.org" is none, and "\@" keeps it from being one.
    r"(?<![^\s(\[{<'])@"
    # Quoted, for blanks, with backslashes before quotes and backslashes; else to a blank.
    rf'(?:"(?P<quoted>(?:[^"\\]|\\[\s\S]){{1,{LONGEST}}})"|(?P<plain>[^\s"]\S{{0,{LONGEST}}}))'
)
_ENDS = ".,;:!?)]}>'\""
"""Signs that may stand behind a path and be none of it."""

SIGNS_BEHIND = 4


class Mention(NamedTuple):
    """A place in a text that may name a file."""

    typed: str
    """With its ``@``."""
    paths: tuple[str, ...]
    """What it may mean, the likeliest first: ``@notes.txt.`` at the end of a sentence is
    most often not ``notes.txt.``, but that one is looked for first."""


def mentions(text: str) -> Iterator[Mention]:
    """Every place in the text that may name a file, in order."""
    for found in re.finditer(_MENTION, text):
        if (quoted := found["quoted"]) is not None:
            yield Mention(found[0], (re.sub(r'\\(["\\])', r"\1", quoted),))
            continue
        path = found["plain"]
        paths = [path]
        while path and path[-1] in _ENDS and len(paths) <= SIGNS_BEHIND:
            path = path[:-1]
            paths.append(path)
        yield Mention(found[0], tuple(filter(None, paths)))


def mention(path: str) -> str:
    """How a path is typed in a message."""
    if path and not re.search(r'[\s"]', path) and path[-1] not in _ENDS:
        return f"@{path}"
    escaped = re.sub(r'(["\\])', r"\\\1", path)
    return f'@"{escaped}"'


def beginning(line: str) -> tuple[str, str] | None:
    """The mention that is being typed at the end of a line: all of it, and the path as far
    as it is typed; None when there is none."""
    place = line.rfind("@", -LONGEST)
    while place >= 0:
        typed = line[place:]
        if place == 0 or line[place - 1].isspace() or line[place - 1] in "([{<'":
            if typed[1:2] == '"':
                path = re.sub(r'\\(["\\])', r"\1", typed[2:])
                return None if re.search(r'(?<!\\)"', typed[2:]) else (typed, path)
            if not re.search(r"\s", typed):
                return typed, typed[1:]
        place = line.rfind("@", max(0, len(line) - LONGEST), place)
    return None
