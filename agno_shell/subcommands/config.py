"""``agno-shell config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.argument_parser import add_common_options, common_options, completes, configured

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from agno_shell.argument_parser import Make

_EPILOG = """\
What --set and --unset change is kept in a file of the shell's own, shell.toml, which is laid
over yours; your file stays as it is. A value is written as it is, a list with commas.

exit status: 0 done; 2 something in the configuration is wrong

examples:
  agno-shell config                    the settings in force and where each comes from
  agno-shell config --path             where the file is, or would be
  agno-shell config --check && echo ok
  agno-shell config --get provider.model
  agno-shell config --set provider.model=openai/gpt-4o --set shell.metrics=true
  agno-shell config --unset provider.model
"""


def add(make: Make) -> ArgumentParser:
    """The options of the command."""
    parser = configured(
        make, description="Show, find, check and change the configuration.", epilog=_EPILOG
    )
    actions = parser.add_mutually_exclusive_group()
    for action, text in (
        ("show", "the settings in force, as TOML, each with its source (default)"),
        ("path", "where the configuration file is, or would be"),
        ("check", "say whether the configuration is right, and what it names is installed"),
    ):
        actions.add_argument(
            f"--{action}", dest="action", action="store_const", const=action, help=text
        )
    completes(
        actions.add_argument("--get", metavar="KEY", help="the value of one setting, alone"),
        "setting_names",
    )
    completes(
        actions.add_argument(
            "--set",
            action="append",
            metavar="KEY=VALUE",
            help="keep a setting for later runs; may be given several times",
        ),
        "setting_values",
    )
    completes(
        actions.add_argument(
            "--unset",
            action="append",
            metavar="KEY",
            help="forget what --set, or the shell, has kept; may be given several times",
        ),
        "setting_names",
    )
    parser.add_argument("--json", action="store_true", help="with --show and --get: as JSON")
    add_common_options(parser)
    return parser


def run(parser: ArgumentParser, given: dict[str, Any]) -> int:
    """Do what was asked for; the exit status."""
    import os
    import sys

    from agno_shell.oneshot import config
    from agno_shell.options import ConfigAction, ConfigOptions

    common = common_options(given)
    if "json" in given and given.get("action", "show") != "show":
        parser.error("--json goes with --show or --get")
    if given.get("action") == "check":
        from agno_shell import parts

        return config.check(lambda: parts.subject_of(common), sys.stdout, sys.stderr)
    changes: tuple[ConfigAction, ...] = ("set", "unset")
    action = next((each for each in changes if each in given), None)
    if action is not None:
        if "json" in given:
            parser.error("--json goes with --show or --get")
        options = ConfigOptions(action, common, keys=tuple(given[action]))
    elif "get" in given:
        options = ConfigOptions("get", common, keys=(given["get"],), json="json" in given)
    else:
        options = ConfigOptions(given.get("action", "show"), common, json="json" in given)
    return config.run(options, os.environ, sys.stdout)
