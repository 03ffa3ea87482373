"""One server: started late, watched, restarted when it has died, stopped at the end.

The SDK's context managers must be entered and left by the same task, so each connection
has a task of its own, which holds them open until it is stopped. Calls go through
the open client from whatever task makes them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, TextIO

from mcp import Client, MCPError
from mcp_types import Implementation, ToolListChangedNotification
from mcp_types import Tool as ListedTool
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from agno_shell import AgnoShellError
from agno_shell.toolkit.guarding import let_through
from agno_shell_mcp.problems import reason_of
from agno_shell_mcp.program import TOO_LONG
from agno_shell_mcp.reaper import Reaper
from agno_shell_mcp.results import text_of
from agno_shell_mcp.settings import Program, Server
from agno_shell_mcp.transport import reach

STARTING_SECONDS = 60.0
"""What a server may take to start: some fetch themselves from the network first."""

PATIENCE = 10.0
"""How long a turn waits for a server that starts; it goes on starting behind the turn."""

BRIEF_PATIENCE = 1.0
"""The same for one that has failed before."""

PAUSE = 5.0
"""Between two tries to start a server that does not."""

LISTING_SECONDS = 10.0
"""What naming its tools again may take."""

STOPPING_SECONDS = 4.0
"""What ending a program takes at most: it is asked, terminated, and killed in the end."""

LEAVING_SECONDS = 1.0
"""How long taking leave of an address may take."""

PAGES = 100
"""A list of tools that goes on for longer never ends."""


class Connection:
    """A server and its tools. ``log`` gets what a program prints on its error output."""

    def __init__(self, server: Server, log: TextIO, reaper: Reaper) -> None:
        self._server = server
        self._log = log
        self._reaper = reaper
        self._why = ""
        """Why the server has ended, where that is known."""
        self._client: Client | None = None
        self._serving: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        """It can be called, or it cannot be started."""
        self._leave = asyncio.Event()
        self._began = 0.0
        self._failed = False
        self._stale = False
        """The tools have changed since they were listed."""
        self._status = 0
        """Of the last answer over HTTP."""
        self.tools: Sequence[ListedTool] = ()
        self.problem = ""
        """One sentence, when it cannot be used; empty else."""

    @property
    def name(self) -> str:
        return self._server.name

    # Being ready ------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Start the server if it does not run, and list its tools again if they have changed;
        what takes longer goes on behind the turn. Never raises."""
        now = asyncio.get_running_loop().time()
        if self._leave.is_set():
            await self._finish()
        if self._serving is None or self._serving.done():
            if self._failed and now - self._began < PAUSE:
                return
            self._start(now)
        elif self._stale:
            await self._list_again()
        patience = BRIEF_PATIENCE if self._failed else PATIENCE
        with suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), max(0.0, self._began + patience - now))
        if not self._settled.is_set():
            self.problem = f"The MCP server {self.name!r} is still starting."

    def _start(self, now: float) -> None:
        self._began = now
        self._status, self._why = 0, ""
        self._leave, self._settled = asyncio.Event(), asyncio.Event()
        self._serving = asyncio.create_task(self._serve(), name=f"mcp server {self.name}")

    async def _serve(self) -> None:
        """Hold the connection open until it ends or is left."""
        reached = False
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(STARTING_SECONDS):
                    client = await stack.enter_async_context(self._new_client())
                    self.tools = await _list(client)
                self._client, reached = client, True
                self._failed, self._stale, self.problem = False, False, ""
                self._settled.set()
                watching = asyncio.create_task(self._watch(client))
                stack.callback(watching.cancel)
                await self._leave.wait()
            self.problem = f"The MCP server {self.name!r} has ended{self._because}."
        # A server may fail in every way, and in groups: it costs its own tools only.
        except BaseException as error:
            let_through(error)
            did = "has ended" if reached else "did not start"
            reason = self._why or self._reason(error)
            self.problem = f"The MCP server {self.name!r} {did}: {reason}."
        finally:
            self._failed = not reached
            self._client, self.tools = None, ()
            self._settled.set()

    def _new_client(self) -> Client:
        return Client(
            reach(self._server, self._log, self._reaper, ended=self._lose, answered=self._note),
            client_info=_client_info(),
            message_handler=self._hear,
            cache=None,
        )

    def _lose(self, why: str = "") -> None:
        """It cannot be called any more; the next turn restarts it."""
        self._why = self._why or why
        self._leave.set()

    @property
    def _because(self) -> str:
        return f": {self._why}" if self._why else ""

    def _note(self, status: int) -> None:
        self._status = status

    def _reason(self, error: BaseException) -> str:
        status = f" (HTTP {self._status})" if self._status >= 300 else ""
        return reason_of(error, STARTING_SECONDS) + status

    # Changes of the tools ---------------------------------------------------------------

    async def _hear(self, message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._stale = True

    async def _watch(self, client: Client) -> None:
        """Since the protocol of 2026 a client subscribes to changes. Where that is not
        possible although there may be some, the tools are listed for every turn."""
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or not (
            tools and tools.list_changed
        ):
            return
        with suppress(Exception):
            async with client.listen(tools_list_changed=True) as changes:
                async for _change in changes:
                    self._stale = True
        while not self._leave.is_set():
            self._stale = True
            await asyncio.sleep(LISTING_SECONDS)

    async def _list_again(self) -> None:
        client, self._stale = self._client, False
        if client is None:
            return
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                self.tools = await _list(client)
            self.problem = ""
        except BaseException as error:
            let_through(error)
            self._stale = True
            reason = reason_of(error, LISTING_SECONDS)
            self.problem = f"The MCP server {self.name!r} did not list its tools: {reason}."

    # Calls ------------------------------------------------------------------------------

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """What a tool answers. Raises ``AgnoShellError`` with its own words when it failed,
        and when the server could not be asked."""
        client, serving = self._client, self._serving
        if client is None or serving is None:
            raise AgnoShellError(f"The MCP server {self.name!r} does not run now.")
        self._status = 0
        calling = asyncio.ensure_future(client.call_tool(tool, dict(arguments)))
        try:
            await asyncio.wait([calling, serving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not calling.done():
                calling.cancel()  # and the SDK cancels it at the server
        if not calling.done():
            raise AgnoShellError(self.problem)
        try:
            result = calling.result()
        except MCPError as error:
            raise self._refusal(error) from error
        text = text_of(result)
        if result.is_error:
            raise AgnoShellError(text or "The tool failed and did not say why.")
        return text

    def _refusal(self, error: MCPError) -> AgnoShellError:
        from mcp_types import CONNECTION_CLOSED

        if error.code == TOO_LONG:
            return AgnoShellError(f"The MCP server {self.name!r} failed: {error}.")
        lost = error.code == CONNECTION_CLOSED or self._status in (401, 403, 404)
        if lost:
            self._lose()
        did = "was lost during the call" if lost else "refused the call"
        reason = self._why or self._reason(error)
        return AgnoShellError(f"The MCP server {self.name!r} {did}: {reason}.")

    # The end ----------------------------------------------------------------------------

    async def close(self) -> None:
        """Stop the server, also one that hangs."""
        self._leave.set()
        if self._client is None and self._serving is not None:
            self._serving.cancel()  # it is still starting, or gone
        await self._finish()

    async def _finish(self) -> None:
        serving = self._serving
        if serving is None or serving.done():
            return
        program = isinstance(self._server.where, Program)
        await asyncio.wait([serving], timeout=STOPPING_SECONDS if program else LEAVING_SECONDS)
        if not serving.done():
            serving.cancel()
            await asyncio.wait([serving], timeout=LEAVING_SECONDS)


async def _list(client: Client) -> Sequence[ListedTool]:
    """All pages of the list."""
    tools: list[ListedTool] = []
    cursor: str | None = None
    for _page in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _client_info() -> Implementation:
    from agno_shell import __version__

    return Implementation(name="agno-shell", version=__version__)
