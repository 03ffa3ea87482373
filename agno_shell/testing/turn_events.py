"""The events of a turn, for tests of what drives an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from agno_shell.events import Emit, Failed, Finished, Interrupted, TurnEvent


class Runnable(Protocol):
    async def run(self, emit: Emit) -> Any: ...


async def events_of(
    turn: Runnable, watch: Callable[[TurnEvent], object] = lambda _event: None
) -> list[TurnEvent]:
    """Run a turn to its end and return what it emitted; ``watch`` sees each event as it comes.
    What has an ending that it returns, and does not emit, such as one request, ends with it."""
    events: list[TurnEvent] = []

    def emit(event: TurnEvent) -> None:
        events.append(event)
        watch(event)

    result = await turn.run(emit)
    return [*events, result] if isinstance(result, Finished | Failed | Interrupted) else events
