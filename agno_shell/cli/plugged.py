"""Commands that plugins bring, found when one is typed that is not built in."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from agno_shell.cli.errors import is_failed_output
from agno_shell.cli.parser import Parser, add_common_options, common_options, configured
from agno_shell.errors import AgnoShellError, PluginError
from agno_shell.toolkit.guarding import reason_of
from agno_shell.toolkit.terminal_text import clean_line

if TYPE_CHECKING:
    from agno_shell.base.options import CommonOptions
    from agno_shell.base.paths import Paths
    from agno_shell.cli.parser import Commands, Make
    from agno_shell.config import Config
    from agno_shell.contracts import Subcommand
    from agno_shell.plugins.manager import Plugins


def add_plugged(commands: Commands, name: str | None, arguments: list[str]) -> None:
    """Add the commands of plugins, because ``name`` is none of those that are built in, or
    with None: because all are to be listed. ``arguments``: the whole command line.

    Raises ``ConfigError`` for a configuration that is wrong, as it may say which plugins are
    off; but the list is made without them then.
    """
    common = _common(arguments)
    if common.no_plugins:
        return
    from agno_shell.app import parts

    try:
        configuration = parts.read(common) if name is None else parts.configure(common)
        plugins = parts.plugins_of(configuration[1], common)
        plugins.load_installed()
    except AgnoShellError:
        if name is None:
            return
        raise
    for each in plugins.subcommands.all().values():
        if each.name not in commands.choices:
            # argparse takes a percent sign for the beginning of a name.
            summary = clean_line(each.summary).replace("%", "%%")
            build = partial(_build, each, plugins, configuration)
            commands.add(each.name, lambda summary=summary: summary, build)  # type: ignore[misc]


def _common(arguments: list[str]) -> CommonOptions:
    """What the command line has of these options, in front of the command or behind it; what is
    wrong with it is reported when all of it is parsed."""
    parser = argparse.ArgumentParser(
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
        argument_default=argparse.SUPPRESS,
    )
    add_common_options(parser)
    try:
        given, _others = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        given = argparse.Namespace()
    return common_options(vars(given))


def _build(
    command: Subcommand, plugins: Plugins, configuration: tuple[Paths, Config], make: Make
) -> Parser:
    owner = plugins.subcommands.owner(command.name)
    parser = configured(make)
    with _blamed(command, owner):
        command.add(parser)
        add_common_options(parser)
    parser.run = partial(_run, command, owner, plugins, configuration, parser)
    return parser


def _run(
    command: Subcommand,
    owner: str,
    plugins: Plugins,
    configuration: tuple[Paths, Config],
    parser: Parser,
    given: Mapping[str, Any],
) -> int:
    from agno_shell.cli.context import Context

    context = Context(parser, given, configuration=configuration, plugins=plugins, owner=owner)
    with _blamed(command, owner):
        status: object = command.run(context, given)
    if not isinstance(status, int):
        raise _failed(command, owner, f"it returned {type(status).__name__}, not an exit status")
    return status


@contextmanager
def _blamed(command: Subcommand, owner: str) -> Iterator[None]:
    """What a plugin raises, and no command would, is an error of the plugin."""
    try:
        yield
    except (AgnoShellError, SystemExit, KeyboardInterrupt, BrokenPipeError):
        raise
    except BaseException as error:
        if is_failed_output(error):
            raise
        raise _failed(command, owner, reason_of(error)) from error


def _failed(command: Subcommand, owner: str, reason: str) -> PluginError:
    return PluginError(
        f"The command {command.name} of the plugin {owner} failed: {reason.rstrip('.')}.",
        hint=f'[plugins] off = ["{owner}"] in the configuration switches the plugin off.',
    )
