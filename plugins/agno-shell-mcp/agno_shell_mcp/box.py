"""The tool box: every configured server, started side by side, in a loop of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agno_shell import Tool, ToolBox, ToolOptions, ToolSchema
from agno_shell_mcp.log import Log
from agno_shell_mcp.reaper import Reaper
from agno_shell_mcp.settings import Server, read_servers
from agno_shell_mcp.side_loop import SideLoop

if TYPE_CHECKING:
    from mcp_types import Tool as ListedTool

    from agno_shell_mcp.connection import Connection


class McpBox(ToolBox):
    """The tools of all servers, each called ``SERVER_TOOL``: what a second server brings
    never renames those of the first."""

    def __init__(self, options: ToolOptions) -> None:
        self._log = Log(options.log)
        self._side: SideLoop | None = None
        self._reaper = Reaper()
        self._connections: list[Connection] = []
        self._servers, self._wrong = read_servers(options.settings, os.environ)

    async def tools(self) -> Sequence[Tool]:
        if not self._servers and not self._connections:
            return []
        if self._side is None:
            self._side = SideLoop()
        return await self._side(self._listed(self._side))

    async def _listed(self, side: SideLoop) -> Sequence[Tool]:
        """In the loop of the servers: importing the SDK alone takes a second."""
        if self._servers:
            import_module("agno_shell_mcp.connection")
            self._connect(self._servers)
        await asyncio.gather(*(each.refresh() for each in self._connections))
        return [_tool(side, each, tool) for each in self._connections for tool in each.tools]

    def _connect(self, servers: Sequence[Server]) -> None:
        from agno_shell_mcp.connection import Connection

        self._connections = [Connection(each, self._log.file, self._reaper) for each in servers]
        self._servers = ()

    def problems(self) -> Sequence[str]:
        found = [each.problem for each in self._connections if each.problem]
        if found and self._log.path:
            found.append(f"The log is {self._log.path}.")
        return [*self._wrong, *found]

    async def close(self) -> None:
        connections, self._connections, self._servers = self._connections, [], ()
        side, self._side = self._side, None
        if side is not None:
            await side(_close(connections))
            await side.close()
        await asyncio.to_thread(self._reaper.close)
        await asyncio.to_thread(self._log.close)


async def _close(connections: Sequence[Connection]) -> None:
    await asyncio.gather(*(each.close() for each in connections))


def _tool(side: SideLoop, connection: Connection, listed: ListedTool) -> Tool:
    async def run(arguments: Mapping[str, Any]) -> str:
        return await side(connection.call(listed.name, arguments))

    schema = {"type": "object", "properties": {}, **listed.input_schema}
    description = listed.description or listed.title or listed.name
    name = f"{connection.name}_{listed.name}"
    source = f"the MCP server {connection.name!r}"
    return Tool(ToolSchema(name, description.strip(), schema), run, source)
