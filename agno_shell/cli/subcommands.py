"""The builtin plugin whose commands of the command line are those of the program itself.

The program needs no plugin to find them. They are registered so that no plugin can take the name
of one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from agno_shell.cli.arguments import command_names, module_of, summary_of
from agno_shell.contracts import Subcommand
from agno_shell.hookspecs import hookimpl


@hookimpl
def register_subcommands() -> Sequence[Subcommand]:
    """Each of the commands, none of which is imported for it."""
    return [_subcommand(name) for name in command_names()]


def _subcommand(name: str) -> Subcommand:
    return Subcommand(
        name,
        summary_of(name),
        lambda parser: module_of(name).add(parser),
        lambda context, given: module_of(name).run(context, given),
    )
