"""The tool box: what the servers have, as tools of the shell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

from agno_shell import AgnoShellError, Tool, ToolBox, ToolOptions, ToolSchema
from agno_shell_mcp.host_process import HostProcess
from agno_shell_mcp.log import Log
from agno_shell_mcp.settings import read_servers


class McpBox(ToolBox):
    """The tools of all servers, each called ``SERVER_TOOL``: what a second server brings
    never renames those of the first."""

    def __init__(self, options: ToolOptions) -> None:
        self._log = Log(options.log)
        self._host: HostProcess | None = None
        self._found: Sequence[str] = ()
        self._servers, self._wrong = read_servers(options.settings, os.environ)

    async def tools(self) -> Sequence[Tool]:
        if not self._servers:
            return []
        if self._host is None or not self._host.is_alive:
            self._host = await HostProcess.start(self._servers, self._log.file)
        answer = _checked(await self._host.ask("tools"))
        self._found = answer["problems"]
        return [self._tool(*each) for each in answer["tools"]]

    def _tool(self, server: str, name: str, description: str, schema: Mapping[str, Any]) -> Tool:
        async def run(arguments: Mapping[str, Any]) -> str:
            if self._host is None:
                raise AgnoShellError(f"The MCP server {server!r} does not run now.")
            call = {"server": server, "tool": name, "arguments": dict(arguments)}
            text: str = _checked(await self._host.ask("call", **call))["text"]
            return text

        source = f"the MCP server {server!r}"
        return Tool(ToolSchema(f"{server}_{name}", description, schema), run, source)

    def problems(self) -> Sequence[str]:
        found = list(self._found)
        if found and self._log.path:
            found.append(f"The log is {self._log.path}.")
        return [*self._wrong, *found]

    async def close(self) -> None:
        host, self._host, self._servers = self._host, None, ()
        if host is not None:
            await host.close()
        await asyncio.to_thread(self._log.close)


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise AgnoShellError(answer["error"])
    return answer
