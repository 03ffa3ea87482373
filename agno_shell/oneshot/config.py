"""``agno-shell config``: the settings in force, where the file is, and whether it is right."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from agno_shell import findings, settings
from agno_shell.config import Agent, Config, load_config, remember
from agno_shell.config.loading import unknown_setting
from agno_shell.config.writing import toml_value
from agno_shell.errors import ConfigError, UsageError
from agno_shell.oneshot.output import say
from agno_shell.options import ConfigOptions
from agno_shell.paths import Paths, find_paths
from agno_shell.settings import Setting
from agno_shell.terminal_text import clean, clean_line

if TYPE_CHECKING:
    from agno_shell.diagnosis.subject import Subject

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


def run(options: ConfigOptions, environ: Mapping[str, str], out: TextIO) -> int:
    """Do one action; returns the exit status. ``ConfigError`` where the configuration is
    wrong, except for ``path``, which must help to find the file that is."""
    paths = find_paths(environ)
    if options.action == "path":
        file = options.common.config_file
        path = os.path.abspath(file) if file else paths.config_file
        out.write(clean_line(path, 4096) + "\n")
    elif options.action in ("set", "unset"):
        _change(options, paths, environ, out)
    else:
        common = options.common
        config = load_config(
            paths, file=common.config_file, environ=environ, overrides=common.overrides
        )
        if options.action == "get":
            out.write(_one(config, _setting(options.keys[0]), as_json=options.json))
        elif options.json:
            import json

            out.write(json.dumps(as_json(config), indent=2, default=str) + "\n")
        else:
            out.write(show(config))
    return 0


def check(find: Callable[[], Subject], out: TextIO, err: TextIO) -> int:
    """Say whether the configuration is right, and whether what it names is installed;
    the exit status. ``find`` gives what is looked at."""
    # Here, because only this action looks at plugins.
    from agno_shell.diagnosis.surroundings import IN_FILE, configuration

    subject = find()
    found = list(configuration(subject))
    wrong = [each for each in found if findings.is_wrong(each)]
    for finding in wrong:
        if finding.where == IN_FILE:  # its sentence names file, line and key
            shown = clean_line(f"{finding.problem} {finding.advice}", findings.LIMIT)
        else:
            shown = findings.sentence(finding)
        say(err, f"agno-shell: {shown}")
    if wrong:
        return ConfigError.exit_code
    out.write(_verdict(subject.config))
    for finding in found:
        out.write(f"{findings.sentence(finding)}\n")
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
        lines += ["", _dump({"agents": {agent.name: agent_table(agent)}})]
    for plugin, plugin_table in config.plugin_tables.items():
        lines += ["", _dump({"plugins": {plugin: without_secrets(plugin_table)}})]
    return clean("\n".join(lines).strip() + "\n")


def as_json(config: Config) -> dict[str, Any]:
    """The effective configuration: each setting by its name with ``value`` and ``source``,
    the agents and the tables of plugins; without anything that looks like a key."""
    return {
        "settings": {
            setting.name: {
                "value": without_secrets(config[setting]),
                "source": config.source(setting),
            }
            for setting in settings.ALL
        },
        "agents": {agent.name: agent_table(agent) for agent in config.agents.values()},
        "plugins": {name: without_secrets(table) for name, table in config.plugin_tables.items()},
    }


def without_secrets(value: Any, name: str = "") -> Any:
    """``value`` with whatever looks like a key, by its name or by its form, hidden."""
    if isinstance(value, Mapping):
        return {key: without_secrets(below, key) for key, below in value.items()}
    if _SECRET_NAME.search(name) and not _NOT_SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    return _SECRET_VALUE.sub(HIDDEN, value) if isinstance(value, str) else value


def agent_table(agent: Agent) -> dict[str, Any]:
    """What an agent has, by the keys of its table."""
    table = {
        "description": agent.description,
        "model": agent.model,
        "instructions": agent.instructions,
        "fallbacks": agent.fallbacks,
        "pins": agent.pins,
        "reasoning": agent.reasoning,
        "parameters": agent.parameters,
    }
    return {key: without_secrets(value, key) for key, value in table.items() if value}


def _dump(table: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(table).rstrip("\n")


# Changing it ------------------------------------------------------------------------------


def _change(options: ConfigOptions, paths: Paths, environ: Mapping[str, str], out: TextIO) -> None:
    """Keep settings in the shell's file, or forget them; all of them or, where one is wrong,
    none."""
    values: dict[Setting[Any], Any] = {}
    for key in options.keys:
        name, equals, text = key.partition("=")
        setting = _setting(name.strip())
        if options.action == "unset":
            values[setting] = None
        elif not equals:
            raise UsageError(
                f"--set {clean_line(key, 60)} has no value.", hint="It takes KEY=VALUE."
            )
        else:
            values[setting] = _parsed(setting, text.strip())
    remember(paths, {setting.name: value for setting, value in values.items()})
    # What is wrong elsewhere in the configuration is no reason not to say what was done.
    config = load_config(
        paths, file=options.common.config_file, environ=environ, problem=lambda _error: None
    )
    for setting, value in values.items():
        kept = value is not None
        done = f"Set {setting.name} = {_plain(value)}" if kept else f"Unset {setting.name}"
        out.write(clean_line(done, 1000) + "\n")
        if not kept or config[setting] != value:
            source = clean_line(config.source(setting), 1000)
            out.write(f"In force: {clean_line(_plain(config[setting]), 1000)} ({source})\n")


def _setting(name: str) -> Setting[Any]:
    setting = settings.BY_NAME.get(name)
    if setting is None:
        raise unknown_setting(name)
    return setting


def _parsed(setting: Setting[Any], text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        raise ConfigError(f"{setting.name} {error}.") from None


def _one(config: Config, setting: Setting[Any], *, as_json: bool) -> str:
    if as_json:
        import json

        return json.dumps(config[setting]) + "\n"
    return clean_line(_plain(config[setting]), 100_000) + "\n"


def _plain(value: Any) -> str:
    """A value as ``--set`` takes it."""
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return value if isinstance(value, str) else toml_value(value)


def _verdict(config: Config) -> str:
    lines = [f"{clean_line(path, 4096)} is right." for path in config.files]
    if not lines:
        lines = ["There is no configuration file; the defaults are in force."]
    return "\n".join([*lines, *(clean_line(warning, 1000) for warning in config.warnings)]) + "\n"
