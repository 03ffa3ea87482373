"""The plugin as the shell sees it: its hook, its cost, and its tools on the tool belt."""

from __future__ import annotations

import subprocess
import sys

import agno_shell_mcp
import pluggy
from agno_shell_mcp.box import McpBox

from agno_shell import Tool, ToolOptions, hookspecs
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.types import ToolCall


def test_the_tool_box_is_registered_and_opens():
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(agno_shell_mcp, "mcp")
    manager.check_pending()
    [[factory]] = manager.hook.register_tools()
    assert factory.name == "mcp"
    assert isinstance(factory.open(ToolOptions()), McpBox)


def test_importing_the_plugin_imports_nothing_heavy():
    code = (
        "import sys, agno_shell_mcp\n"
        "from agno_shell import hookspecs\n"
        "agno_shell_mcp.register_tools()\n"
        "heavy = {'agno_shell_mcp.box', 'mcp', 'httpx2', 'pydantic', 'asyncio', 'dataclasses'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_a_box_does_not_import_the_sdk():
    code = (
        "import sys, agno_shell_mcp\n"
        "from agno_shell import ToolOptions\n"
        "agno_shell_mcp.open_box(ToolOptions({'servers': {'a': {'command': 'a'}}}))\n"
        "print('mcp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


async def test_on_the_tool_belt_every_call_has_an_answer(make_box, plain_server):
    box = make_box({"files": plain_server(), "lost": plain_server("gone")})
    [factory] = agno_shell_mcp.register_tools()
    reports = []
    belt = ToolRegistry(
        lambda: {"mcp": factory},
        lambda _factory: box,
        on=["mcp"],
        seconds=20,
        output_bytes=300,
        report=reports.append,
    )

    async def allow(_call, tool):
        assert tool.source == "the MCP server 'files'"
        return "once"

    async def use(name, arguments="{}"):
        call = ToolCall("call-1", name, arguments)
        decided = await belt.decide(call, "session")
        return await belt.run(decided, call) if isinstance(decided, Tool) else decided

    belt.approve = allow
    names = [schema.name for schema in await belt.schemas()]
    assert names == ["files_crash", "files_echo", "files_more"]
    assert len(reports) == 1
    assert "The MCP server 'lost' did not start" in reports[0]
    answer = await use("files_echo", '{"text": "%s"}' % ("ß" * 1000))
    assert answer.status == "complete"
    assert "more were left out" in answer.content
    answer = await use("files_crash")
    assert answer.status == "failed"
    assert "lost during the call" in answer.content
    assert len(await belt.schemas()) == 3
    assert (await use("files_echo")).status == "complete"
    assert (await use("files_unlink")).status == "failed"
    await belt.close()
    assert await box.tools() == []
