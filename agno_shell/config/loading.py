"""Merge the sources of the configuration, later ones over earlier ones, each checked.

Order: defaults, the user's file, the shell's file, ``AGNO_SHELL_*`` variables, the
command line. Nothing is read from the working directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agno_shell.base.paths import CONFIG_VARIABLE, HOME_VARIABLE, LOG_VARIABLE, Paths, absolute
from agno_shell.config import settings
from agno_shell.config.record import Config, Source
from agno_shell.config.toml_file import TomlFile, read_toml
from agno_shell.errors import ConfigError
from agno_shell.types import NOTHING

if TYPE_CHECKING:
    from agno_shell.config.agents import Agent

TABLES = frozenset(
    name.rpartition(".")[0] for name in settings.BY_NAME if not name.startswith("plugins.")
)
"""The tables that hold settings; ``agents`` and ``plugins`` are free beside them."""


def load_config(
    paths: Paths,
    *,
    file: str | None = None,
    environ: Mapping[str, str],
    overrides: Mapping[str, Any] = NOTHING,
    problem: Callable[[ConfigError], None] | None = None,
) -> Config:
    """The configuration of this run.

    ``file`` is read in the place of the user's file and must exist, as must the one
    that ``AGNO_SHELL_CONFIG`` names. ``overrides`` are settings by dotted name from the
    command line. Raises ``ConfigError`` that names file, line, key and the nearest
    right key; with ``problem`` nothing is raised: it gets each of these errors, and what
    is wrong is left out.
    """
    layers = _Layers(problem)
    named = file is not None or bool(environ.get(CONFIG_VARIABLE))
    layers.read_file(os.path.abspath(file) if file else paths.config_file, required=named)
    layers.read_file(paths.shell_config_file)
    layers.add_environment(environ)
    layers.add_overrides(overrides)
    layers.resolve_storage_path(environ)
    return Config(
        layers.values,
        agents=layers.agents,
        plugin_tables=layers.plugin_tables,
        default_storage_path=paths.sessions_dir,
        files=tuple(layers.files),
        warnings=tuple(layers.warnings),
    )


def check_setting(name: str, value: Any, place: Callable[[], str]) -> Any:
    """``value`` as the type of the setting ``name``; ``place()`` begins the error."""
    setting = settings.BY_NAME.get(name)
    if setting is None:
        raise unknown_setting(name)
    try:
        return setting.validate(value)
    except ValueError as error:
        raise ConfigError(f"{place()}{name} {error}.") from None


def unknown_setting(name: str) -> ConfigError:
    """There is no setting of this name; the nearest one is named."""
    return ConfigError(f'There is no setting "{_short(name)}".', hint=_hint_for(name))


class _Layers:
    """What has been merged so far."""

    def __init__(self, problem: Callable[[ConfigError], None] | None) -> None:
        self._problem = problem
        self.values: dict[str, tuple[Any, Source]] = {}
        self.agents: dict[str, Agent] = {}
        self.plugin_tables: dict[str, Mapping[str, Any]] = {}
        self.files: list[str] = []
        self.warnings: list[str] = []

    def _wrong(self, error: ConfigError) -> None:
        """Report an error to a caller that wants every one, or end the loading with it."""
        if self._problem is None:
            raise error
        self._problem(error)

    def read_file(self, path: str, *, required: bool = False) -> None:
        try:
            file = read_toml(path, required=required)
        except ConfigError as error:
            self._wrong(error)
        else:
            if file is not None:
                self._add_file(file)

    def _add_file(self, file: TomlFile) -> None:
        self.files.append(file.path)
        for key, value in file.table.items():
            try:
                if key == "agents":
                    self._add_agents(file, value)
                elif key == "plugins":
                    self._add_plugins(file, value)
                else:
                    self._add(file, (key,), value)
            except ConfigError as error:
                self._wrong(error)

    def _add(self, file: TomlFile, key: tuple[str, ...], value: Any) -> None:
        """A setting, or a table of settings and further tables."""
        name = ".".join(key)
        if name in settings.BY_NAME:
            checked = check_setting(name, value, lambda: f"{file.place(key)}: ")
            self.values[name] = checked, lambda: file.place(key)
        elif name not in TABLES:
            raise _unknown(file, key)
        elif not isinstance(value, dict):
            raise ConfigError(f"{file.place(key)}: {name} must be a table, [{name}].")
        else:
            for below, deeper in value.items():
                try:
                    self._add(file, (*key, below), deeper)
                except ConfigError as error:
                    self._wrong(error)

    def _add_agents(self, file: TomlFile, tables: Any) -> None:
        if not isinstance(tables, dict):
            raise ConfigError(f"{file.place(('agents',))}: agents must be tables, [agents.NAME].")
        from agno_shell.config.agents import read_agent

        for name, table in tables.items():
            try:
                self.agents[name] = read_agent(file, name, table)
            except ConfigError as error:
                self._wrong(error)

    def _add_plugins(self, file: TomlFile, tables: Any) -> None:
        if not isinstance(tables, dict):
            raise ConfigError(f"{file.place(('plugins',))}: plugins must be a table, [plugins].")
        for name, table in tables.items():
            try:
                self._add_plugin(file, name, table)
            except ConfigError as error:
                self._wrong(error)

    def _add_plugin(self, file: TomlFile, name: str, table: Any) -> None:
        if f"plugins.{name}" in settings.BY_NAME:
            self._add(file, ("plugins", name), table)
        elif isinstance(table, dict):
            self.plugin_tables[name] = {**self.plugin_tables.get(name, {}), **table}
        else:
            raise ConfigError(
                f'{file.place(("plugins", name))}: there is no setting "plugins.{_short(name)}".',
                hint="[plugins] holds off, a list of names, seconds, and a table [plugins.NAME] "
                "for each plugin that has settings.",
            )

    def add_environment(self, environ: Mapping[str, str]) -> None:
        for setting in settings.ALL:
            variable = setting.variable
            text = environ.get(variable)
            if not text:  # an empty variable is one that is not set
                continue
            try:
                self.values[setting.name] = setting.parse(text), variable.__str__
            except ValueError as error:
                self._wrong(ConfigError(f"The environment variable {variable} {error}."))
        self._look_for_slips(environ)

    def _look_for_slips(self, environ: Mapping[str, str]) -> None:
        known = [setting.variable for setting in settings.ALL]
        for variable in environ:
            if not variable.startswith(settings.ENVIRONMENT_PREFIX):
                continue
            if variable in known or variable in (HOME_VARIABLE, CONFIG_VARIABLE, LOG_VARIABLE):
                continue
            from agno_shell.toolkit.nearest import nearest

            # Others may belong to a plugin; only what looks like a slip is worth a word.
            meant = nearest(variable, known, likeness=0.85)
            if meant:
                self.warnings.append(
                    f"The environment variable {variable} is not known. Did you mean {meant}?"
                )

    def add_overrides(self, overrides: Mapping[str, Any]) -> None:
        for name, value in overrides.items():
            try:
                checked = check_setting(name, value, lambda: "On the command line: ")
            except ConfigError as error:
                self._wrong(error)
            else:
                self.values[name] = checked, lambda: "the command line"

    def resolve_storage_path(self, environ: Mapping[str, str]) -> None:
        name = settings.STORAGE_PATH.name
        path, source = self.values.get(name, ("", lambda: ""))
        try:
            if path:
                self.values[name] = absolute(path, name, environ), source
        except ConfigError as error:
            self._wrong(error)
            del self.values[name]


def _unknown(file: TomlFile, key: tuple[str, ...]) -> ConfigError:
    name = ".".join(key)
    return ConfigError(
        f'{file.place(key)}: there is no setting "{_short(name)}".', hint=_hint_for(name)
    )


def _hint_for(name: str) -> str:
    from agno_shell.toolkit.nearest import did_you_mean, nearest

    last = name.rpartition(".")[2]
    if last.lower() in ("api_key", "key", "token"):
        return (
            "A key is not written here: put it into an environment variable and name "
            "that one in provider.api_key_env."
        )
    # The right key in the wrong table first: [table] lines are forgotten more often.
    folded = last.lower()
    same_end = [known for known in settings.BY_NAME if known.rpartition(".")[2] == folded]
    meant = nearest(name, same_end, likeness=0.0)
    meant = meant or nearest(name, [*settings.BY_NAME, *TABLES, "agents", "plugins"])
    if meant:
        return did_you_mean(name, meant)
    return "agno-shell config --show lists every setting."


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"
