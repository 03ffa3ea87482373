"""What several tests use: real servers, made with the SDK or by hand, and the box."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from agno_shell_mcp.box import McpBox
from agno_shell_mcp.log import Log
from agno_shell_mcp.servers import Servers, ServerTool
from agno_shell_mcp.settings import read_servers

from agno_shell import Tool, ToolBox, ToolOptions, ToolSchema

PATIENCE = 20.0
"""Seconds after which a test gives up."""


class AsgiServer:
    """An ASGI application that listens on a port of this machine, in a thread of its own."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        until = time.monotonic() + PATIENCE
        while not self._server.started:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.001)

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., AsgiServer]]:
    """Serves ASGI applications until the end of the test."""
    served: list[AsgiServer] = []

    def start(app: Any, port: int = 0) -> AsgiServer:
        served.append(AsgiServer(app, port))
        return served[-1]

    yield start
    for each in served:
        each.stop()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "mcp.log"


class InProcessBox(ToolBox):
    """What the process of the servers does, in this process: tests can look into it."""

    def __init__(self, servers: Mapping[str, Any], log: Path) -> None:
        self._log = Log(str(log))
        found, self._wrong = read_servers({"servers": servers}, os.environ)
        self._servers = Servers(found, self._log.file)
        self._connections = self._servers.connections

    async def tools(self) -> Sequence[Tool]:
        return [self._tool(each) for each in await self._servers.tools()]

    def _tool(self, listed: ServerTool) -> Tool:
        async def run(arguments: Mapping[str, Any]) -> str:
            return await self._servers.call(listed.server, listed.name, arguments)

        name = f"{listed.server}_{listed.name}"
        schema = ToolSchema(name, listed.description, listed.parameters)
        return Tool(schema, run, f"the MCP server {listed.server!r}")

    def problems(self) -> Sequence[str]:
        found = self._servers.problems()
        return [*self._wrong, *found, *([f"The log is {self._log.path}."] if found else [])]

    async def close(self) -> None:
        await self._servers.close()
        self._log.close()


@pytest.fixture
async def make_box(log: Path) -> AsyncGenerator[Callable[[Mapping[str, Any]], InProcessBox]]:
    """Makes a box with the servers it is given; all are closed at the end."""
    made: list[InProcessBox] = []

    def make(servers: Mapping[str, Any]) -> InProcessBox:
        made.append(InProcessBox(servers, log))
        return made[-1]

    yield make
    for box in made:
        await box.close()


@pytest.fixture
async def make_far_box(log: Path) -> AsyncGenerator[Callable[[Mapping[str, Any]], McpBox]]:
    """The same as the shell has it, with a process of its own."""
    made: list[McpBox] = []

    def make(servers: Mapping[str, Any]) -> McpBox:
        made.append(McpBox(ToolOptions({"servers": servers}, str(log))))
        return made[-1]

    yield make
    for box in made:
        await box.close()


@pytest.fixture
def tools_of() -> Callable[[ToolBox], Awaitable[dict[str, Tool]]]:
    """The tools of a box by name."""

    async def tools_of(box: ToolBox) -> dict[str, Tool]:
        return {tool.schema.name: tool for tool in await box.tools()}

    return tools_of


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until something is true."""

    async def eventually(is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_true():
                await asyncio.sleep(0.002)

    return eventually


PLAIN_SERVER = r"""
import json, os, signal, sys

def say(record):
    print(json.dumps({"jsonrpc": "2.0", **record}), flush=True)

def text(words):
    return {"content": [{"type": "text", "text": words}]}

tools = ["echo", "crash", "more"]
for mode in sys.argv[1:]:
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif mode == "gone":
        sys.exit("out of order")
    elif mode == "mute":
        sys.stdin.read()
    elif mode == "noise":
        print("Welcome!\n{not json")
        sys.stdout.buffer.write(b"\xff\xfe\n")
        print("a complaint", file=sys.stderr, flush=True)

for line in sys.stdin:
    asked = json.loads(line)
    number, method, given = asked.get("id"), asked["method"], asked.get("params", {})
    if number is None:
        continue
    if method == "initialize":
        about = {"protocolVersion": given["protocolVersion"]}
        about["capabilities"] = {"tools": {"listChanged": True}}
        about["serverInfo"] = {"name": "plain", "version": "1"}
        say({"id": number, "result": about})
    elif method == "tools/list":
        # One tool a page.
        page = int(given.get("cursor") or 0)
        result = {"tools": [{"name": tools[page], "inputSchema": {"type": "object"}}]}
        if page + 1 < len(tools):
            result["nextCursor"] = str(page + 1)
        say({"id": number, "result": result})
    elif method == "tools/call" and given["name"] == "echo":
        say({"id": number, "result": text(f"{os.getpid()} {given['arguments']}")})
    elif method == "tools/call" and given["name"] == "more":
        tools.append("new")
        say({"method": "notifications/tools/list_changed"})
        say({"id": number, "result": text("one more")})
    elif method == "tools/call":
        sys.exit(3)
    else:
        say({"id": number, "error": {"code": -32601, "message": "Method not found"}})

if "stubborn" in sys.argv:
    while True:
        signal.pause()
"""
"""A small server that speaks the older protocols, without the SDK."""


@pytest.fixture
def plain_server(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The settings of a server that runs :data:`PLAIN_SERVER`, in some modes."""
    program = tmp_path / "plain_server.py"
    program.write_text(PLAIN_SERVER)

    def settings(*modes: str, **more: Any) -> dict[str, Any]:
        return {"command": sys.executable, "args": [str(program), *modes], **more}

    return settings


HOSTILE = r"""
import json, os, signal, sys, threading, time

def say(record):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **record}) + "\n")
    sys.stdout.flush()

def text(words):
    return {"content": [{"type": "text", "text": words}]}

def flood():
    line = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params":
                       {"level": "info", "data": "x"}}) + "\n"
    while True:
        sys.stdout.write(line * 1000)

mode = sys.argv[1]
if "stubborn" in mode:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "family" in mode:
    if os.fork() == 0:  # a grandchild that holds the pipes and listens to nobody
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(sys.argv[2], "w").write(str(os.getpid()))
        while True:
            time.sleep(60)
if mode == "chatty":
    threading.Thread(target=lambda: [os.write(2, b"n" * 65536) for _ in range(1000)],
                     daemon=True).start()

for line in sys.stdin:
    asked = json.loads(line)
    number, method, given = asked.get("id"), asked["method"], asked.get("params", {})
    if number is None:
        continue
    if method == "initialize":
        about = {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}}}
        say({"id": number, "result": {**about, "serverInfo": {"name": "h", "version": "1"}}})
    elif method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("go", "echo")]
        say({"id": number, "result": {"tools": tools}})
    elif method == "tools/call" and given["name"] == "echo":
        say({"id": number, "result": text(str(os.getpid()))})
    elif method != "tools/call":
        say({"id": number, "error": {"code": -32601, "message": "Method not found"}})
    elif mode == "large":
        say({"id": number, "result": text("x" * 30_000_000)})
    elif mode == "large behind":
        sys.stdout.write('{"result": {"content": [{"type": "text", "text": "' + "x" * 6_000_000
                         + '"}]}, "id": ' + str(number) + ', "jsonrpc": "2.0"}\n')
        sys.stdout.flush()
    elif mode == "endless":
        while True:
            sys.stdout.write("x" * 1_000_000)
    elif mode == "flood":
        threading.Thread(target=flood, daemon=True).start()
        time.sleep(0.5)
        say({"id": number, "result": text("at last")})
    elif mode == "deep":
        sys.stdout.write("[" * 1_000_000 + "]" * 1_000_000 + "\n")
        say({"id": number, "result": text("shallow")})
    elif mode == "deaf":
        while True:
            time.sleep(60)
    elif mode == "closed":
        os.close(1)
        time.sleep(60)
    else:
        say({"id": number, "result": text("fine")})

if "stubborn" in mode:
    while True:
        time.sleep(60)
"""


@pytest.fixture
def hostile(tmp_path: Path):
    path = tmp_path / "hostile.py"
    path.write_text(HOSTILE)
    return lambda mode, *more: {"command": sys.executable, "args": [str(path), mode, *more]}
