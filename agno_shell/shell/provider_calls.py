"""The tools that a provider runs itself, as a turn shows them: one may be at work while others
begin, and while somebody speaks."""

from __future__ import annotations

from collections.abc import Callable

from agno_shell.contracts import Line
from agno_shell.events import ProviderToolFinished
from agno_shell.shell.tool_lines import BY_PROVIDER, call_lines, outcome_lines
from agno_shell.types import ToolCall


class ProviderCalls:
    """Those of one turn. What it returns is to be printed at once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._running: dict[str, tuple[ToolCall, float]] = {}
        self._unseen: dict[str, ToolCall] = {}
        """Calls that are not shown yet, because their arguments may still come."""
        self._above: str | None = None
        """The id of the call that stands right above what is printed next."""

    @property
    def at_work(self) -> str:
        """The name of the tool that began last of those that run; empty: none does."""
        return next((call.name for call, _since in reversed(self._running.values())), "")

    def start(self, call: ToolCall) -> list[Line]:
        """A tool has begun."""
        self._running[call.id] = call, self._clock()
        if not call.arguments:
            self._unseen[call.id] = call
            return []
        return [*self.others(), *self._shown(call)]

    def others(self) -> list[Line]:
        """Something else is shown next."""
        self._above = None
        unseen, self._unseen = self._unseen, {}
        return [line for call in unseen.values() for line in self._shown(call)]

    def finish(self, event: ProviderToolFinished) -> list[Line]:
        """A tool is over. If its call does not stand right above, it is shown with it."""
        began = self._running.pop(event.call.id, None)
        self._unseen.pop(event.call.id, None)
        lines: list[Line] = []
        if self._above != event.call.id:
            call = event.call
            if began:
                known = began[0]
                name, arguments = call.name or known.name, call.arguments or known.arguments
                call = ToolCall(call.id, name, arguments)
            lines = [*self.others(), *self._shown(call)]
        self._above = None
        took = self._clock() - began[1] if began else None
        return [*lines, *outcome_lines(event.result, event.status, took), ()]

    def _shown(self, call: ToolCall) -> list[Line]:
        self._above = call.id
        return call_lines(call, by=BY_PROVIDER)
