"""``agno-shell config``: the settings in force, where the file is, and whether it is right."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TextIO

from agno_shell import settings
from agno_shell.config import Agent, Config, load_config
from agno_shell.config.writing import toml_value
from agno_shell.options import CommonOptions, ConfigAction
from agno_shell.paths import find_paths
from agno_shell.terminal_text import clean, clean_line

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(
    r"api_?key|(^|[_-])keys?($|[_-])|token|secret|passw|credential|authori[sz]ation", re.IGNORECASE
)
_NOT_SECRET_NAME = re.compile(r"_env$|^(max|min|num|n|top|logit)_|_tokens$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|pk|rk)-[\w-]{8,}|\b(?:gsk|ghp|hf|r8|xai|glpat|xox[abp])[-_][\w-]{8,}"
    r"|\bAIza[\w-]{20,}|\bBearer\s+\S+|(?<=://)[^/@\s]+(?=@)"
)
"""The usual forms of keys, and what stands before the @ of an address."""


def run(
    options: CommonOptions, action: ConfigAction, environ: Mapping[str, str], out: TextIO
) -> int:
    """Do one action; returns the exit status. ``ConfigError`` where the configuration is
    wrong, except for ``path``, which must help to find the file that is."""
    paths = find_paths(environ)
    if action == "path":
        file = options.config_file
        path = os.path.abspath(file) if file else paths.config_file
        out.write(clean_line(path, 4096) + "\n")
        return 0
    config = load_config(
        paths, file=options.config_file, environ=environ, overrides=options.overrides
    )
    if action == "show":
        out.write(show(config))
    else:
        out.write(_verdict(config))
    return 0


def show(config: Config) -> str:
    """The effective configuration as TOML, with the source of each value behind it and
    without anything that looks like a key."""
    lines: list[str] = []
    table = None
    for setting in settings.ALL:
        name, _, key = setting.name.rpartition(".")
        if name != table:
            table = name
            lines += ["", f"[{table}]"]
        source = clean_line(config.source(setting), 1000)
        lines.append(f"{key} = {toml_value(without_secrets(config[setting]))}  # {source}")
    for agent in config.agents.values():
        lines += ["", _dump({"agents": {agent.name: _agent_table(agent)}})]
    for plugin, plugin_table in config.plugin_tables.items():
        lines += ["", _dump({"plugins": {plugin: without_secrets(plugin_table)}})]
    return clean("\n".join(lines).strip() + "\n")


def without_secrets(value: Any, name: str = "") -> Any:
    """``value`` with whatever looks like a key, by its name or by its form, hidden."""
    if isinstance(value, Mapping):
        return {key: without_secrets(below, key) for key, below in value.items()}
    if _SECRET_NAME.search(name) and not _NOT_SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return _SECRET_VALUE.sub(HIDDEN, value) if isinstance(value, str) else value


def _agent_table(agent: Agent) -> dict[str, Any]:
    table = {
        "description": agent.description,
        "model": agent.model,
        "instructions": agent.instructions,
        "parameters": agent.parameters,
    }
    return {key: without_secrets(value, key) for key, value in table.items() if value}


def _dump(table: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(table).rstrip("\n")


def _verdict(config: Config) -> str:
    lines = [f"{clean_line(path, 4096)} is right." for path in config.files]
    if not lines:
        lines = ["There is no configuration file; the defaults are in force."]
    return "\n".join([*lines, *(clean_line(warning, 1000) for warning in config.warnings)]) + "\n"
