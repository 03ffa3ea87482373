"""The finished configuration, as the rest of the program reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from agno_shell.config import settings
from agno_shell.config.settings import Setting
from agno_shell.types import NOTHING

if TYPE_CHECKING:
    from agno_shell.config.agents import Agent

T = TypeVar("T")

Source = Callable[[], str]
"""Says where a value came from; computed only on demand."""


class Config:
    """Every setting, agent and plugin table of this run. Nothing changes in it.

    ``config[settings.PROVIDER_MODEL]`` has the type of the setting.
    """

    __slots__ = (
        "_default_storage_path",
        "_plugin_tables",
        "_values",
        "agents",
        "files",
        "warnings",
    )

    def __init__(
        self,
        values: Mapping[str, tuple[Any, Source]] = NOTHING,
        *,
        agents: Mapping[str, Agent] = NOTHING,
        plugin_tables: Mapping[str, Mapping[str, Any]] = NOTHING,
        default_storage_path: str = "",
        files: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> None:
        self._values = values
        self._plugin_tables = plugin_tables
        self._default_storage_path = default_storage_path
        self.agents = agents
        self.files = files
        """The configuration files that exist, in the order in which they were read."""
        self.warnings = warnings
        """Sentences about what is probably a slip, such as a misspelt variable."""

    def __getitem__(self, setting: Setting[T]) -> T:
        found = self._values.get(setting.name)
        return setting.default if found is None else found[0]

    def source(self, setting: Setting[Any]) -> str:
        """Where the value came from: ``default``, a file with its line, the name of an
        environment variable, or ``the command line``."""
        found = self._values.get(setting.name)
        return "default" if found is None else found[1]()

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        """The table ``[plugins.NAME]``, empty if there is none."""
        return self._plugin_tables.get(name, NOTHING)

    @property
    def plugin_tables(self) -> Mapping[str, Mapping[str, Any]]:
        """All tables ``[plugins.NAME]`` by name."""
        return self._plugin_tables

    @property
    def storage_path(self) -> str:
        """``[storage] path`` with ``~`` resolved, or the default data folder."""
        return self[settings.STORAGE_PATH] or self._default_storage_path

    def limits(self) -> dict[str, float]:
        """``[provider.limits]`` by last name: seconds, and ``reply_bytes`` in bytes."""
        return {setting.name.rpartition(".")[2]: self[setting] for setting in settings.LIMITS}
