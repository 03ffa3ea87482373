"""A provider that answers from a script, for tests of what stands around a provider."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence

from agno_shell.contracts import Abilities, Provider, TokenCounts
from agno_shell.events import Event, Failed, Finished, Request, TextDelta
from agno_shell.testing.strict import request_problem
from agno_shell.types import Message

Step = Event | asyncio.Event | Exception
"""An event to yield, an asyncio event to wait for, or an error to raise."""


class ScriptedProvider(Provider):
    """Each request takes the next script; without one, it answers ``echo: …``.

    A plain text in a script stands for a ``TextDelta``. A request that the strictest servers
    refuse (see :mod:`agno_shell.testing.strict`) is refused and takes no script.
    """

    name = "scripted"

    def __init__(
        self,
        *scripts: Sequence[Step | str],
        window: int | None = None,
        abilities: Abilities | None = None,
        exact: bool = True,
    ) -> None:
        self.scripts = deque(scripts)
        self.window = window
        self.model_abilities = abilities or Abilities()
        self.exact = exact
        """Whether the tokens that it counts, a word each, are reported as exact."""
        self.requests: list[Request] = []
        """What was asked, in order."""
        self.refused: list[str] = []
        """Why, for each request that the strictest servers refuse, as it does then."""
        self.closed_streams = 0
        """How many streams were ended by their consumer or by their end."""

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        if request.messages and (problem := request_problem(request)):
            self.refused.append(problem)
            yield Failed("refused", f"scripted refused the request: {problem}")
            return
        default: list[Step | str] = [f"echo: {request.messages[-1].content}", Finished()]
        try:
            for step in self.scripts.popleft() if self.scripts else default:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield TextDelta(step) if isinstance(step, str) else step
        finally:
            self.closed_streams += 1

    async def context_window(self, model: str) -> int | None:
        return self.window

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        return TokenCounts([len(message.content.split()) for message in messages], self.exact)

    async def abilities(self, model: str) -> Abilities:
        return self.model_abilities
