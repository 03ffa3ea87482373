"""The slash commands that come with the shell, as a plugin like any other."""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.builtin.commands import (
    agents,
    attach,
    branches,
    context,
    conversation,
    copy,
    doctor,
    memory,
    model,
    report,
    save,
    screen,
    search,
    sessions,
    tools,
    trash,
    tree,
)
from agno_shell.builtin.commands import help as help_
from agno_shell.contracts import Command
from agno_shell.hookspecs import hookimpl

ROOMS = (
    sessions,
    search,
    trash,
    conversation,
    branches,
    tree,
    copy,
    context,
    memory,
    attach,
    save,
    model,
    agents,
    tools,
    report,
    doctor,
    help_,
    screen,
)


@hookimpl
def register_commands() -> Sequence[Command]:
    """All builtin commands, in the order in which ``/help`` lists them."""
    return tuple(command for room in ROOMS for command in room.COMMANDS)
