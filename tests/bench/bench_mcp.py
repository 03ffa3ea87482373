"""How soon a typed key is drawn while an MCP server does its worst."""

from __future__ import annotations

import sys
from pathlib import Path

from bench_keys import echoes
from figures import Figure, longest
from places import AGNO_SHELL, empty_home
from terminal import PROMPT, Terminal

SERVER = Path(__file__).with_name("hostile_server.py")

MODES = ("notifications", "lines", "large", "deep", "objects", "errors")

TARGET_MS = 100.0

CALLER = '''
from agno_shell import Finished, Provider, ProviderFactory, TextDelta, ToolCall, hookimpl


class Caller(Provider):
    """Calls the tool of the server."""

    name = "caller"

    async def stream(self, request):
        yield ToolCall("c1", "h_go", "{}")
        yield Finished("tool_calls")


@hookimpl
def register_providers():
    return [ProviderFactory("caller", "for a benchmark", lambda _options: Caller())]
'''

CONFIG = """\
[provider]
plugin = "caller"
model = "caller"
[tools]
on = ["mcp"]
[plugins.mcp.servers.h]
command = '{python}'
args = ['{server}', '{mode}']
"""


def flood(folder: Path) -> list[Figure]:
    """The longest echo of a key, for each thing that a server may do."""
    return [
        longest(f"longest key echo, MCP server: {mode}", _while(mode, folder), "ms", TARGET_MS)
        for mode in MODES
    ]


def _while(mode: str, folder: Path) -> list[float]:
    environ = empty_home(folder / mode)
    site = folder / mode / "site"
    metadata = site / "caller-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "caller.py").write_text(CALLER)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: caller\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[agno_shell]\ncaller = caller\n")
    config = CONFIG.format(python=sys.executable, server=SERVER, mode=mode)
    (folder / mode / "config.toml").write_text(config)
    terminal = Terminal([AGNO_SHELL], {**environ, "PYTHONPATH": str(site)})
    try:
        terminal.wait_for(PROMPT)
        terminal.type("go\r")
        terminal.wait_for("Run it once")
        terminal.watch(0.3)
        terminal.type("y\r")
        terminal.wait_for("Run it once.")
        terminal.watch(0.5)
        return echoes(terminal)
    finally:
        terminal.close()
