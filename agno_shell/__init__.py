"""What a plugin author imports, and nothing else.

Names are loaded when they are first asked for, so that ``import agno_shell``
costs nothing at start-up.
"""

from __future__ import annotations

from agno_shell.base.lazy_names import lazy_names

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from agno_shell.contracts import (
        Abilities,
        Address,
        Background,
        Command,
        CommandContext,
        Completion,
        ConversationControl,
        Counted,
        Figures,
        Line,
        Progress,
        Provider,
        ProviderFactory,
        ProviderOptions,
        Renderer,
        RendererFactory,
        RendererOptions,
        RenderStream,
        Step,
        Storage,
        StorageFactory,
        StorageOptions,
        Subcommand,
        SubcommandContext,
        Tool,
        ToolbarItem,
        ToolBox,
        ToolFactory,
        ToolOptions,
    )
    from agno_shell.errors import (
        AgnoShellError,
        ConfigError,
        PluginError,
        ProviderError,
        SessionNotFoundError,
        StorageError,
        UsageError,
    )
    from agno_shell.events import (
        Event,
        Failed,
        Finished,
        HiddenDelta,
        Interrupted,
        ProviderToolFinished,
        ProviderToolStarted,
        ReasoningDelta,
        Request,
        SpeakerChanged,
        TextDelta,
        UsageReported,
    )
    from agno_shell.hookspecs import hookimpl
    from agno_shell.toolkit.function_tools import python_tools
    from agno_shell.toolkit.terminal_text import Cleaner, clean, clean_line
    from agno_shell.types import (
        Attachment,
        Finding,
        Growth,
        Memory,
        Message,
        ProviderTool,
        SearchHit,
        Session,
        Timing,
        ToolCall,
        ToolSchema,
        Trashed,
        Usage,
    )

__version__ = "0.1.0"

_HOMES = {
    "contracts": (
        "Abilities Address Background Command CommandContext Completion ConversationControl "
        "Counted Figures Line Progress Provider ProviderFactory ProviderOptions "
        "RenderStream Renderer RendererFactory RendererOptions "
        "Step Storage StorageFactory StorageOptions Subcommand SubcommandContext "
        "Tool ToolBox ToolFactory ToolOptions ToolbarItem"
    ),
    "errors": (
        "AgnoShellError ConfigError PluginError ProviderError SessionNotFoundError "
        "StorageError UsageError"
    ),
    "events": (
        "Event Failed Finished HiddenDelta Interrupted ProviderToolFinished "
        "ProviderToolStarted ReasoningDelta Request SpeakerChanged TextDelta UsageReported"
    ),
    "toolkit.function_tools": "python_tools",
    "hookspecs": "hookimpl",
    "toolkit.terminal_text": "Cleaner clean clean_line",
    "types": (
        "Attachment Finding Growth Memory Message ProviderTool SearchHit Session Timing "
        "ToolCall ToolSchema Trashed Usage"
    ),
}

__all__ = [
    "Abilities",
    "Address",
    "AgnoShellError",
    "Attachment",
    "Background",
    "Cleaner",
    "Command",
    "CommandContext",
    "Completion",
    "ConfigError",
    "ConversationControl",
    "Counted",
    "Event",
    "Failed",
    "Figures",
    "Finding",
    "Finished",
    "Growth",
    "HiddenDelta",
    "Interrupted",
    "Line",
    "Memory",
    "Message",
    "PluginError",
    "Progress",
    "Provider",
    "ProviderError",
    "ProviderFactory",
    "ProviderOptions",
    "ProviderTool",
    "ProviderToolFinished",
    "ProviderToolStarted",
    "ReasoningDelta",
    "RenderStream",
    "Renderer",
    "RendererFactory",
    "RendererOptions",
    "Request",
    "SearchHit",
    "Session",
    "SessionNotFoundError",
    "SpeakerChanged",
    "Step",
    "Storage",
    "StorageError",
    "StorageFactory",
    "StorageOptions",
    "Subcommand",
    "SubcommandContext",
    "TextDelta",
    "Timing",
    "Tool",
    "ToolBox",
    "ToolCall",
    "ToolFactory",
    "ToolOptions",
    "ToolSchema",
    "ToolbarItem",
    "Trashed",
    "Usage",
    "UsageError",
    "UsageReported",
    "__version__",
    "clean",
    "clean_line",
    "hookimpl",
    "python_tools",
]


__getattr__ = lazy_names(__name__, _HOMES)
