"""Everything but the provider and the storage: quick, and nothing is contacted."""

from __future__ import annotations

import codecs
import locale
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from agno_shell.config import settings
from agno_shell.diagnosis import rights
from agno_shell.diagnosis.subject import Subject
from agno_shell.errors import AgnoShellError
from agno_shell.plugins.registries import Registry
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.toolkit.nearest import nearest
from agno_shell.types import Finding

IN_FILE = "configuration"
"""Where something is wrong whose sentence names file, line and key itself."""


def surroundings(subject: Subject, *, repair: bool = False) -> Iterator[Finding]:
    """What is wrong with the configuration, the plugins, the files beside the storage and
    the locale; with ``repair`` the rights of files are set."""
    yield from _written(subject)
    yield from _plugins(subject)
    yield from _named(subject)
    yield from _selected(subject)
    yield from _files(subject, repair=repair)
    yield from _locale()


def configuration(subject: Subject) -> Iterator[Finding]:
    """What is wrong with what the configuration says, and whether what it names is there:
    plugins, a storage, a provider, a renderer and its theme, tool boxes."""
    for error in subject.problems:
        yield finding_of(error, IN_FILE)
    if subject.all_plugins:
        subject.plugins.load_installed()
    yield from _named(subject)
    yield from _selected(subject)


def finding_of(error: AgnoShellError, where: str) -> Finding:
    """An error as a finding."""
    return Finding(where, str(error), error.hint)


def _written(subject: Subject) -> Iterator[Finding]:
    for error in subject.problems:
        yield finding_of(error, IN_FILE)
    for warning in subject.config.warnings:
        yield Finding("environment", warning)


def _plugins(subject: Subject) -> Iterator[Finding]:
    if subject.all_plugins:
        subject.plugins.load_installed()
    for row in subject.plugins.rows():
        if row["error"]:
            yield Finding(
                f"plugin {row['name']} ({row['distribution']} {row['version']})",
                f"It failed in {row['error']}.",
                f'Mend or remove it, or switch it off with [plugins] off = ["{row["name"]}"].',
            )


def _named(subject: Subject) -> Iterator[Finding]:
    """Whether the plugins that the configuration names are installed."""
    if not subject.all_plugins:
        return  # which names are those of installed plugins is not known
    names = [row["name"] for row in subject.plugins.rows()]
    config = subject.config
    for name in config[settings.PLUGINS_OFF]:
        if name not in names:
            yield Finding(
                config.source(settings.PLUGINS_OFF),
                f'plugins.off names "{name}", and no plugin of this name is installed.',
                _meant(name, names),
            )
    for name in config.plugin_tables:
        if name not in names:
            yield Finding(
                f"[plugins.{name}]",
                "No plugin of this name is installed.",
                _meant(name, names),
                note=True,
            )


def _meant(name: str, names: list[str]) -> str:
    near = nearest(name, names)
    return f'Did you mean "{near}"?' if near else "agno-shell plugins lists them."


def _selected(subject: Subject) -> Iterator[Finding]:
    """Whether what the configuration selects is there."""
    plugins, config = subject.plugins, subject.config
    selected: tuple[tuple[Registry[Any], settings.Setting[str]], ...] = (
        (plugins.storages, settings.STORAGE_PLUGIN),
        (plugins.providers, settings.PROVIDER_PLUGIN),
        (plugins.renderers, settings.RENDERER_PLUGIN),
    )
    for registry, setting in selected:
        if not config[setting]:  # whichever fits is taken
            continue
        try:
            plugins.need(registry, config[setting])
        except AgnoShellError as error:
            yield finding_of(error, config.source(setting))
    for name in config[settings.TOOLS_ON]:
        box = name.partition(".")[0]
        try:
            plugins.need(plugins.tools, box)
        except AgnoShellError as error:
            yield finding_of(error, config.source(settings.TOOLS_ON))
    if config[settings.RENDERER_PLUGIN] in plugins.renderers:
        try:
            subject.open_renderer()
        except AgnoShellError as error:
            yield finding_of(error, "renderer")
        # A renderer may come from any plugin; a bug in it is a finding as well.
        except BaseException as error:
            let_through(error)
            yield Finding("renderer", f"It could not be opened: {reason_of(error)}.")


def _files(subject: Subject, *, repair: bool) -> Iterator[Finding]:
    paths = subject.paths
    config_folder = os.path.dirname(paths.shell_config_file)
    state_folder = os.path.dirname(paths.history_file)
    folders = dict.fromkeys((config_folder, state_folder, paths.log_dir, paths.cache_dir))
    for folder in folders:
        yield from rights.private(folder, repair=repair)
    if os.path.dirname(subject.config_file) == config_folder:
        yield from rights.private(subject.config_file, repair=repair)
    else:  # a file that the user chose may be one that several users read
        yield from rights.unchanged_by_others(subject.config_file)
    yield from rights.private(paths.shell_config_file, repair=repair)
    kept = [(config_folder, "no choice can be remembered")]
    if subject.config[settings.SHELL_HISTORY]:
        purpose = "what is typed is not remembered"
        yield from rights.regular(paths.history_file, purpose)
        yield from rights.private(paths.history_file, repair=repair)
        kept.append((state_folder, purpose))
    with suppress(OSError):
        for name in sorted(os.listdir(paths.log_dir)):
            yield from rights.private(os.path.join(paths.log_dir, name), repair=repair)
    kept += [(paths.log_dir, "no log is kept"), (paths.cache_dir, "searching takes longer")]
    yield from rights.writable(kept)


def _locale() -> Iterator[Finding]:
    encoding = locale.getpreferredencoding(False)
    if codecs.lookup(encoding).name != "utf-8":
        yield Finding(
            "locale",
            f"The terminal is written to in {encoding}; what that lacks is shown as a"
            " question mark.",
            "A UTF-8 locale shows everything: LC_ALL=C.UTF-8.",
            note=True,
        )
