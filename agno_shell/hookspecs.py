"""Every hook a plugin can implement, one typed function each.

A plugin is a distribution with an entry point in the group ``agno_shell`` that names
a module; the functions in it that carry :data:`hookimpl` are its hooks. They take
any subset of the arguments below, by name. Each plugin is called on its own: one
that raises is named and skipped. Hooks run in a thread of their plugin, in order, and
nobody waits for those that tell something; one that does not come back within
``[plugins] seconds`` is named, and not called again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

from agno_shell.base.installed import GROUP as GROUP  # the name of the pluggy project as well

if TYPE_CHECKING:
    from agno_shell.contracts import (
        Command,
        CommandContext,
        ProviderFactory,
        RendererFactory,
        StorageFactory,
        Subcommand,
        ToolbarItem,
        ToolbarView,
        ToolFactory,
    )
    from agno_shell.events import Request
    from agno_shell.types import Message, Session

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


# Registration: what a plugin adds ---------------------------------------------------------


@hookspec
def register_storages() -> Sequence[StorageFactory]:  # type: ignore[empty-body]
    """Storages that ``[storage] plugin`` can choose."""


@hookspec
def register_providers() -> Sequence[ProviderFactory]:  # type: ignore[empty-body]
    """Model providers that ``[provider] plugin`` can choose."""


@hookspec
def register_renderers() -> Sequence[RendererFactory]:  # type: ignore[empty-body]
    """Renderers that ``[renderer] plugin`` can choose."""


@hookspec
def register_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Slash commands."""


@hookspec
def register_subcommands() -> Sequence[Subcommand]:  # type: ignore[empty-body]
    """Commands of the command line, as in ``agno-shell NAME``."""


@hookspec
def register_tools() -> Sequence[ToolFactory]:  # type: ignore[empty-body]
    """Tool boxes that ``[tools] on`` can switch on. None is on by itself."""


# Events: what has happened ----------------------------------------------------------------


@hookspec
def on_shell_started(context: CommandContext) -> None:
    """The prompt stands."""


@hookspec
def on_shell_stopped(context: CommandContext) -> None:
    """The shell is about to end; everything said is saved."""


@hookspec
def on_session_opened(session: Session) -> None:
    """A session was opened or switched to."""


@hookspec
def on_turn_started(session: Session, request: Request) -> None:
    """A request is about to be sent; the user's message is on disk."""


@hookspec
def on_message_saved(session: Session, message: Message) -> None:
    """A message is durable."""


@hookspec
def on_turn_finished(session: Session, reply: Message) -> None:
    """A turn is over; ``reply.status`` says how."""


# Filters: what a plugin may change -------------------------------------------------------


@hookspec
def prepare_request(session: Session | None, request: Request) -> Request | None:
    """See what is sent and, by returning another request, change it. Called for one
    plugin after the other, each with what the one before it returned. ``session`` is
    None for a one-shot question. A plugin that fails here, or does not come back in time,
    stops the request; a UsageError is a veto, and its sentence is shown."""


@hookspec
def toolbar_items(view: ToolbarView) -> Sequence[ToolbarItem]:  # type: ignore[empty-body]
    """Words for the toolbar; called when something in ``view`` has changed. What was
    returned last stands there meanwhile."""
