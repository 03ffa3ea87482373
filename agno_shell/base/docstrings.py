"""What a docstring says of a function and of its parameters (Google's and Sphinx's styles)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_SECTION = re.compile(r"(Args|Arguments|Parameters|Params):\s*$")
_OTHER_SECTION = re.compile(
    r"(Returns?|Raises|Yields?|Examples?|Notes?|Warnings?|Attributes|See Also):\s*$"
)
_GOOGLE = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_SPHINX = re.compile(r":(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$")


class Docstring(NamedTuple):
    """The parts of a docstring."""

    summary: str
    """The first paragraph as one line; empty without a docstring."""
    parameters: Mapping[str, str]
    """A line for each parameter that is described."""


def parse(docstring: str) -> Docstring:
    """Take a docstring apart that was cleaned already (``inspect.getdoc``)."""
    lines = docstring.splitlines()
    summary: list[str] = []
    for line in lines:
        text = line.strip()
        if (not text and summary) or text.startswith(":") or _SECTION.match(text):
            break
        if _OTHER_SECTION.match(text):
            break
        summary += [text] if text else []
    described = {**_google(lines), **_sphinx(lines)}
    return Docstring(
        " ".join(summary), {name: " ".join(words) for name, words in described.items()}
    )


def _google(lines: list[str]) -> dict[str, list[str]]:
    """``Args:`` and the lines that are indented below it."""
    described: dict[str, list[str]] = {}
    inside, depth, name = False, None, ""
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if not text:
            continue
        if indent == 0:
            inside, depth, name = bool(_SECTION.match(text)), None, ""
            continue
        if not inside:
            continue
        depth = indent if depth is None else depth
        found = _GOOGLE.match(text) if indent == depth else None
        if found:
            name = found[1]
            described[name] = [found[2]] if found[2] else []
        elif name:
            described[name].append(text)
    return described


def _sphinx(lines: list[str]) -> dict[str, list[str]]:
    """``:param x: …`` and the lines that go on with it."""
    described: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        text = line.strip()
        if found := _SPHINX.match(text):
            name = found[1]
            described[name] = [found[2]] if found[2] else []
        elif not text or text.startswith(":"):
            name = ""
        elif name:
            described[name].append(text)
    return described
