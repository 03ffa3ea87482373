"""The system text: what every request begins with, in a form that does not change while
nothing of it does. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agno_shell.types import NOTHING, Memory, Message, ToolSchema, new_id, now

MEMORIES = "The user asked you to remember:"
FACTS = "Facts:"


def system_message(
    instructions: str,
    facts: Mapping[str, Any] = NOTHING,
    pins: Iterable[str] = (),
    memories: Iterable[Memory] = (),
) -> Message | None:
    """The agent's instructions and what it pins, the named facts, and what the session
    remembers, in this order, as the first message; or nothing."""
    parts = [instructions, *pins]
    if facts:
        parts.append("\n".join([FACTS, *(f"- {name}: {_plain(facts[name])}" for name in facts)]))
    if listed := [f"- {_indented(memory.text)}" for memory in memories]:
        parts.append("\n".join([MEMORIES, *listed]))
    text = "\n\n".join(stripped for part in parts if (stripped := part.strip()))
    return Message(new_id(), "system", text, now()) if text else None


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _indented(text: str) -> str:
    """Further lines of a text stand below its first one, and not below the dash."""
    lines: Sequence[str] = text.strip().split("\n")
    return "\n  ".join(lines)


class SystemText:
    """The same message for the same text, so that its tokens are counted once."""

    def __init__(self) -> None:
        self._last: Message | None = None

    def message(self, made: Message | None) -> Message | None:
        if made is None or self._last is None or made.content != self._last.content:
            self._last = made
        return self._last


def tools_text(tools: Sequence[ToolSchema]) -> Message | None:
    """What describes the tools, for counting it."""
    if not tools:
        return None
    text = json.dumps([each._asdict() for each in tools], default=_encodable, ensure_ascii=False)
    return Message(f"tools:{hash(text)}", "system", text, now())


def _encodable(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
