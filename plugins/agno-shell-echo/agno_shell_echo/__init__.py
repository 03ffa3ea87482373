"""The hooks of the plugin: what it registers, and nothing else.

This module is imported at every start of the shell, so it imports only what costs
nothing; the provider's own module is imported when the provider is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agno_shell import Command, CommandContext, ProviderFactory, ToolbarItem, UsageError, hookimpl

if TYPE_CHECKING:
    from agno_shell import Provider, ProviderOptions
    from agno_shell.contracts import ToolbarView


@hookimpl
def register_providers() -> Sequence[ProviderFactory]:
    """The provider that ``[provider] plugin = "echo"`` chooses."""
    return [
        ProviderFactory(
            name="echo",
            summary="Answers with what it was sent.",
            open=open_provider,
            default_model=lambda _environ: "echo",
        )
    ]


def open_provider(options: ProviderOptions) -> Provider:
    """Called once, when the provider was chosen."""
    from agno_shell_echo.provider import EchoProvider

    return EchoProvider()


@hookimpl
def register_commands() -> Sequence[Command]:
    """``/echo TEXT``."""
    return [
        Command(
            name="echo",
            summary="Print TEXT.",
            run=echo,
            usage="TEXT",
            details="It is printed as it was typed, and is not sent to the model.",
        )
    ]


def echo(context: CommandContext, text: str) -> None:
    """Print ``text``; what stands behind ``/echo`` comes in stripped."""
    if not text:
        raise UsageError("/echo needs a text.", hint="Usage: /echo TEXT")
    context.ui.print(text)


@hookimpl
def toolbar_items(view: ToolbarView) -> Sequence[ToolbarItem]:
    """How many messages the open session has, at the right end of the toolbar."""
    return [ToolbarItem(f"echo: {view.session.message_count} messages", order=900)]
