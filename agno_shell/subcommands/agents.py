"""``agno-shell agents``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.argument_parser import (
    add_common_options,
    common_options,
    completes,
    configured,
    json_object,
    number,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from agno_shell.argument_parser import Make

_EPILOG = """\
An agent is a model with instructions and settings: a table [agents.NAME] of the configuration.
--create writes one to shell.toml, the file that the shell keeps beside yours, and --remove takes
one from there; your own file is never changed.

exit status: 0 done; 2 wrong usage or configuration

examples:
  agno-shell agents
  agno-shell agents --create poet --instructions "Answer in verse." --temperature 0.9
  agno-shell agents --create local --model ollama_chat/llama3.2 --description "stays here"
  agno-shell agents --show poet
  agno-shell agents --remove poet
  agno-shell --agent poet
"""

_TABLE = {
    "instructions": "instructions",
    "model": "model",
    "description": "description",
    "fallback": "fallbacks",
    "pin": "pins",
    "reasoning": "reasoning",
    "temperature": "temperature",
    "parameters": "parameters",
}
"""The key of an agent's table that each option of ``--create`` becomes."""


def add(make: Make) -> ArgumentParser:
    """The options of the command."""
    parser = configured(make, description="List, show, create and remove agents.", epilog=_EPILOG)
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("-l", "--list", action="store_true", help="show all agents (default)")
    completes(actions.add_argument("--show", metavar="NAME", help="all that one has"), "agents")
    actions.add_argument("--create", metavar="NAME", help="make an agent")
    completes(
        actions.add_argument("--remove", metavar="NAME", help="remove one that the shell keeps"),
        "agents",
    )
    parser.add_argument(
        "--instructions", metavar="TEXT", help="with --create: the system text of every request"
    )
    completes(
        parser.add_argument("--model", metavar="NAME", help="with --create: the model it uses"),
        "models",
    )
    parser.add_argument(
        "--description", metavar="TEXT", help="with --create: a few words for the list"
    )
    completes(
        parser.add_argument(
            "--fallback",
            action="append",
            metavar="NAME",
            help="with --create: the model that is asked when that is down; may be repeated",
        ),
        "models",
    )
    parser.add_argument(
        "--pin",
        action="append",
        metavar="TEXT",
        help="with --create: what always goes along, or @ and a file's path; may be repeated",
    )
    parser.add_argument(
        "--reasoning",
        choices=("off", "low", "medium", "high"),
        help="with --create: how much it is to think",
    )
    parser.add_argument(
        "--temperature", type=number, metavar="NUMBER", help="with --create: at least 0"
    )
    parser.add_argument(
        "--parameters",
        type=json_object,
        metavar="JSON",
        help="with --create: what else goes to the model: '{\"max_tokens\": 4000}'",
    )
    parser.add_argument("--json", action="store_true", help="with --list and --show: as JSON")
    add_common_options(parser)
    return parser


def run(parser: ArgumentParser, given: dict[str, Any]) -> int:
    """Do what was asked for; the exit status."""
    import os
    import sys

    from agno_shell.oneshot import agents
    from agno_shell.options import AgentsAction, AgentsOptions

    actions: tuple[AgentsAction, ...] = ("show", "create", "remove")
    action: AgentsAction = next((each for each in actions if each in given), "list")
    table = {key: given[option] for option, key in _TABLE.items() if option in given}
    if table and action != "create":
        option = next(each for each in _TABLE if each in given)
        parser.error(f"--{option} goes with --create")
    if "json" in given and action not in ("list", "show"):
        parser.error("--json goes with --list or --show")
    options = AgentsOptions(
        action,
        common_options(given),
        name="" if action == "list" else given[action],
        table=table,
        json="json" in given,
    )
    return agents.run(options, os.environ, sys.stdout)
