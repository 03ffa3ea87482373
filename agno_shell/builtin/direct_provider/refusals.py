"""Fields that a server does not take: left out, and asked once more.

Servers of one protocol know older and newer forms of it; what one refuses is remembered for
it, so that only the first request pays for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

Record = dict[str, Any]


class Field(NamedTuple):
    """A field that a request can do without."""

    path: tuple[str, ...]
    words: re.Pattern[str]
    """How a refusal names it."""
    instead: str = ""
    """The name of the field that says the same in the other form of the protocol."""


def _field(path: str, words: str = "", instead: str = "") -> Field:
    parts = tuple(path.split("."))
    return Field(parts, re.compile(words or rf"\b{parts[-1]}\b", re.IGNORECASE), instead)


FIELDS = (
    _field("stream_options"),
    _field("max_tokens", instead="max_completion_tokens"),
    _field("max_completion_tokens", instead="max_tokens"),
    _field("temperature"),
    _field("top_p"),
    _field("top_k"),
    _field("presence_penalty"),
    _field("frequency_penalty"),
    _field("seed"),
    _field("parallel_tool_calls"),
    _field("reasoning_effort", "reasoning|think"),
    _field("reasoning", "reasoning|think"),
    _field("thinking", "thinking|budget_tokens"),
    _field("output_config"),
    _field("think", "think"),
    _field("include", r"\binclude\b|encrypted_content"),
    _field("generationConfig.thinkingConfig", "think"),
)


def refused(body: Mapping[str, Any], said: str) -> Field | None:
    """The field that a server refuses with these words, if the body has it."""
    present = [field for field in FIELDS if _holder(body, field) is not None]
    named = [field for field in present if field.words.search(said)]
    # What stands first in the sentence is what it is about.
    return min(named, key=lambda field: field.words.search(said).start(), default=None)  # type: ignore[union-attr]


def without(body: Record, field: Field) -> Record:
    """The body in the form that leaves ``field`` out, or gives it its other name."""
    name, *rest = field.path
    if rest:
        inner = {key: value for key, value in body[name].items() if key != rest[0]}
        return {**body, name: inner} if inner else _less(body, name)
    changed = _less(body, name)
    if field.instead and field.instead not in body:
        changed[field.instead] = body[name]
    return changed


def _less(body: Mapping[str, Any], name: str) -> Record:
    return {key: value for key, value in body.items() if key != name}


def _holder(body: Mapping[str, Any], field: Field) -> Mapping[str, Any] | None:
    """The object that has the field."""
    holder: Any = body
    for name in field.path[:-1]:
        holder = holder.get(name)
        if not isinstance(holder, Mapping):
            return None
    return holder if field.path[-1] in holder else None


class Refusals:
    """What each server has refused."""

    def __init__(self) -> None:
        self._fields: dict[tuple[str, str], list[Field]] = {}

    def add(self, server: tuple[str, str], field: Field) -> None:
        self._fields.setdefault(server, []).append(field)

    def applied(self, server: tuple[str, str], body: Record) -> Record:
        """The body without what this server (address and model) has refused before."""
        for field in self._fields.get(server, ()):
            if _holder(body, field) is not None:
                body = without(body, field)
        return body
