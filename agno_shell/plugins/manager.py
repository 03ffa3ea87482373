"""Find, allow, load, isolate, blame: every plugin, built in or installed.

Each plugin is called on its own, inside a guard and in a thread of its own. One that cannot
be imported, that raises in a hook or does not come back from it, is named with its
distribution and skipped; the rest goes on.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

from agno_shell import hookspecs
from agno_shell.base.program_log import note
from agno_shell.contracts import (
    Command,
    CommandContext,
    ProviderFactory,
    RendererFactory,
    StorageFactory,
    Subcommand,
    ToolbarItem,
    ToolbarView,
    ToolFactory,
)
from agno_shell.errors import PluginError, ProviderError, UsageError
from agno_shell.plugins.hook_calls import HookCalls, HookTimeoutError, Implementation
from agno_shell.plugins.registries import PluginRecord, R, Registry, ToolbarWords
from agno_shell.toolkit.guarding import let_through, reason_of, text_of
from agno_shell.types import Message

if TYPE_CHECKING:
    from agno_shell.events import Request
    from agno_shell.plugins.distributions import InstalledEntryPoint
    from agno_shell.types import Session

BUILTINS: Mapping[str, str] = {
    "direct": "agno_shell.builtin.direct_provider.plugin",
    "json": "agno_shell.builtin.json_storage.plugin",
    "litellm": "agno_shell.builtin.litellm_provider.plugin",
    "offline": "agno_shell.builtin.offline_provider",
    "plain": "agno_shell.builtin.plain_renderer",
    "pygments": "agno_shell.builtin.pygments_renderer.plugin",
    "commands": "agno_shell.builtin.commands.plugin",
    "subcommands": "agno_shell.cli.subcommands",
}
"""Plugin name to module. They are loaded by name like any other, only without a search."""

LATE = ("commands", "subcommands")
"""Those that start-up does not wait for: nothing is typed before the prompt is shown."""

HOOK_SECONDS = 5.0
"""Seconds that a hook may take, unless the configuration has another value."""


class Plugins:
    """All plugins of one run, and one typed method for each hook."""

    def __init__(
        self,
        *,
        off: Collection[str] = (),
        installed: bool = True,
        seconds: float = HOOK_SECONDS,
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.report = report
        """Gets one line for each plugin that fails; may be replaced while running."""
        self.storages: Registry[StorageFactory] = Registry("storage")
        self.providers: Registry[ProviderFactory] = Registry("provider")
        self.renderers: Registry[RendererFactory] = Registry("renderer")
        self._commands: Registry[Command] = Registry("command")
        self.subcommands: Registry[Subcommand] = Registry("subcommand")
        self.tools: Registry[ToolFactory] = Registry("tool box")
        self._off = frozenset(off)
        self._records: dict[str, PluginRecord] = {}
        self._blamed: set[tuple[str, str]] = set()
        self.hooks = HookCalls(seconds, self._hook_failed)
        self._toolbar = ToolbarWords()
        self.toolbar_changed: Callable[[], object] = lambda: None
        """Called, in any thread, when a plugin has other words for the toolbar."""
        self.loading: tuple[PluginRecord, float] | None = None
        """The plugin that is being loaded, and since when on ``time.monotonic()``."""
        self._searched = not installed
        self._loaded_alone: InstalledEntryPoint | None = None
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        for name in BUILTINS:
            if name not in LATE:
                self._load_builtin(name)
        self._late = list(LATE)
        self._loading_late = Lock()

    # Find and load ----------------------------------------------------------------------

    @property
    def commands(self) -> Registry[Command]:
        self._load_late()
        return self._commands

    def _load_builtin(self, name: str) -> None:
        from agno_shell import __version__

        module = BUILTINS[name]
        self._load(name, "agno-shell", __version__, module, partial(import_module, module))

    def _load_late(self) -> None:
        with self._loading_late:  # a thread loads plugins while the first command is typed
            while self._late:
                self._load_builtin(self._late[0])
                del self._late[0]

    def load_installed(self) -> frozenset[str]:
        """Find and load the plugins of other distributions; once, however often called,
        and not at all if ``installed`` is false. Returns the names of the new ones."""
        if self._searched:
            return frozenset()
        self._load_late()  # a name belongs to the first
        before = set(self._records)
        self._searched = True
        # The order must not depend on where they are installed: a name belongs to the first.
        found = list(self._installed(lambda line: self.report(line)))
        for each in sorted(found, key=lambda each: (each.distribution.lower(), each.name)):
            if self._loaded_alone is None or each != self._loaded_alone:
                self._load(each.name, each.distribution, each.version, each.module, each.entry.load)
        return frozenset(set(self._records) - before)

    def _load_alone(self, name: str) -> None:
        """Load the installed plugin that has the same name as the item that is needed, as most
        have, and no other: listing sessions must wait for the storage's plugin alone."""
        if self._searched or self._loaded_alone is not None or name in self._records:
            return
        # What is wrong with others is reported when they are loaded.
        for each in self._installed(lambda _line: None):
            if each.name == name:
                self._loaded_alone = each
                self._load(each.name, each.distribution, each.version, each.module, each.entry.load)
                return

    def _installed(self, problem: Callable[[str], None]) -> Iterator[InstalledEntryPoint]:
        from agno_shell.plugins.distributions import entry_points_of

        return entry_points_of(hookspecs.GROUP, problem)

    @property
    def has_installed(self) -> bool:
        """Whether any plugin is loaded that is not built in."""
        return any(
            record.state == "on" for name, record in self._records.items() if name not in BUILTINS
        )

    def owner_of(self, module: str) -> str:
        """The plugin, not built in, to which a module belongs, as users see it; empty:
        none. Packages of the same distribution are not known, and so are nobody's."""
        top = module.partition(".")[0]
        for name, record in list(self._records.items()):
            if name not in BUILTINS and record.module.partition(".")[0] == top:
                return str(record)
        return ""

    def need(self, registry: Registry[R], name: str) -> R:
        """The item ``name``, searching the installed plugins only if it is not built in."""
        if name not in registry:
            self._load_alone(name)
        if name not in registry:
            self.load_installed()
        return registry.get(name)

    def rows(self) -> list[dict[str, Any]]:
        """What is known of every plugin, in the order of loading."""
        self._load_late()
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
        self.loading = record, time.monotonic()
        try:
            plugin = load()
            self._check(plugin)
            self._manager.register(plugin, name)
            self._check_hooks(plugin, record)
        # A plugin may even call sys.exit() at import; none of that ends the shell.
        except BaseException as error:
            let_through(error)
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            record.state = "failed"
            self._blame(record, "load", _reason(error), error)
        else:
            record.state = "on"
            self._collect(record)
        finally:
            self.loading = None
        record.load_seconds = time.perf_counter() - started
        if record.state == "on":
            note(__name__, "plugin loaded", plugin=record, seconds=record.load_seconds)

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
            ("register_commands", self._commands, Command),
            ("register_subcommands", self.subcommands, Subcommand),
            ("register_tools", self.tools, ToolFactory),
        ):
            for each in self._implementations(hook, (record.name,)):
                with self._guard(record.name, hook):
                    if (items := each({})) is not None:
                        self._add(items, kind, registry, record, hook)

    def _add(
        self, items: Any, kind: type, registry: Registry[Any], record: PluginRecord, hook: str
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

    def _blame(
        self, record: PluginRecord, where: str, reason: str, error: BaseException | None = None
    ) -> None:
        record.error = f"{where}: {reason}"
        if (record.name, where) in self._blamed:
            return
        self._blamed.add((record.name, where))
        what = "hook late" if isinstance(error, HookTimeoutError) else "plugin failed"
        note(__name__, what, problem=error, bad=True, plugin=record, hook=where)
        self.report(
            f"Plugin {record} failed in {where}: {reason}. It was skipped; "
            f'[plugins] off = ["{record.name}"] in the configuration switches it off.'
        )

    @contextmanager
    def _guard(self, name: str, hook: str) -> Iterator[None]:
        try:
            yield
        # A plugin may even call sys.exit() in a hook; none of that ends the shell.
        except BaseException as error:
            let_through(error)
            self._hook_failed(name, hook, error)

    def _hook_failed(self, name: str, hook: str, error: BaseException) -> None:
        self._blame(self._records[name], hook, _reason(error), error)

    def _tell(
        self, hook: str, arguments: Mapping[str, Any], only: Collection[str] | None = None
    ) -> None:
        """Call each plugin's ``hook`` in the plugin's own thread, in the order of asking;
        nobody waits."""
        for each in self._implementations(hook, only):
            self.hooks.notify(each, arguments)

    def _implementations(
        self, hook: str, only: Collection[str] | None = None
    ) -> list[Implementation]:
        """In the order of calling: what says ``tryfirst``, what says neither, what says
        ``trylast``; in each of these what is built in, then by distribution and name."""
        found = [
            each
            for each in getattr(self._manager.hook, hook).get_hookimpls()
            if only is None or each.plugin_name in only
        ]
        return [
            Implementation(each.plugin_name, hook, each.function, tuple(each.argnames))
            for each in sorted(found, key=self._turn)
        ]

    def _turn(self, each: pluggy.HookImpl) -> tuple[int, bool, str, str]:
        name = each.plugin_name
        rank = each.trylast - each.tryfirst
        return rank, name not in BUILTINS, self._records[name].distribution.lower(), name

    # One method for each hook -----------------------------------------------------------

    def shell_started(self, context: Callable[[str], CommandContext]) -> None:
        """``context`` makes that of a plugin."""
        for each in self._implementations("on_shell_started"):
            self.hooks.notify(each, {"context": context(each.plugin)})

    def shell_stopped(self, context: Callable[[str], CommandContext]) -> None:
        for each in self._implementations("on_shell_stopped"):
            self.hooks.notify(each, {"context": context(each.plugin)})

    def session_opened(self, session: Session, only: Collection[str] | None = None) -> None:
        """``only``: notify the plugins of these names alone."""
        self._tell("on_session_opened", {"session": session}, only=only)

    def turn_started(self, session: Session, request: Request) -> None:
        self._tell("on_turn_started", {"session": session, "request": request})

    def message_saved(self, session: Session, message: Message) -> None:
        self._tell("on_message_saved", {"session": session, "message": message})

    def turn_finished(self, session: Session, reply: Message) -> None:
        self._tell("on_turn_finished", {"session": session, "reply": reply})

    async def prepare_request(self, session: Session | None, request: Request) -> Request:
        """What is sent after every plugin has seen it, one after the other.

        ``session`` is None for a one-shot question, which belongs to none. A plugin that
        fails here, or does not come back, may be one that hides what must not leave: nothing
        is to be sent then. Raises ProviderError that names it, of the kind ``plugin_failed``.
        UsageError is its veto: it becomes one with the same sentence, of the kind ``refused``.
        """
        from agno_shell.events import what_is_wrong

        hook = "prepare_request"
        for each in self._implementations(hook):
            try:
                changed = await self.hooks.ask(each, {"session": session, "request": request})
                if changed is not None:
                    if wrong := what_is_wrong(changed, request):
                        raise PluginError(wrong)  # noqa: TRY301 - as what it raises itself
                    request = changed
            except UsageError as error:
                raise ProviderError(str(error), hint=error.hint, kind="refused") from error
            # Whatever it is: a plugin may even raise what only an event loop or a user may.
            except BaseException as error:
                let_through(error)
                raise self._stopped_by(each.plugin, hook, error) from error
        return request

    def _stopped_by(self, plugin: str, hook: str, error: BaseException) -> ProviderError:
        record, reason = self._records[plugin], _reason(error)
        note(__name__, "request stopped", problem=error, plugin=record, hook=hook)
        record.error = f"{hook}: {reason}"
        return ProviderError(
            f"Nothing was sent: plugin {record} failed in {hook}: {reason.rstrip('.')}.",
            hint=f'[plugins] off = ["{record.name}"] in the configuration switches it off.',
            kind="plugin_failed",
        )

    def toolbar_items(self, view: ToolbarView) -> list[ToolbarItem]:
        """Every plugin's words for the toolbar, leftmost first, as they were last. Where
        ``view`` is another than before the plugins are asked, and :attr:`toolbar_changed`
        is called when they say something else."""
        if self._toolbar.view != view:
            self._toolbar.view = view
            for each in self._implementations("toolbar_items"):
                self.hooks.notify(each, {"view": view}, self._take_items)
        return self._toolbar.items()

    def _take_items(self, plugin: str, returned: Any) -> None:
        if self._toolbar.take(plugin, returned):
            self.toolbar_changed()


def _reason(error: BaseException) -> str:
    return text_of(error) if isinstance(error, PluginError) else reason_of(error)
