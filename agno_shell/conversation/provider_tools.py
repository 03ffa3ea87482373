"""The tools that a provider runs itself while it answers, as a reply keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from agno_shell.events import ProviderToolFinished
from agno_shell.types import ProviderTool, Status, ToolCall


class _Running(NamedTuple):
    call: ToolCall
    since: float
    message_id: str
    """The message in which it began."""
    at: int


class RunningTools:
    """Those of one reply that have begun and are not over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: dict[str, _Running] = {}

    def start(self, call: ToolCall, message_id: str, at: int) -> None:
        """A tool begins in a message behind ``at`` characters of its content."""
        self._running[call.id] = _Running(call, self._clock(), message_id, at)

    def finish(self, event: ProviderToolFinished, message_id: str, at: int) -> ProviderTool:
        """What is kept of a tool that ends in a message behind ``at`` characters. It is part
        of that message; where it began in the same one, that is its place."""
        call = event.call
        began = self._running.pop(call.id, None)
        if began is None:
            return ProviderTool(*call, event.result, event.status, at=at)
        if began.message_id == message_id:
            at = began.at
        # Some tell the arguments with the beginning, others with the end.
        arguments = call.arguments or began.call.arguments
        seconds = max(0.0, self._clock() - began.since)
        name = call.name or began.call.name
        return ProviderTool(call.id, name, arguments, event.result, event.status, seconds, at)

    def left(self, status: Status, message_id: str, at: int) -> Iterator[ProviderTool]:
        """Those that the reply has not waited for, which end with it."""
        for began in list(self._running.values()):
            yield self.finish(ProviderToolFinished(began.call, "", status), message_id, at)
