"""The hook of the plugin: it registers the tool box ``mcp``.

This module is imported at every start of the shell, so it imports only what costs
nothing. The modules behind it, lowest first: ``settings`` reads ``[plugins.mcp]``;
``results`` puts what a tool answers into text; ``transport`` reaches a server;
``connection`` keeps one alive; ``log`` is where its output goes; ``box`` joins them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agno_shell import ToolFactory, hookimpl

if TYPE_CHECKING:
    from agno_shell import ToolBox, ToolOptions


@hookimpl
def register_tools() -> Sequence[ToolFactory]:
    """The tool box that ``[tools] on = ["mcp"]`` switches on."""
    return [ToolFactory("mcp", "Tools of the MCP servers in [plugins.mcp.servers].", open_box)]


def open_box(options: ToolOptions) -> ToolBox:
    """Called once, when the box was switched on; starts nothing."""
    from agno_shell_mcp.box import McpBox

    return McpBox(options)
