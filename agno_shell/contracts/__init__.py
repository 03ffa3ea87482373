"""The three swappable parts, and the records in which a plugin registers things.

Records are named tuples of cheap factories: making one imports nothing heavy, and only
the ones that are chosen are opened. Each part is loaded when it is first asked for:
``session --list`` needs the storage and nothing else.
"""

from __future__ import annotations

from agno_shell.base.lazy_names import lazy_names

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from agno_shell.contracts.commands import (
        App,
        Command,
        CommandContext,
        Completion,
        StorageAccess,
        ToolbarItem,
        ToolbarView,
        Ui,
    )
    from agno_shell.contracts.engine import (
        AttachmentTray,
        Engine,
        Figures,
        Messages,
        Step,
        ToolSwitches,
    )
    from agno_shell.contracts.provider import (
        Abilities,
        Address,
        Background,
        Counted,
        KnownModel,
        ModelList,
        Provider,
        ProviderFactory,
        ProviderOptions,
    )
    from agno_shell.contracts.renderer import (
        Line,
        Renderer,
        RendererFactory,
        RendererOptions,
        RenderStream,
    )
    from agno_shell.contracts.storage import Progress, Storage, StorageFactory, StorageOptions
    from agno_shell.contracts.subcommands import Subcommand, SubcommandContext
    from agno_shell.contracts.tools import (
        Approve,
        Permission,
        Tool,
        ToolBox,
        ToolFactory,
        ToolOptions,
        ToolState,
    )

_HOMES = {
    "commands": "App Command CommandContext Completion StorageAccess ToolbarItem ToolbarView Ui",
    "engine": "AttachmentTray Engine Figures Messages Step ToolSwitches",
    "provider": (
        "Abilities Address Background Counted KnownModel ModelList Provider ProviderFactory "
        "ProviderOptions"
    ),
    "renderer": "Line RenderStream Renderer RendererFactory RendererOptions",
    "storage": "Progress Storage StorageFactory StorageOptions",
    "subcommands": "Subcommand SubcommandContext",
    "tools": "Approve Permission Tool ToolBox ToolFactory ToolOptions ToolState",
}

__all__ = [
    "Abilities",
    "Address",
    "App",
    "Approve",
    "AttachmentTray",
    "Background",
    "Command",
    "CommandContext",
    "Completion",
    "Counted",
    "Engine",
    "Figures",
    "KnownModel",
    "Line",
    "Messages",
    "ModelList",
    "Permission",
    "Progress",
    "Provider",
    "ProviderFactory",
    "ProviderOptions",
    "RenderStream",
    "Renderer",
    "RendererFactory",
    "RendererOptions",
    "Step",
    "Storage",
    "StorageAccess",
    "StorageFactory",
    "StorageOptions",
    "Subcommand",
    "SubcommandContext",
    "Tool",
    "ToolBox",
    "ToolFactory",
    "ToolOptions",
    "ToolState",
    "ToolSwitches",
    "ToolbarItem",
    "ToolbarView",
    "Ui",
]


__getattr__ = lazy_names(__name__, _HOMES)
