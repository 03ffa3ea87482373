"""The composition root: the one place that builds the program out of its parts.

Everything is imported where it is used, because each command line goes only one way:
``session --list`` needs neither plugins nor an event loop.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from agno_shell import parts, settings
from agno_shell.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agno_shell.config import Config
    from agno_shell.options import (
        ChatOptions,
        CommonOptions,
        DoctorOptions,
        MigrateOptions,
        QuickOptions,
        SearchOptions,
        SessionOptions,
    )
    from agno_shell.shell.front import Front

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

# One function for each command line -------------------------------------------------------


def chat(options: ChatOptions) -> int:
    """The shell, until the person leaves."""
    from agno_shell import ending

    _dump_no_core()
    paths, config = parts.configure(options.common)
    return ending.run(_chat(options, paths, config))


def quick(options: QuickOptions) -> int:
    """One question, of which nothing is saved; 130 when it was stopped."""
    from agno_shell import ending

    paths, config = parts.configure(options.common)
    return ending.run(_quick(options, paths, config))


def session(options: SessionOptions) -> int:
    """One action on the stored sessions."""
    from agno_shell.oneshot import sessions

    paths, config = parts.configure(options.common)
    with closing(parts.open_storage(config, paths, options.common)) as storage:
        sessions.run(storage, options, sys.stdout)
    return 0


def search(options: SearchOptions) -> int:
    """A search through every message; 1 when nothing was found."""
    from agno_shell.oneshot import search

    paths, config = parts.configure(options.common)
    with closing(parts.open_storage(config, paths, options.common)) as storage:
        return search.run(storage, options, sys.stdout, sys.stderr)


def doctor(options: DoctorOptions) -> int:
    """A look at everything that can be wrong; 1 when something is."""
    from agno_shell.oneshot import doctor

    return doctor.run(options, lambda: parts.subject_of(options.common), sys.stdout, sys.stderr)


def migrate(options: MigrateOptions) -> int:
    """Copy all sessions from one storage to another."""
    from agno_shell.oneshot import migrate

    paths, config = parts.configure(options.common)
    migrate.check(options, config.storage_path)
    plugins = parts.plugins_of(config, options.common)
    source = parts.open_storage(
        config, paths, options.common, plugins, name=options.source, path=options.source_path
    )
    with closing(source):
        target = parts.open_storage(
            config, paths, options.common, plugins, name=options.target, path=options.target_path
        )
        with closing(target):
            told: list[str] = []  # what a storage remarks belongs to the session in work
            plugins.report = told.append
            return migrate.run(source, target, options, sys.stdout, sys.stderr, told)


def plugins(options: CommonOptions, *, json: bool) -> int:
    """What is installed and what became of it."""
    from agno_shell.oneshot.plugins import list_plugins

    _paths, config = parts.configure(options)
    found = parts.plugins_of(config, options)
    if not options.no_plugins:
        found.load_installed()
    list_plugins(found.rows(), sys.stdout, json=json)
    return 0


def _capable(environ: Mapping[str, str]) -> bool:
    """Whether a person sits at a terminal on which a cursor can be moved."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return sys.platform == "win32" or environ.get("TERM", "dumb").lower() not in ("dumb", "unknown")


def _collect_garbage() -> None:
    """From here on the process may run for days. What was made until now stays for good,
    so the collector need not look at it: that would stop the keys for 10 ms and more."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _dump_no_core() -> None:
    """The memory of this process holds the keys of the environment, and all that was said."""
    try:
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    except (ImportError, OSError, ValueError):  # not on this system
        pass


# The shell --------------------------------------------------------------------------------


async def _chat(options: ChatOptions, paths: Paths, config: Config) -> int:
    from agno_shell import __version__
    from agno_shell.config import new_agent, remember
    from agno_shell.conversation.conversation import Conversation
    from agno_shell.conversation.store import StoreThread
    from agno_shell.shell.loop import Shell

    plugins = parts.plugins_of(config, options.common)
    storage = parts.open_storage(config, paths, options.common, plugins)
    store = StoreThread(lambda: storage)
    reader = StoreThread(lambda: parts.open_storage(config, paths, options.common, plugins))
    models = parts.models_of(config, paths, plugins)
    toolbelt = parts.toolbelt_of(config, paths, plugins)
    terminal = _capable(os.environ)
    front = _terminal_front(config, paths) if terminal else _line_front()
    shell = Shell(
        Conversation(
            store,
            models,
            plugins,
            config,
            toolbelt=toolbelt,
            reader=reader,
            facts=options.context,
        ),
        front,
        parts.renderer_of(config, plugins, styled=terminal and not os.environ.get("NO_COLOR")),
        config,
        remember=lambda values: remember(paths, values),
        new_agent=lambda name, table: new_agent(paths, name, table),
        greeting=f"agno-shell {__version__} · /help lists the commands · Ctrl-D leaves",
        examine=lambda repair: parts.examine(options.common, plugins, repair=repair),
        entered_dir=paths.entered_dir,
    )
    _collect_garbage()
    # Python hands the interpreter from one thread to another every 5 ms; the storage's
    # thread would wait that long for a frame to be drawn before it saves a message.
    sys.setswitchinterval(0.001)
    given = options.common.overrides
    try:
        return await shell.run(
            session=options.session,
            new=options.new,
            agent=options.agent,
            model=given.get("provider.model"),
            api_base=given.get("provider.api_base"),
            reasoning=given.get("provider.reasoning"),
        )
    finally:
        try:
            await toolbelt.close()
            await models.close()
        finally:
            await reader.abandon()
            await store.close()


def _terminal_front(config: Config, paths: Paths) -> Front:
    from agno_shell.shell.history import InputHistory
    from agno_shell.shell.terminal import open_input, open_output
    from agno_shell.shell.terminal_front import TerminalFront

    return TerminalFront(
        open_input(),
        open_output(),
        history=InputHistory(paths.history_file if config[settings.SHELL_HISTORY] else None),
        toolbar=config[settings.SHELL_TOOLBAR],
        vi=config[settings.SHELL_EDITING_MODE] == "vi",
    )


def _line_front() -> Front:
    import io

    from agno_shell.shell.line_front import LineFront

    # A reader of its own: the interpreter cannot end while a thread is in sys.stdin's.
    source = (
        io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
        if sys.stdin
        else io.BytesIO()
    )
    return LineFront(source, sys.stdout, ask=bool(sys.stdin) and sys.stdin.isatty())


# One question -----------------------------------------------------------------------------


async def _quick(options: QuickOptions, paths: Paths, config: Config) -> int:
    from agno_shell.conversation.stopping import Stop
    from agno_shell.oneshot.answer import Answer
    from agno_shell.oneshot.quick import Quick, interrupts, make_query, question

    piped = sys.stdin.buffer if sys.stdin and not sys.stdin.isatty() else None
    text = question(options.text, piped)
    plugins = parts.plugins_of(config, options.common)
    plugins.load_installed()  # a filter must see this request, too
    models = parts.models_of(config, paths, plugins)
    _collect_garbage()
    query = make_query(text, options, config, models)
    answer = Answer(
        sys.stdout,
        sys.stderr,
        parts.renderer_of(config, plugins, styled=False),
        as_json=options.json,
        trace=config[settings.SHELL_TRACE],
        metrics=config[settings.SHELL_METRICS],
    )
    stop = Stop()
    try:
        with interrupts(stop.set):
            whole = await Quick(query, plugins, answer, stop).ask()
    finally:
        await models.close()
    return 0 if whole else INTERRUPTED
