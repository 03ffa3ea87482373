"""What a plugin author imports, and nothing else.

Names are loaded when they are first asked for, so that ``import agno_shell``
costs nothing at start-up.
"""

from agno_shell.base.lazy_names import lazy_names

__version__ = "0.1.0"

_HOMES = {
    "contracts": (
        "Abilities Address Background Command CommandContext Completion "
        "TokenCounts Engine Figures Line Progress Provider ProviderFactory ProviderOptions "
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
        "ToolCall ToolSchema TrashedSession Usage"
    ),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
