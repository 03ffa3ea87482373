"""The three swappable parts, and the records in which a plugin registers things.

Records are named tuples of cheap factories: making one imports nothing heavy, and only
the ones that are chosen are opened. Each part is loaded when it is first asked for:
``session --list`` needs the storage and nothing else.
"""

from agno_shell.base.lazy_names import lazy_names

_HOMES = {
    "commands": "App Command CommandContext Completion StorageAccess ToolbarItem ToolbarView Ui",
    "engine": "AttachmentTray Engine Figures Messages Step ToolSwitches",
    "provider": (
        "Abilities Address Background TokenCounts KnownModel ModelList Provider ProviderFactory "
        "ProviderOptions"
    ),
    "renderer": "Line RenderStream Renderer RendererFactory RendererOptions",
    "storage": "Progress Storage StorageFactory StorageOptions",
    "subcommands": "Subcommand SubcommandContext",
    "tools": "Approve Permission Tool ToolBox ToolFactory ToolOptions ToolState",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
