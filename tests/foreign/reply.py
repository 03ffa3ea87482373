"""What became of a request, as one record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from agno_shell.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    TextDelta,
    UsageReported,
)
from agno_shell.types import ToolCall, Usage


class Reply(NamedTuple):
    text: str
    thoughts: str
    calls: tuple[tuple[str, Any], ...]
    """Names, and arguments as JSON says them; arguments that are no JSON as they came."""
    usage: Usage | None
    end: Finished | Failed

    @property
    def reason(self) -> str:
        """The reason of a complete reply; what is wrong with another one."""
        return self.end.reason if isinstance(self.end, Finished) else f"failed: {self.end}"

    @property
    def is_complete(self) -> bool:
        return isinstance(self.end, Finished)

    @property
    def failed(self) -> Failed:
        assert isinstance(self.end, Failed), self
        return self.end


async def read(events: AsyncIterator[Event]) -> Reply:
    """Reads events to their end, of which there must be exactly one."""
    came = [event async for event in events]
    assert came, "a reply has an end"
    *before, end = came
    assert isinstance(end, Finished | Failed)
    assert not any(isinstance(event, Finished | Failed) for event in before)
    usages = [event.usage for event in came if isinstance(event, UsageReported)]
    return Reply(
        _joined("".join(event.text for event in came if isinstance(event, TextDelta))),
        _joined("".join(event.text for event in came if isinstance(event, ReasoningDelta))),
        tuple(
            (event.name, decoded(event.arguments)) for event in came if isinstance(event, ToolCall)
        ),
        usages[-1] if usages else None,
        end,
    )


def decoded(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _joined(text: str) -> str:
    """Pieces may be cut within a character; the engine puts the halves together so."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
