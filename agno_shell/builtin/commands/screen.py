"""Commands about the shell itself."""

from __future__ import annotations

from agno_shell.builtin.commands.arguments import require_nothing
from agno_shell.contracts import Command, CommandContext


def clear(context: CommandContext, text: str) -> None:
    """Empty the screen."""
    require_nothing(text, "clear")
    context.ui.clear()


def leave(context: CommandContext, text: str) -> None:
    """End the shell."""
    require_nothing(text, "exit")
    context.app.exit()


COMMANDS = (
    Command(
        "clear",
        "Empty the screen; the session stays as it is.",
        clear,
        details="/history shows again what was said.",
    ),
    Command(
        "exit",
        "Leave the shell; everything is saved.",
        leave,
        details="exit, quit and Ctrl-D do the same, and so do exit(), quit(), :q, :q! and :wq.",
        aliases=("quit",),
    ),
)
