"""One tool box: opened late, asked for its tools before each turn, closed in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from agno_shell.contracts import Tool, ToolBox, ToolFactory
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.guarding import let_through, quiet, reason_of
from agno_shell.toolkit.threads import in_thread
from agno_shell.toolkit.wording import size
from agno_shell.types import ToolSchema

OPENING_SECONDS = 20.0
"""How long a turn waits for the tools of a box; they may come later."""

CLOSING_SECONDS = 10.0
"""How long a box may take to stop what it has started."""

MOST_TOOLS = 512
"""Tools of one box; no provider takes as many, and each costs tokens with every request."""

LONGEST_NAME = 256
LONGEST_DESCRIPTION = 8_000
"""Characters."""

SCHEMA_BYTES = 65_536
BOX_BYTES = 1_000_000
"""What the descriptions of one tool's parameters, and of all tools of a box, may take."""

NAMED = 8
"""Things that are wrong with a box which are told one by one."""


class OpenToolBox:
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
            # Looking through them may take long, and what they do then is theirs.
            tools = await self._box.tools()
            looked: Awaitable[tuple[Sequence[Tool], list[str]]] = in_thread(lambda: _usable(tools))
            self.tools, wrong = await looked
            self.problem = " ".join(_few([*self._box.problems(), *wrong]))
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
    refused by a provider would cost every request, and so would one that is too large."""
    usable: dict[str, Tool] = {}
    wrong: list[str] = []
    left = BOX_BYTES
    for number, tool in enumerate(tools):
        if len(usable) == MOST_TOOLS:
            wrong.append(f"It has {len(tools) - number} more tools than the {MOST_TOOLS} that fit.")
            break
        if not isinstance(tool, Tool) or not isinstance(tool.schema, ToolSchema):
            wrong.append(f"It has a {type(tool).__name__} where a Tool must be.")
            continue
        name = str(tool.schema.name)
        reason, taken = _wrong(tool.schema)
        if tool.schema.name in usable:
            wrong.append(f"It has two tools called {name!r}.")
        elif reason or taken > left:
            reason = reason or "there is no more room for it"
            wrong.append(f"Its tool {name[:LONGEST_NAME]!r} cannot be used: {reason}.")
        else:
            usable[tool.schema.name] = _described(tool)
            left -= taken
    return tuple(usable.values()), wrong


def _wrong(schema: ToolSchema) -> tuple[str, int]:
    """Why a tool cannot be used, if it cannot, and the bytes of what describes it."""
    if not isinstance(schema.name, str) or not isinstance(schema.description, str):
        return "its name and its description must be text", 0
    if len(schema.name) > LONGEST_NAME:
        return f"its name has more than {LONGEST_NAME} characters", 0
    if not isinstance(schema.parameters, Mapping) or schema.parameters.get("type") != "object":
        return "its parameters are no JSON Schema of the type object", 0
    try:
        text = json.dumps(dict(schema.parameters), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "its parameters cannot be written as JSON", 0
    if len(text) > SCHEMA_BYTES:
        return f"the description of its parameters is longer than {size(SCHEMA_BYTES)}", 0
    return "", len(text) + len(schema.description[:LONGEST_DESCRIPTION])


def _described(tool: Tool) -> Tool:
    """The tool with no more of its description than is sent, asked about and shown."""
    description = tool.schema.description
    if len(description) <= LONGEST_DESCRIPTION:
        return tool
    cut = f"{description[:LONGEST_DESCRIPTION]} [cut off]"
    return tool._replace(schema=tool.schema._replace(description=cut))


def _few(problems: Sequence[str]) -> Sequence[str]:
    """The first of what is wrong, and how much more there is."""
    if len(problems) <= NAMED:
        return problems
    return [*problems[:NAMED], f"And {len(problems) - NAMED} more are wrong."]
