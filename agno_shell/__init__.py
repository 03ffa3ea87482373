"""What a plugin author imports, and nothing else.

Names are loaded when they are first asked for, so that ``import agno_shell``
costs nothing at start-up.
"""

from __future__ import annotations

from agno_shell.lazy_names import lazy_names

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from agno_shell.contracts import (
        Command,
        CommandContext,
        Completion,
        Line,
        Provider,
        ProviderFactory,
        ProviderOptions,
        Renderer,
        RendererFactory,
        RendererOptions,
        RenderStream,
        Storage,
        StorageFactory,
        StorageOptions,
        ToolbarItem,
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
        Interrupted,
        ReasoningDelta,
        Request,
        TextDelta,
        ToolCall,
        UsageReported,
    )
    from agno_shell.hookspecs import hookimpl
    from agno_shell.terminal_text import Cleaner, clean, clean_line
    from agno_shell.types import (
        Attachment,
        Finding,
        Message,
        SearchHit,
        Session,
        Timing,
        Trashed,
        Usage,
    )

__version__ = "0.1.0"

_HOMES = {
    "contracts": (
        "Command CommandContext Completion Line Provider ProviderFactory ProviderOptions "
        "RenderStream Renderer RendererFactory RendererOptions "
        "Storage StorageFactory StorageOptions ToolbarItem"
    ),
    "errors": (
        "AgnoShellError ConfigError PluginError ProviderError SessionNotFoundError "
        "StorageError UsageError"
    ),
    "events": (
        "Event Failed Finished Interrupted ReasoningDelta Request TextDelta ToolCall UsageReported"
    ),
    "hookspecs": "hookimpl",
    "terminal_text": "Cleaner clean clean_line",
    "types": "Attachment Finding Message SearchHit Session Timing Trashed Usage",
}

__all__ = [
    "AgnoShellError",
    "Attachment",
    "Cleaner",
    "Command",
    "CommandContext",
    "Completion",
    "ConfigError",
    "Event",
    "Failed",
    "Finding",
    "Finished",
    "Interrupted",
    "Line",
    "Message",
    "PluginError",
    "Provider",
    "ProviderError",
    "ProviderFactory",
    "ProviderOptions",
    "ReasoningDelta",
    "RenderStream",
    "Renderer",
    "RendererFactory",
    "RendererOptions",
    "Request",
    "SearchHit",
    "Session",
    "SessionNotFoundError",
    "Storage",
    "StorageError",
    "StorageFactory",
    "StorageOptions",
    "TextDelta",
    "Timing",
    "ToolCall",
    "ToolbarItem",
    "Trashed",
    "Usage",
    "UsageError",
    "UsageReported",
    "__version__",
    "clean",
    "clean_line",
    "hookimpl",
]


__getattr__ = lazy_names(__name__, _HOMES)
