"""Every configured server, started side by side, and what they have, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from mcp_types import Tool as ListedTool

from agno_shell import AgnoShellError
from agno_shell.toolkit.wording import count
from agno_shell_mcp.connection import Connection
from agno_shell_mcp.reaper import Reaper
from agno_shell_mcp.settings import Server

MOST_TOOLS = 1_000
LONGEST_NAME = 256
LONGEST_DESCRIPTION = 10_000
SCHEMA_BYTES = 65_536
LIST_BYTES = 1_000_000
"""Of the descriptions of all tools together; the shell has bounds of its own for requests."""


class ServerTool(NamedTuple):
    """A tool of a server."""

    server: str
    name: str
    description: str
    parameters: dict[str, Any]


class Servers:
    """The servers of one tool box. ``log`` gets what programs print on their error output."""

    def __init__(self, servers: Sequence[Server], log: TextIO) -> None:
        self._reaper = Reaper()
        self.connections = [Connection(each, log, self._reaper) for each in servers]
        self._left_out = ""

    async def tools(self) -> Sequence[ServerTool]:
        """The tools of all servers that can be used now; see :meth:`problems`."""
        await asyncio.gather(*(each.refresh() for each in self.connections))
        listed: list[ServerTool] = []
        left, out = LIST_BYTES, 0
        for each in self.connections:
            for tool in each.tools:
                record, size = _bounded(each.name, tool)
                if record is None or size > left or len(listed) == MOST_TOOLS:
                    out += 1
                    continue
                listed.append(record)
                left -= size
        why = "because they or their descriptions are too many or too large."
        self._left_out = f"{count(out, 'tool', 'are')} left out, {why}" if out else ""
        return listed

    def problems(self) -> Sequence[str]:
        """What is missing: a sentence each."""
        return [*filter(None, (each.problem for each in self.connections)), *self._extra()]

    def _extra(self) -> Sequence[str]:
        return [self._left_out] if self._left_out else []

    async def call(self, server: str, tool: str, arguments: Mapping[str, Any]) -> str:
        """What a tool answers; ``AgnoShellError`` when it failed or cannot be asked."""
        for each in self.connections:
            if each.name == server:
                return await each.call(tool, arguments)
        raise AgnoShellError(f"There is no MCP server {server!r}.")

    async def close(self) -> None:
        """Stop them all, also those that hang."""
        await asyncio.gather(*(each.close() for each in self.connections))
        await asyncio.to_thread(self._reaper.close)


def _bounded(server: str, tool: ListedTool) -> tuple[ServerTool | None, int]:
    """A tool, and the bytes that describe it; None for one that is too large."""
    schema = {"type": "object", "properties": {}, **tool.input_schema}
    description = (tool.description or tool.title or tool.name).strip()
    try:
        size = len(json.dumps(schema))
    except (ValueError, RecursionError):
        return None, 0
    if len(tool.name) > LONGEST_NAME or size > SCHEMA_BYTES:
        return None, 0
    if len(description) > LONGEST_DESCRIPTION:
        description = f"{description[:LONGEST_DESCRIPTION]} [cut off]"
    return ServerTool(server, tool.name, description, schema), size + len(description)
