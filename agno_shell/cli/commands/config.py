"""``agno-shell config``: the settings in force, where the file is, and whether it is right."""

from __future__ import annotations

import os

from agno_shell.cli.hidden import agent_table, without_secrets
from agno_shell.cli.output import say, write_json
from agno_shell.cli.parser import completes
from agno_shell.errors import ConfigError, UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.config import Config
    from agno_shell.config.settings import Setting

SUMMARY = "show, find, check and change the configuration"

_EPILOG = """\
--set and --unset change a file of the shell's own, shell.toml, whose values come before
yours; your file stays as it is. Write a value as it is, a list with commas.

exit status: 0 done; 2 something in the configuration is wrong

examples:
  agno-shell config                    the current settings and where each comes from
  agno-shell config --path             where the file is, or would be
  agno-shell config --check && echo ok
  agno-shell config --get provider.model
  agno-shell config --set provider.model=openai/gpt-4o --set shell.metrics=true
  agno-shell config --unset provider.model
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "Show, find, check and change the configuration."
    parser.epilog = _EPILOG
    actions = parser.add_mutually_exclusive_group()
    for action, text in (
        ("show", "the current settings, as TOML, each with its source (default)"),
        ("path", "where the configuration file is, or would be"),
        ("check", "check the configuration, and whether what it names is installed"),
    ):
        actions.add_argument(
            f"--{action}", dest="action", action="store_const", const=action, help=text
        )
    completes(
        actions.add_argument("--get", metavar="KEY", help="only the value of one setting"),
        "setting_names",
    )
    completes(
        actions.add_argument(
            "--set",
            action="append",
            metavar="KEY=VALUE",
            help="keep a setting for later runs; can be repeated",
        ),
        "setting_values",
    )
    completes(
        actions.add_argument(
            "--unset",
            action="append",
            metavar="KEY",
            help="forget what --set, or the shell, has kept; can be repeated",
        ),
        "setting_names",
    )
    parser.add_argument("--json", action="store_true", help="with --show and --get: as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Do one action; returns the exit status. ``ConfigError`` where the configuration is
    wrong, except for ``--path``, which must help to find the file that is."""
    actions = ("get", "set", "unset")
    action = next((each for each in actions if each in given), given.get("action", "show"))
    as_json, out = "json" in given, context.out
    if as_json and action not in ("show", "get"):
        context.wrong_usage("--json goes with --show or --get")
    if action == "check":
        return _check(context)
    if action == "path":
        out.write(clean_line(_path(context), 4096) + "\n")
    elif action in ("set", "unset"):
        _change(context, given[action], forget=action == "unset")
    else:
        from agno_shell.app import parts

        _paths, config = parts.read(context.common)
        if action == "get":
            _get(config, _setting(given["get"]), out, as_json=as_json)
        elif as_json:
            write_json(_as_json(config), out, default=str)
        else:
            out.write(_shown(config))
    return 0


def _path(context: Context) -> str:
    from agno_shell.base.paths import find_paths

    file = context.common.config_file
    paths = find_paths(os.environ)
    return os.path.abspath(file) if file else paths.config_file


def _check(context: Context) -> int:
    """Say whether the configuration is right, and whether what it names is installed;
    the exit status."""
    # Here, because only this action looks at plugins.
    from agno_shell.app import parts
    from agno_shell.diagnosis.surroundings import IN_FILE, configuration
    from agno_shell.toolkit import findings

    subject = parts.subject_of(context.common)
    found = list(configuration(subject))
    wrong = [each for each in found if findings.is_wrong(each)]
    for finding in wrong:
        if finding.where == IN_FILE:  # its sentence names file, line and key
            shown = clean_line(f"{finding.problem} {finding.advice}", findings.LIMIT)
        else:
            shown = findings.sentence(finding)
        say(context.err, f"agno-shell: {shown}")
    if wrong:
        return ConfigError.exit_code
    context.out.write(_verdict(subject.config))
    for finding in found:
        context.out.write(f"{findings.sentence(finding)}\n")
    return 0


def _shown(config: Config) -> str:
    """The effective configuration as TOML, with the source of each value behind it and
    without anything that looks like a key."""
    from agno_shell.config import settings
    from agno_shell.config.writing import toml_value

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


def _as_json(config: Config) -> dict[str, Any]:
    """The effective configuration: each setting by its name with ``value`` and ``source``,
    the agents and the tables of plugins; without anything that looks like a key."""
    from agno_shell.config import settings

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


def _dump(table: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(table).rstrip("\n")


# Changing it ------------------------------------------------------------------------------


def _change(context: Context, keys: Sequence[str], *, forget: bool) -> None:
    """Keep settings in the shell's file, or forget them; all of them or, where one is wrong,
    none. ``keys``: their names, or ``KEY=VALUE``."""
    from agno_shell.base.paths import find_paths
    from agno_shell.config import load_config, remember

    out, paths = context.out, find_paths(os.environ)
    values: dict[Setting[Any], Any] = {}
    for key in keys:
        name, equals, text = key.partition("=")
        setting = _setting(name.strip())
        if forget:
            values[setting] = None
        elif not equals:
            raise UsageError(
                f"--set {clean_line(key, 60)} has no value.", hint="It takes KEY=VALUE."
            )
        else:
            values[setting] = _parsed(setting, text.strip())
    remember(paths, {setting.name: value for setting, value in values.items()})
    # What is wrong elsewhere in the configuration must not hide what was done.
    config = load_config(
        paths,
        file=context.common.config_file,
        environ=os.environ,
        problem=lambda _error: None,
    )
    for setting, value in values.items():
        kept = value is not None
        done = f"Set {setting.name} = {_plain(value)}" if kept else f"Unset {setting.name}"
        out.write(clean_line(done, 1000) + "\n")
        if not kept or config[setting] != value:
            source = clean_line(config.source(setting), 1000)
            out.write(f"Effective: {clean_line(_plain(config[setting]), 1000)} ({source})\n")


def _setting(name: str) -> Setting[Any]:
    from agno_shell.config import settings
    from agno_shell.config.loading import unknown_setting

    setting = settings.BY_NAME.get(name)
    if setting is None:
        raise unknown_setting(name)
    return setting


def _parsed(setting: Setting[Any], text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        raise ConfigError(f"{setting.name} {error}.") from None


def _get(config: Config, setting: Setting[Any], out: TextIO, *, as_json: bool) -> None:
    if as_json:
        import json

        out.write(json.dumps(config[setting]) + "\n")
    else:
        out.write(clean_line(_plain(config[setting]), 100_000) + "\n")


def _plain(value: Any) -> str:
    """A value as ``--set`` takes it."""
    from agno_shell.config.writing import toml_value

    if isinstance(value, list | tuple):
        return ", ".join(value)
    return value if isinstance(value, str) else toml_value(value)


def _verdict(config: Config) -> str:
    lines = [f"{clean_line(path, 4096)} is right." for path in config.files]
    if not lines:
        lines = ["There is no configuration file; the defaults apply."]
    return "\n".join([*lines, *(clean_line(warning, 1000) for warning in config.warnings)]) + "\n"
