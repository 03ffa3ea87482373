"""``agno-shell agents``: what agents there are, and making and removing some."""

from __future__ import annotations

from agno_shell.cli.hidden import agent_table
from agno_shell.cli.output import write_json, write_table
from agno_shell.cli.parser import completes, json_object, number
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.text_table import Column

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TextIO

    from agno_shell.base.paths import Paths
    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.config import Agent, Config

SUMMARY = "list, show, create and remove agents"

_EPILOG = """\
An agent is a model with instructions and settings: a table [agents.NAME] of the configuration.
--create writes one to shell.toml, the file of the shell beside yours, and --remove removes one
there; your own file is never changed.

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

_COLUMNS = (
    Column("Agent", minimum=8),
    Column("Model", minimum=8),
    Column("What it does", minimum=12),
)

_WORDS_OF_THE_SHELL = ("none", "new")
"""What ``/agent`` means something else by."""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "List, show, create and remove agents."
    parser.epilog = _EPILOG
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("-l", "--list", action="store_true", help="show all agents (default)")
    completes(
        actions.add_argument("--show", metavar="NAME", help="everything that one has"), "agents"
    )
    actions.add_argument("--create", metavar="NAME", help="make an agent")
    completes(
        actions.add_argument("--remove", metavar="NAME", help="remove one from shell.toml"),
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
            help="with --create: a model to ask when that is down; can be repeated",
        ),
        "models",
    )
    parser.add_argument(
        "--pin",
        action="append",
        metavar="TEXT",
        help="with --create: a text to send always, or @ and a file's path; can be repeated",
    )
    parser.add_argument(
        "--reasoning",
        choices=("off", "low", "medium", "high"),
        help="with --create: how much it thinks",
    )
    parser.add_argument(
        "--temperature", type=number, metavar="NUMBER", help="with --create: at least 0"
    )
    parser.add_argument(
        "--parameters",
        type=json_object,
        metavar="JSON",
        help="with --create: other parameters of the model: '{\"max_tokens\": 4000}'",
    )
    parser.add_argument("--json", action="store_true", help="with --list and --show: as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Do one action and report it; the exit status. ``UsageError`` for a name that is that of no
    agent, or of one already, ``ConfigError`` for a configuration or an agent that is wrong."""
    from agno_shell.app import parts

    action = next((each for each in ("show", "create", "remove") if each in given), "list")
    table = {key: given[option] for option, key in _TABLE.items() if option in given}
    as_json, out = "json" in given, context.out
    if table and action != "create":
        option = next(each for each in _TABLE if each in given)
        context.wrong_usage(f"--{option} goes with --create")
    if as_json and action not in ("list", "show"):
        context.wrong_usage("--json goes with --list or --show")
    paths, config = parts.read(context.common)
    if action == "list":
        _list(config, out, as_json=as_json)
    elif action == "show":
        _show(_named(config, given["show"]), out, as_json=as_json)
    elif action == "create":
        _create(paths, config, given["create"], table, out)
    else:
        _remove(paths, config, given["remove"], out)
    return 0


def _list(config: Config, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        write_json([_record(each) for each in config.agents.values()], out)
    elif config.agents:
        rows = [
            (
                clean_line(agent.name),
                clean_line(agent.model or ""),
                clean_line(agent.description or agent.instructions),
            )
            for agent in config.agents.values()
        ]
        write_table(_COLUMNS, rows, out)
    else:
        out.write(
            "No agents are set up. Make one with "
            'agno-shell agents --create NAME --instructions "…".\n'
        )


def _show(agent: Agent, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        write_json(_record(agent), out)
        return
    for label, value in _facts(agent):
        first, *more = clean(value).split("\n")
        out.write(f"{label + ':':<14}{first}\n")
        out.writelines(" " * 14 + f"{line}\n" for line in more)


def _facts(agent: Agent) -> Iterator[tuple[str, str]]:
    yield "Agent", agent.name
    for key, value in _record(agent).items():
        if key == "name":
            continue
        if isinstance(value, dict):
            yield key.capitalize(), ", ".join(f"{name}={each}" for name, each in value.items())
        elif isinstance(value, list | tuple):
            for each in value:
                yield key.capitalize(), str(each)
        else:
            yield key.capitalize(), str(value).strip()


def _create(paths: Paths, config: Config, name: str, table: Mapping[str, Any], out: TextIO) -> None:
    from agno_shell.config import new_agent

    if name.lower() in _WORDS_OF_THE_SHELL:
        raise UsageError(f"An agent cannot be called '{clean_line(name)}'.", hint="Take another.")
    if name in config.agents:
        raise UsageError(
            f"There is an agent '{clean_line(name)}' already.",
            hint=f"Take another name, or change it in {_place(paths, config, name)}.",
        )
    if not (table.get("instructions") or table.get("model")):
        raise UsageError(
            "An agent needs instructions or a model of its own; none was made.",
            hint='Give it --instructions "…", or --model NAME.',
        )
    new_agent(paths, name, table)
    out.write(
        f"Created agent '{clean_line(name)}' in {clean_line(paths.shell_config_file, 1000)}\n"
    )


def _remove(paths: Paths, config: Config, name: str, out: TextIO) -> None:
    """Only what the shell has written: the user's own file is left alone."""
    from agno_shell.config.writing import place_of_agent, remove_agent

    agent = _named(config, name)
    shown = clean_line(agent.name)
    own = _place_in_own_file(paths, config, agent.name)
    if place_of_agent(paths.shell_config_file, agent.name) is None:
        raise UsageError(
            f"The agent '{shown}' stands in your own file, which is left as it is.",
            hint=f"Delete the table that begins at {own or 'its name there'}.",
        )
    remove_agent(paths, agent.name)
    out.write(f"Removed agent '{shown}'\n")
    if own:
        out.write(f"The agent '{shown}' at {clean_line(own, 1000)} applies again.\n")


def _named(config: Config, name: str) -> Agent:
    from agno_shell.toolkit.nearest import nearest

    agent = config.agents.get(name)
    if agent is None:
        near = nearest(name, config.agents)
        known = ", ".join(map(clean_line, sorted(config.agents))) or "none"
        hint = f"Did you mean '{clean_line(near)}'?" if near else f"Configured agents: {known}."
        raise UsageError(f"There is no agent '{clean_line(name)}'.", hint=hint)
    return agent


def _place(paths: Paths, config: Config, name: str) -> str:
    from agno_shell.config.writing import place_of_agent

    place = place_of_agent(paths.shell_config_file, name)
    return place or _place_in_own_file(paths, config, name) or "the configuration"


def _place_in_own_file(paths: Paths, config: Config, name: str) -> str | None:
    """The configuration was read already, so each of its files can be."""
    import os

    from agno_shell.config.writing import place_of_agent

    own = [path for path in config.files if os.path.abspath(path) != paths.shell_config_file]
    return next(filter(None, (place_of_agent(path, name) for path in own)), None)


def _record(agent: Agent) -> dict[str, Any]:
    """An agent as its table has it, with its name, and without what looks like a key."""
    return {"name": agent.name, **agent_table(agent)}
