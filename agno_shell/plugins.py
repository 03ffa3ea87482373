"""Find, allow, load, isolate, blame: every plugin, built in or installed.

Each plugin is called on its own, inside a guard. One that cannot be imported, or
that raises in a hook, is named with its distribution and skipped; the rest goes on.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from agno_shell import hookspecs
from agno_shell.contracts import (
    Command,
    CommandContext,
    ProviderFactory,
    RendererFactory,
    StorageFactory,
    ToolbarItem,
    ToolbarView,
    ToolFactory,
)
from agno_shell.errors import PluginError
from agno_shell.types import Message

if TYPE_CHECKING:
    from agno_shell.events import Request
    from agno_shell.types import Session

BUILTINS: Mapping[str, str] = {
    "commands": "agno_shell.builtin.commands.plugin",
    "direct": "agno_shell.builtin.direct_provider.plugin",
    "json": "agno_shell.builtin.json_storage.plugin",
    "litellm": "agno_shell.builtin.litellm_provider.plugin",
    "offline": "agno_shell.builtin.offline_provider",
    "plain": "agno_shell.builtin.plain_renderer",
    "pygments": "agno_shell.builtin.pygments_renderer.plugin",
}
"""Plugin name to module. They are loaded by name like any other, only without a search."""

R = TypeVar("R", StorageFactory, ProviderFactory, RendererFactory, Command, ToolFactory)
T = TypeVar("T")


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
        """Take an item; raises PluginError that names both owners of a name."""
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
        from difflib import get_close_matches

        near = get_close_matches(name, self._items, 1)
        known = ", ".join(sorted(self._items))
        advice = f"Did you mean {near[0]!r}? " if near else ""
        return (
            f"{advice}There are: {known}; `agno-shell plugins` shows which plugins are "
            "installed and which are switched off."
        )


class Plugins:
    """All plugins of one run, and one typed method for each hook."""

    def __init__(
        self,
        *,
        off: Collection[str] = (),
        installed: bool = True,
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.report = report
        """Gets one line for each plugin that fails; may be replaced while running."""
        self.storages: Registry[StorageFactory] = Registry("storage")
        self.providers: Registry[ProviderFactory] = Registry("provider")
        self.renderers: Registry[RendererFactory] = Registry("renderer")
        self.commands: Registry[Command] = Registry("command")
        self.tools: Registry[ToolFactory] = Registry("tool box")
        self._off = frozenset(off)
        self._records: dict[str, PluginRecord] = {}
        self._blamed: set[tuple[str, str]] = set()
        self._searched = not installed
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        for name, module in BUILTINS.items():
            self._load(name, "agno-shell", _own_version(), module, partial(import_module, module))

    # Find and load ----------------------------------------------------------------------

    def load_installed(self) -> frozenset[str]:
        """Find and load the plugins of other distributions; once, however often called,
        and not at all if ``installed`` is false. Returns the names of the new ones."""
        if self._searched:
            return frozenset()
        before = set(self._records)
        self._searched = True
        from importlib.metadata import entry_points

        for entry in entry_points(group=hookspecs.GROUP):
            distribution = entry.dist.name if entry.dist else "unknown"
            version = entry.dist.version if entry.dist else ""
            self._load(entry.name, distribution, version, entry.module, entry.load)
        return frozenset(set(self._records) - before)

    def need(self, registry: Registry[R], name: str) -> R:
        """The item ``name``, searching the installed plugins only if it is not built in."""
        if name not in registry:
            self.load_installed()
        return registry.get(name)

    def rows(self) -> list[dict[str, Any]]:
        """What is known of every plugin, in the order of loading."""
        return [record.row() for record in self._records.values()]

    def _load(
        self, name: str, distribution: str, version: str, module: str, load: Callable[[], object]
    ) -> None:
        record = PluginRecord(name, distribution, version, module)
        if name in self._records:
            self._blame(record, "load", f"a plugin called {name!r} is loaded already")
            return
        self._records[name] = record
        if name in self._off:
            return
        started = time.perf_counter()
        try:
            plugin = load()
            self._check(plugin)
            self._manager.register(plugin, name)
            self._check_hooks(plugin, record)
        # A plugin may even call sys.exit() at import; none of that ends the shell.
        except (Exception, SystemExit) as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            record.state = "failed"
            self._blame(record, "load", _reason(error))
        else:
            record.state = "on"
            self._collect(record)
        record.load_seconds = time.perf_counter() - started

    def _check(self, plugin: object) -> None:
        """Refuse what could never be called, in words that its author understands."""
        if not isinstance(plugin, ModuleType) and inspect.isclass(plugin):
            raise PluginError("the entry point names a class; it must name a module")
        for name, function in inspect.getmembers(plugin, inspect.isroutine):
            options = getattr(function, f"{hookspecs.GROUP}_impl", None)
            if not options:
                continue
            if inspect.iscoroutinefunction(function):
                raise PluginError(f"hook {name} is a coroutine; hooks are plain functions")
            if options.get("hookwrapper") or options.get("wrapper"):
                raise PluginError(f"hook {name} is a wrapper; every plugin is called on its own")

    def _check_hooks(self, plugin: object, record: PluginRecord) -> None:
        for caller in self._manager.get_hookcallers(plugin) or ():
            if not caller.has_spec():
                raise PluginError(f"there is no hook called {caller.name}")
            if not caller.name.startswith("register_"):
                record.provides.append(f"hook {caller.name}")

    def _collect(self, record: PluginRecord) -> None:
        for hook, registry, kind in (
            ("register_storages", self.storages, StorageFactory),
            ("register_providers", self.providers, ProviderFactory),
            ("register_renderers", self.renderers, RendererFactory),
            ("register_commands", self.commands, Command),
            ("register_tools", self.tools, ToolFactory),
        ):
            add = partial(self._add, kind=kind, registry=registry, record=record, hook=hook)
            self._each(hook, {}, add, only=(record.name,))

    def _add(
        self, items: Any, *, kind: type, registry: Registry[Any], record: PluginRecord, hook: str
    ) -> None:
        for item in items if isinstance(items, list | tuple) else [items]:
            if not isinstance(item, kind):
                wrong = f"it returned {type(item).__name__}, not {kind.__name__}"
                self._blame(record, hook, wrong)
                continue
            try:
                registry.add(item, record)
            except PluginError as error:
                self._blame(record, hook, str(error))

    # Isolate and blame ------------------------------------------------------------------

    def _blame(self, record: PluginRecord, where: str, reason: str) -> None:
        record.error = f"{where}: {reason}"
        if (record.name, where) in self._blamed:
            return
        self._blamed.add((record.name, where))
        self.report(
            f"Plugin {record} failed in {where}: {reason}. It was skipped; "
            f'[plugins] off = ["{record.name}"] in the configuration switches it off.'
        )

    @contextmanager
    def _guard(self, name: str, hook: str) -> Iterator[None]:
        try:
            yield
        # A plugin may even call sys.exit() in a hook; none of that ends the shell.
        except (Exception, SystemExit) as error:
            self._blame(self._records[name], hook, _reason(error))

    def _each(
        self,
        hook: str,
        arguments: Mapping[str, Any],
        take: Callable[[Any], None] = lambda _result: None,
        *,
        only: Collection[str] | None = None,
    ) -> None:
        """Call each plugin's ``hook`` on its own; ``take`` gets each result but None.

        ``arguments`` is read anew for each plugin, so that ``take`` may change it.
        """
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            name = implementation.plugin_name
            if only is not None and name not in only:
                continue
            with self._guard(name, hook):
                result = implementation.function(
                    *(arguments[argument] for argument in implementation.argnames)
                )
                if result is not None:
                    take(result)

    # One method for each hook -----------------------------------------------------------

    def shell_started(self, context: CommandContext) -> None:
        self._each("on_shell_started", {"context": context})

    def shell_stopped(self, context: CommandContext) -> None:
        self._each("on_shell_stopped", {"context": context})

    def session_opened(self, session: Session, only: Collection[str] | None = None) -> None:
        """``only``: tell no more than the plugins of these names."""
        self._each("on_session_opened", {"session": session}, only=only)

    def turn_started(self, session: Session, request: Request) -> None:
        self._each("on_turn_started", {"session": session, "request": request})

    def message_saved(self, session: Session, message: Message) -> None:
        self._each("on_message_saved", {"session": session, "message": message})

    def turn_finished(self, session: Session, reply: Message) -> None:
        self._each("on_turn_finished", {"session": session, "reply": reply})

    def prepare_request(self, session: Session | None, request: Request) -> Request:
        """What is sent after every plugin has seen it, one after the other.

        ``session`` is None for a one-shot question, which belongs to none.
        """
        arguments: dict[str, Any] = {"session": session, "request": request}

        def take(changed: Any) -> None:
            if type(changed) is not type(request):
                raise PluginError(f"it returned {type(changed).__name__}, not Request")
            for message in changed.messages:
                if not isinstance(message, Message):
                    wrong = type(message).__name__
                    raise PluginError(f"it returned a Request with {wrong} as a message")
            arguments["request"] = changed

        self._each("prepare_request", arguments, take)
        changed: Request = arguments["request"]
        return changed

    def toolbar_items(self, view: ToolbarView) -> list[ToolbarItem]:
        """Every plugin's words for the toolbar, leftmost first."""
        items: list[ToolbarItem] = []

        def take(returned: Any) -> None:
            for item in returned:
                if not isinstance(item, ToolbarItem):
                    raise PluginError(f"it returned {type(item).__name__}, not ToolbarItem")
                for value, kind in zip(item, (str, str, int), strict=True):
                    if not isinstance(value, kind):
                        raise PluginError(f"it returned an item with {value!r} as {kind.__name__}")
                items.append(item)

        self._each("toolbar_items", {"view": view}, take)
        return sorted(items, key=lambda item: item.order)


def _own_version() -> str:
    from agno_shell import __version__

    return __version__


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"
