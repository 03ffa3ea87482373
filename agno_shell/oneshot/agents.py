"""``agno-shell agents``: what agents there are, and making and removing some."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from agno_shell.config import Agent, Config, load_config, new_agent
from agno_shell.config.nearest import nearest
from agno_shell.config.writing import place_of_agent, remove_agent
from agno_shell.errors import UsageError
from agno_shell.oneshot.config import agent_table
from agno_shell.oneshot.output import terminal_width
from agno_shell.options import AgentsOptions
from agno_shell.paths import Paths, find_paths
from agno_shell.terminal_text import clean, clean_line
from agno_shell.text_table import Column, table_lines

_COLUMNS = (
    Column("Agent", minimum=8),
    Column("Model", minimum=8),
    Column("What it does", minimum=12),
)

_WORDS_OF_THE_SHELL = ("none", "new")
"""What ``/agent`` means something else by."""


def run(options: AgentsOptions, environ: Mapping[str, str], out: TextIO) -> int:
    """Do one action and tell; the exit status. ``UsageError`` for a name that is that of no
    agent, or of one already, ``ConfigError`` for a configuration or an agent that is wrong."""
    paths = find_paths(environ)
    config = load_config(paths, file=options.common.config_file, environ=environ)
    if options.action == "list":
        _list(config, out, as_json=options.json)
    elif options.action == "show":
        _show(_named(config, options.name), out, as_json=options.json)
    elif options.action == "create":
        _create(paths, config, options, out)
    else:
        _remove(paths, config, options, out)
    return 0


def _list(config: Config, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        _write_json([_record(each) for each in config.agents.values()], out)
    elif config.agents:
        rows = [
            (
                clean_line(agent.name),
                clean_line(agent.model or ""),
                clean_line(agent.description or agent.instructions),
            )
            for agent in config.agents.values()
        ]
        out.write("\n".join([*table_lines(_COLUMNS, rows, terminal_width(out)), ""]))
    else:
        out.write(
            "No agents are set up. Make one with "
            'agno-shell agents --create NAME --instructions "…".\n'
        )


def _show(agent: Agent, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        _write_json(_record(agent), out)
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
        if isinstance(value, Mapping):
            yield key.capitalize(), ", ".join(f"{name}={each}" for name, each in value.items())
        elif isinstance(value, list | tuple):
            for each in value:
                yield key.capitalize(), str(each)
        else:
            yield key.capitalize(), str(value).strip()


def _create(paths: Paths, config: Config, options: AgentsOptions, out: TextIO) -> None:
    name = options.name
    if name.lower() in _WORDS_OF_THE_SHELL:
        raise UsageError(f"An agent cannot be called '{clean_line(name)}'.", hint="Take another.")
    if name in config.agents:
        raise UsageError(
            f"There is an agent '{clean_line(name)}' already.",
            hint=f"Take another name, or change it in {_place(paths, config, name)}.",
        )
    if not (options.table.get("instructions") or options.table.get("model")):
        raise UsageError(
            "An agent needs instructions or a model of its own; none was made.",
            hint='Give it --instructions "…", or --model NAME.',
        )
    new_agent(paths, name, options.table)
    out.write(
        f"Created agent '{clean_line(name)}' in {clean_line(paths.shell_config_file, 1000)}\n"
    )


def _remove(paths: Paths, config: Config, options: AgentsOptions, out: TextIO) -> None:
    """Only what the shell has written: a person's own file is theirs."""
    agent = _named(config, options.name)
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
        out.write(f"The agent '{shown}' at {clean_line(own, 1000)} is in force again.\n")


def _named(config: Config, name: str) -> Agent:
    agent = config.agents.get(name)
    if agent is None:
        near = nearest(name, config.agents)
        known = ", ".join(map(clean_line, sorted(config.agents))) or "none"
        hint = f"Did you mean '{clean_line(near)}'?" if near else f"Configured agents: {known}."
        raise UsageError(f"There is no agent '{clean_line(name)}'.", hint=hint)
    return agent


def _place(paths: Paths, config: Config, name: str) -> str:
    place = place_of_agent(paths.shell_config_file, name)
    return place or _place_in_own_file(paths, config, name) or "the configuration"


def _place_in_own_file(paths: Paths, config: Config, name: str) -> str | None:
    """The configuration was read already, so each of its files can be."""
    own = [path for path in config.files if os.path.abspath(path) != paths.shell_config_file]
    return next(filter(None, (place_of_agent(path, name) for path in own)), None)


def _record(agent: Agent) -> dict[str, Any]:
    """An agent as its table has it, with its name, and without what looks like a key."""
    return {"name": agent.name, **agent_table(agent)}


def _write_json(value: object, out: TextIO) -> None:
    import json

    # ASCII alone, so that no foreign byte acts on a terminal and every locale can write it.
    out.write(json.dumps(value, indent=2) + "\n")
