"""The composition root of the chat: the one place that builds the shell from its parts."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from agno_shell.app import parts
from agno_shell.base.paths import Paths
from agno_shell.config import settings
from agno_shell.types import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agno_shell.base.options import CommonOptions
    from agno_shell.config import Config
    from agno_shell.contracts import Renderer, Storage
    from agno_shell.conversation.engine import Engine
    from agno_shell.conversation.models import Models
    from agno_shell.plugins.manager import Plugins
    from agno_shell.shell.frontend import Frontend
    from agno_shell.shell.loop import Shell


def chat(
    common: CommonOptions,
    *,
    session: str | None = None,
    new: str | None = None,
    agent: str | None = None,
    facts: Mapping[str, Any] = NOTHING,
) -> int:
    """The shell, until the user leaves; the exit status.

    ``session``: a reference to the session to open; None: the current one. ``new``: the name of a
    session to make first; an empty one asks for the default name. ``facts`` are for the model.
    """
    from agno_shell.app import ending

    _dump_no_core()
    paths, config = parts.configure(common)
    return ending.run(_chat(common, paths, config, session, new, agent, facts))


def _capable(environ: Mapping[str, str]) -> bool:
    """Whether a user sits at a terminal on which a cursor can be moved."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return sys.platform == "win32" or environ.get("TERM", "dumb").lower() not in ("dumb", "unknown")


def collect_garbage() -> None:
    """From here on the process may run for days. What was made until now stays for good,
    so the collector need not look at it: that would stop the keys for 10 ms and more."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _dump_no_core() -> None:
    """The memory of this process holds the keys of the environment, and all messages."""
    try:
        import resource

        _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    except (ImportError, OSError, ValueError):  # not on this system
        pass


# The shell --------------------------------------------------------------------------------


async def _chat(
    common: CommonOptions,
    paths: Paths,
    config: Config,
    session: str | None,
    new: str | None,
    agent: str | None,
    facts: Mapping[str, Any],
) -> int:
    plugins = parts.plugins_of(config, common)
    storage = parts.open_storage(config, paths, common, plugins)
    models = parts.models_of(config, paths, plugins)
    terminal = _capable(os.environ)
    styled = terminal and not os.environ.get("NO_COLOR")
    renderer = parts.renderer_of(config, plugins, styled=styled)
    frontend = _terminal_frontend(config, paths) if terminal else _line_frontend()
    # What can be wrong with the parts was reported. The engine is a quarter of all that is
    # imported, and a user who has the prompt can type already, or end the program.
    early = await _shown(frontend)
    try:
        engine = _engine(common, paths, config, plugins, storage, models, facts)
        shell = _shell(common, paths, config, engine, frontend, renderer)
    except BaseException:
        await frontend.stop()
        raise
    for number in early:
        shell.leaving.must(number)
    collect_garbage()
    # Python hands the interpreter from one thread to another every 5 ms; the storage's
    # thread would wait that long for a frame to be drawn before it saves a message.
    sys.setswitchinterval(0.001)
    from agno_shell.shell.first_session import FirstSession

    given = common.overrides
    try:
        return await shell.run(
            FirstSession(
                session,
                new,
                agent,
                given.get("provider.model"),
                given.get("provider.api_base"),
                given.get("provider.reasoning"),
            )
        )
    finally:
        try:
            await engine.tools.close()
            await models.close()
        finally:
            await engine.reader.abandon()
            await engine.store.close()


async def _shown(frontend: Frontend) -> Sequence[int]:
    """Let the user type; the signals to end that come before the shell takes them itself."""
    from agno_shell.shell.frontend import take_signals

    early: list[int] = []
    if not frontend.is_script:
        take_signals(early.append)
    await frontend.show()
    return early


def _engine(
    common: CommonOptions,
    paths: Paths,
    config: Config,
    plugins: Plugins,
    storage: Storage,
    models: Models,
    facts: Mapping[str, Any],
) -> Engine:
    from agno_shell.conversation.engine import Engine
    from agno_shell.conversation.store import StoreThread

    return Engine(
        StoreThread(lambda: storage),
        models,
        plugins,
        config,
        tool_registry=parts.tool_registry_of(config, paths, plugins),
        reader=StoreThread(lambda: parts.open_storage(config, paths, common, plugins)),
        facts=facts,
    )


def _shell(
    common: CommonOptions,
    paths: Paths,
    config: Config,
    engine: Engine,
    frontend: Frontend,
    renderer: Renderer,
) -> Shell:
    from agno_shell import __version__
    from agno_shell.config import new_agent, remember
    from agno_shell.shell.loop import Shell

    return Shell(
        engine,
        frontend,
        renderer,
        config,
        remember=lambda values: remember(paths, values),
        new_agent=lambda name, table: new_agent(paths, name, table),
        greeting=f"agno-shell {__version__} · /help lists the commands · Ctrl-D leaves",
        examine=lambda repair: parts.examine(common, engine.plugins, repair=repair),
        entered_dir=paths.entered_dir,
    )


def _terminal_frontend(config: Config, paths: Paths) -> Frontend:
    from agno_shell.shell.history import InputHistory
    from agno_shell.shell.terminal import open_input, open_output
    from agno_shell.shell.terminal_frontend import TerminalFrontend

    return TerminalFrontend(
        open_input(),
        open_output(),
        history=InputHistory(paths.history_file if config[settings.SHELL_HISTORY] else None),
        toolbar=config[settings.SHELL_TOOLBAR],
        vi=config[settings.SHELL_EDITING_MODE] == "vi",
    )


def _line_frontend() -> Frontend:
    import io

    from agno_shell.shell.line_frontend import LineFrontend

    # A reader of its own: the interpreter cannot end while a thread is in sys.stdin's.
    source = (
        io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
        if sys.stdin
        else io.BytesIO()
    )
    return LineFrontend(source, sys.stdout, ask=bool(sys.stdin) and sys.stdin.isatty())
