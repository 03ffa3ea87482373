"""What is different about a tool since the user was asked about it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from agno_shell.types import ToolSchema

BEFORE = 40
AROUND = 300
"""Characters that are shown before and behind the first one that is different."""

NAMED = 8
"""Parameters that are named one by one."""


def changes(before: ToolSchema, now: ToolSchema) -> tuple[str, ...]:
    """A sentence each; none where both mean the same."""
    return (*_of_description(before, now), *_of_parameters(before.parameters, now.parameters))


def _of_description(before: ToolSchema, now: ToolSchema) -> Iterator[str]:
    if before.description == now.description:
        return
    both = zip(before.description, now.description, strict=False)
    start = sum(1 for _same in takewhile(lambda pair: pair[0] == pair[1], both))
    yield f"Its description was: {_excerpt(before.description, start)}"
    yield f"Its description is: {_excerpt(now.description, start)}"


def _excerpt(text: str, start: int) -> str:
    first = max(0, start - BEFORE)
    beginning = "…" if first else ""
    end = "…" if len(text) > start + AROUND else ""
    return f"{beginning}{text[first : start + AROUND]}{end}" if text else "(none)"


def _of_parameters(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before == now:
        return
    old, new = _properties(before), _properties(now)
    words = [
        *(f"{name!r} is new" for name in new if name not in old),
        *(f"{name!r} is gone" for name in old if name not in new),
        *(f"{name!r} is another" for name in new if name in old and new[name] != old[name]),
    ]
    if not words:
        yield "What its parameters must be has changed."
        return
    more = f", and {len(words) - NAMED} more" if len(words) > NAMED else ""
    yield f"Of its parameters {', '.join(each[:100] for each in words[:NAMED])}{more}."


def _properties(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    found = parameters.get("properties")
    return found if isinstance(found, Mapping) else {}
