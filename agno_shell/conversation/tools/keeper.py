"""One tool box: opened late, asked for its tools before each turn, closed in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

from agno_shell.contracts import Tool, ToolBox, ToolFactory
from agno_shell.errors import AgnoShellError
from agno_shell.guarding import let_through, quiet, reason_of
from agno_shell.types import ToolSchema

OPENING_SECONDS = 20.0
"""How long a turn waits for the tools of a box; they may come later."""

CLOSING_SECONDS = 10.0
"""How long a box may take to stop what it has started."""


class ToolKeeper:
    """A tool box from a plugin, which may fail in every way."""

    def __init__(self, factory: ToolFactory, open_box: Callable[[ToolFactory], ToolBox]) -> None:
        self._factory = factory
        self._open = open_box
        self._box: ToolBox | None = None
        self._asking: asyncio.Task[None] | None = None
        self._deadline = 0.0
        self.tools: Sequence[Tool] = ()
        """What the box had when it was last asked."""
        self.problem = ""
        """Why its tools, or some of them, cannot be had."""

    async def ask(self) -> None:
        """Ask for the tools again, and wait for them a while. A box that takes longer is not
        waited for a second time; its tools are there once it has answered."""
        loop = asyncio.get_running_loop()
        if self._asking is None:
            self._deadline = loop.time() + OPENING_SECONDS
            self._asking = asyncio.create_task(self._ask())
        asking = self._asking
        await asyncio.wait([asking], timeout=max(0.0, self._deadline - loop.time()))
        if not asking.done():
            self._failed("It is not ready yet; its tools can be used once it is.")
        elif self._asking is asking:
            self._asking = None

    async def _ask(self) -> None:
        try:
            if self._box is None:
                self._box = self._open(self._factory)
            self.tools, wrong = _usable(await self._box.tools())
            self.problem = " ".join([*self._box.problems(), *wrong])
        except AgnoShellError as error:
            self._failed(error.sentence())
        # A tool box may be anybody's plugin; its bug costs its tools and not the turn.
        except BaseException as error:
            let_through(error)
            self._failed(f"It failed: {reason_of(error)}")

    def _failed(self, reason: str) -> None:
        self.tools = ()
        self.problem = reason

    async def close(self) -> None:
        """Close the box; one that hangs is left behind."""
        box, self._box = self._box, None
        work = [] if self._asking is None else [self._asking]
        for asking in work:
            asking.cancel()
        if box is not None:
            work.append(asyncio.create_task(_close(box)))
        if work:
            _done, hanging = await asyncio.wait(work, timeout=CLOSING_SECONDS)
            for each in hanging:
                each.cancel()
        self._asking = None
        self._failed("")


async def _close(box: ToolBox) -> None:
    with quiet():  # nobody can do anything about it any more
        await box.close()


def _usable(tools: Sequence[Tool]) -> tuple[Sequence[Tool], list[str]]:
    """The tools that can be sent to a model, and what is wrong with the others: one that is
    refused by a provider would cost every request."""
    usable: dict[str, Tool] = {}
    wrong = []
    for tool in tools:
        if not isinstance(tool, Tool) or not isinstance(tool.schema, ToolSchema):
            wrong.append(f"It has a {type(tool).__name__} where a Tool must be.")
        elif tool.schema.name in usable:
            wrong.append(f"It has two tools called {tool.schema.name!r}.")
        elif reason := _wrong(tool.schema):
            wrong.append(f"Its tool {tool.schema.name!r} cannot be used: {reason}.")
        else:
            usable[tool.schema.name] = tool
    return tuple(usable.values()), wrong


def _wrong(schema: ToolSchema) -> str:
    if not isinstance(schema.name, str) or not isinstance(schema.description, str):
        return "its name and its description must be text"
    if not isinstance(schema.parameters, Mapping) or schema.parameters.get("type") != "object":
        return "its parameters are no JSON Schema of the type object"
    try:
        json.dumps(dict(schema.parameters), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "its parameters cannot be written as JSON"
    return ""
