"""What plugins have registered: a record of each plugin, named things with their owners, and words
for the toolbar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from agno_shell.contracts import (
    Command,
    ProviderFactory,
    RendererFactory,
    StorageFactory,
    Subcommand,
    ToolbarItem,
    ToolbarView,
    ToolFactory,
)
from agno_shell.errors import PluginError
from agno_shell.plugins.record_checks import check

R = TypeVar("R", StorageFactory, ProviderFactory, RendererFactory, Command, Subcommand, ToolFactory)


class PluginRecord:
    """What is known of one plugin."""

    def __init__(self, name: str, distribution: str, version: str, module: str) -> None:
        self.name = name
        self.distribution = distribution
        self.version = version
        self.module = module
        self.provides: list[str] = []
        """What it registered, as in ``provider echo`` or ``hook toolbar_items``."""
        self.load_seconds = 0.0
        self.state = "off"
        """``on``, ``off`` or ``failed``."""
        self.error = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"

    def row(self) -> dict[str, Any]:
        """For tables and JSON."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "version": self.version,
            "provides": list(self.provides),
            "load_seconds": round(self.load_seconds, 4),
            "state": self.state,
            "error": self.error,
        }


class Registry(Generic[R]):
    """Named things of one kind, each with its owner; a name belongs to the first."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, R] = {}
        self._owners: dict[str, PluginRecord] = {}

    def add(self, item: R, owner: PluginRecord) -> None:
        """Take an item. Raises PluginError for one that cannot be used, and one that names both
        owners of a name."""
        check(item)
        names = (item.name, *item.aliases) if isinstance(item, Command) else (item.name,)
        for name in names:
            if name in self._owners:
                raise PluginError(
                    f"The {self.kind} {name!r} is registered by {self._owners[name]} already, "
                    f"so that of {owner} is not used."
                )
        for name in names:
            self._owners[name] = owner
        self._items[item.name] = item
        owner.provides.append(f"{self.kind} {item.name}")

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def all(self) -> Mapping[str, R]:
        return self._items

    def by_every_name(self) -> Mapping[str, R]:
        """The items by name and by alias: a copy, because plugins are loaded in a thread."""
        named: dict[str, R] = dict(self._items)
        for item in list(self._items.values()):
            if isinstance(item, Command):
                named.update(dict.fromkeys(item.aliases, item))
        return named

    def owner(self, name: str) -> str:
        """The plugin that registered ``name``."""
        return self._owners[name].name

    def get(self, name: str) -> R:
        """The item of this name; raises PluginError with the nearest one."""
        try:
            return self._items[name]
        except KeyError:
            raise PluginError(
                f"There is no {self.kind} called {name!r}.", hint=self._advice(name)
            ) from None

    def _advice(self, name: str) -> str:
        from agno_shell.toolkit.nearest import nearest

        near = nearest(name, self._items)
        known = ", ".join(sorted(self._items)) or "none"
        advice = f"Did you mean {near!r}? " if near else ""
        return (
            f"{advice}There are: {known}; `agno-shell plugins` shows which plugins are "
            "installed and which are switched off."
        )


class ToolbarWords:
    """The items that plugins returned for the toolbar."""

    def __init__(self) -> None:
        self.view: ToolbarView | None = None
        """Of what they were asked last."""
        self._of: dict[str, list[ToolbarItem]] = {}

    def items(self) -> list[ToolbarItem]:
        """Leftmost first."""
        items = (item for each in list(self._of.values()) for item in each)
        return sorted(items, key=lambda item: item.order)

    def take(self, plugin: str, returned: Any) -> bool:
        """Take what a plugin has returned; whether it is something else than before. Raises
        PluginError for what is no item; then the plugin has no items."""
        before = self._of.pop(plugin, [])
        items = [_checked_item(each) for each in returned or ()]
        self._of[plugin] = items
        return items != before


def _checked_item(item: Any) -> ToolbarItem:
    if not isinstance(item, ToolbarItem):
        raise PluginError(f"it returned {type(item).__name__}, not ToolbarItem")
    for value, kind in zip(item, (str, str, int), strict=True):
        if not isinstance(value, kind):
            raise PluginError(f"it returned an item with {value!r} as {kind.__name__}")
    return item
