"""The parts that the program is built from, each made as the configuration says.

Everything is imported where it is used, because each command line needs only some of them.
"""

from __future__ import annotations

import os
import sys
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from agno_shell.base.paths import Paths, find_paths
from agno_shell.base.program_log import timed
from agno_shell.config import load_config, settings
from agno_shell.toolkit import owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from agno_shell.base.options import CommonOptions
    from agno_shell.config import Config
    from agno_shell.contracts import (
        Provider,
        ProviderFactory,
        Renderer,
        Storage,
        ToolBox,
        ToolFactory,
    )
    from agno_shell.conversation.models import Models
    from agno_shell.conversation.tools.tool_registry import ToolRegistry
    from agno_shell.diagnosis.subject import Subject
    from agno_shell.errors import ConfigError
    from agno_shell.plugins.manager import Plugins
    from agno_shell.types import Finding

T = TypeVar("T")

PROVIDERS = ("direct", "litellm")
"""Who answers where no provider is configured: the first that has the model."""

DEFAULT_STORAGE = "json"
DEFAULT_STORAGE_OPENER = ("agno_shell.builtin.json_storage.store", "open_storage")
"""Opening the default storage by name spares the one-shot commands the plugin manager."""


def read(options: CommonOptions) -> tuple[Paths, Config]:
    """Where everything is, and the configuration; without its warnings. Raises
    ``ConfigError`` where it is wrong."""
    paths = find_paths(os.environ)
    loaded = load_config(
        paths, file=options.config_file, environ=os.environ, overrides=options.overrides
    )
    return paths, loaded


def configure(options: CommonOptions) -> tuple[Paths, Config]:
    """The same, with warnings printed."""
    paths, loaded = read(options)
    for warning in loaded.warnings:
        warn(warning)
    config_file = options.config_file or paths.config_file
    configuration = (config_file, os.path.dirname(os.path.abspath(config_file)))
    remarks = owners.remarks((loaded.storage_path,), (*configuration, paths.shell_config_file))
    for remark in islice(remarks, 1):  # they have one cause, and the doctor names each
        warn(remark)
    return paths, loaded


def warn(sentence: str) -> None:
    from contextlib import suppress

    from agno_shell.toolkit.terminal_text import clean_line

    with suppress(OSError):  # a warning that cannot be written does not end the command
        print(f"agno-shell: {clean_line(sentence, 1000)}", file=sys.stderr)  # noqa: T201


def plugins_of(config: Config, options: CommonOptions) -> Plugins:
    from agno_shell.plugins.manager import Plugins

    off: tuple[str, ...] = config[settings.PLUGINS_OFF]
    return Plugins(
        off=off,
        installed=not options.no_plugins,
        seconds=config[settings.PLUGINS_SECONDS],
        report=warn,
    )


def open_storage(
    config: Config,
    paths: Paths,
    options: CommonOptions,
    plugins: Plugins | None = None,
    *,
    name: str | None = None,
    path: str | None = None,
) -> Storage:
    """The configured storage, or the one called ``name``, at ``path`` if that is given."""
    from importlib import import_module

    from agno_shell.contracts.storage import StorageOptions

    name = name or config[settings.STORAGE_PLUGIN]
    given = StorageOptions(
        path or config.storage_path, config.plugin_settings(name), warn, paths.cache_dir
    )
    if plugins is None and name == DEFAULT_STORAGE and name not in config[settings.PLUGINS_OFF]:
        module, opener = DEFAULT_STORAGE_OPENER
        # Imported in there: it is a part of opening it.
        opened: Storage = timed(
            __name__,
            "storage opened",
            lambda: getattr(import_module(module), opener)(given),
            name=name,
        )
        return opened
    plugins = plugins or plugins_of(config, options)
    if plugins is not None:
        given = given._replace(notice=lambda line: plugins.report(line))
    factory = plugins.need(plugins.storages, name)
    return _opened("storage", name, plugins.storages.owner(name), lambda: factory.open(given))


def _opened(kind: str, name: str, owner: str, open_it: Callable[[], T]) -> T:
    """What a factory makes; ``PluginError`` that names it, whatever it raises."""
    from agno_shell.errors import AgnoShellError, PluginError
    from agno_shell.toolkit.guarding import let_through, reason_of

    try:
        return timed(__name__, f"{kind} opened", open_it, name=name, plugin=owner)
    except AgnoShellError:
        raise
    except BaseException as error:
        let_through(error)
        raise PluginError(
            f"The {kind} {name!r} of the plugin {owner} cannot be opened: {reason_of(error)}.",
            hint=f"[{kind}] plugin in the configuration chooses another one.",
        ) from error


def models_of(config: Config, paths: Paths, plugins: Plugins) -> Models:
    from agno_shell.contracts import ProviderOptions
    from agno_shell.conversation.models import OFFLINE, Models
    from agno_shell.toolkit.durations import seconds_of

    def open_provider(factory: ProviderFactory) -> Provider:
        options = ProviderOptions(
            settings=config.plugin_settings(plugins.providers.owner(factory.name)),
            limits=config.limits(),
            api_base=config[settings.PROVIDER_API_BASE] or None,
            api_key_env=config[settings.PROVIDER_API_KEY_ENV] or None,
            log=os.path.join(paths.log_dir, f"{factory.name}.log"),
            keep_warm=seconds_of(config[settings.PROVIDER_KEEP_WARM]),
            runtime_dir=paths.runtime_dir,
        )
        return timed(__name__, "provider opened", lambda: factory.open(options), name=factory.name)

    preferred, *others = (plugins.need(plugins.providers, name) for name in providers_of(config))
    return Models(
        preferred,
        plugins.need(plugins.providers, OFFLINE),
        open_provider,
        default=config[settings.PROVIDER_MODEL] or None,
        environ=os.environ,
        others=others,
        api_base=config[settings.PROVIDER_API_BASE] or None,
    )


def providers_of(config: Config) -> tuple[str, ...]:
    """The provider that is configured; else those that are there anyway, the quickest first,
    without the ones that are switched off."""
    if name := config[settings.PROVIDER_PLUGIN]:
        return (name,)
    off = config[settings.PLUGINS_OFF]
    return tuple(name for name in PROVIDERS if name not in off) or PROVIDERS


def tool_registry_of(config: Config, paths: Paths, plugins: Plugins) -> ToolRegistry:
    from agno_shell.contracts import ToolOptions
    from agno_shell.conversation.tools.tool_registry import ToolRegistry

    def open_box(factory: ToolFactory) -> ToolBox:
        table = config.plugin_settings(plugins.tools.owner(factory.name))
        log = os.path.join(paths.log_dir, f"{factory.name}.log")
        options = ToolOptions(table, log)
        return timed(__name__, "tool box opened", lambda: factory.open(options), name=factory.name)

    on: tuple[str, ...] = config[settings.TOOLS_ON]
    return ToolRegistry(
        plugins.tools.all,
        open_box,
        on=on,
        seconds=config[settings.TOOLS_SECONDS],
        output_bytes=config[settings.TOOLS_OUTPUT_BYTES],
        report=lambda line: plugins.report(line),
    )


def renderer_of(config: Config, plugins: Plugins, *, styled: bool) -> Renderer:
    from agno_shell.contracts import RendererOptions

    name = config[settings.RENDERER_PLUGIN] if styled else "plain"
    factory = plugins.need(plugins.renderers, name)
    table = config.plugin_settings(plugins.renderers.owner(name))
    given = RendererOptions(config[settings.RENDERER_THEME], table)
    return _opened("renderer", name, plugins.renderers.owner(name), lambda: factory.open(given))


def subject_of(options: CommonOptions, plugins: Plugins | None = None) -> Subject:
    """What a check looks at, with the configuration as it is now. A wrong one does not end
    the check: what is right in it is used."""
    from agno_shell.diagnosis.subject import Subject

    paths = find_paths(os.environ)
    problems: list[ConfigError] = []
    config = load_config(
        paths,
        file=options.config_file,
        environ=os.environ,
        overrides=options.overrides,
        problem=problems.append,
    )
    found = plugins or plugins_of(config, options)
    return Subject(
        paths,
        os.path.abspath(options.config_file) if options.config_file else paths.config_file,
        config,
        problems,
        found,
        all_plugins=not options.no_plugins,
        open_storage=lambda: open_storage(config, paths, options, found),
        open_models=lambda: models_of(config, paths, found),
        open_renderer=lambda: renderer_of(config, found, styled=True),
    )


def examine(options: CommonOptions, plugins: Plugins, *, repair: bool) -> list[Finding]:
    """What is wrong around the parts that a running shell uses."""
    from agno_shell.diagnosis.surroundings import surroundings

    return list(surroundings(subject_of(options, plugins), repair=repair))
