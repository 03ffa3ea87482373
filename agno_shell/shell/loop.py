"""The shell: what is typed becomes a command or a turn, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agno_shell.config import Agent, Config
from agno_shell.config.agents import make_agent
from agno_shell.contracts import Renderer
from agno_shell.conversation.engine import Engine
from agno_shell.shell.approval import Approval
from agno_shell.shell.background import BackgroundWork
from agno_shell.shell.completion import ShellCompleter
from agno_shell.shell.context import ShellApp, ShellContext, ShellUi
from agno_shell.shell.dispatch import Dispatch
from agno_shell.shell.driver import ShellDriver
from agno_shell.shell.entered_texts import EnteredTexts
from agno_shell.shell.exit import Exit
from agno_shell.shell.first_session import FirstSession, open_first
from agno_shell.shell.frontend import LEAVING_SIGNALS, Frontend, take_signals
from agno_shell.shell.keyboard import Keyboard
from agno_shell.shell.plugin_life import PluginLife
from agno_shell.shell.present import Presenter
from agno_shell.shell.reporting import report_to
from agno_shell.shell.session_monitor import SessionMonitor
from agno_shell.shell.status import Status
from agno_shell.shell.work import Work
from agno_shell.types import Finding

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


class Shell:
    """A user, an engine, and what happens between them."""

    def __init__(
        self,
        engine: Engine,
        frontend: Frontend,
        renderer: Renderer,
        config: Config,
        *,
        remember: Callable[[Mapping[str, Any]], None],
        new_agent: Callable[[str, Mapping[str, Any]], Agent] = make_agent,
        greeting: str,
        examine: Callable[[bool], Sequence[Finding]] = lambda _repair: (),
        entered_dir: str = "",
    ) -> None:
        self.engine = engine
        self.frontend = frontend
        self.presenter = presenter = Presenter(frontend, renderer)
        self.status = status = Status(engine, frontend, presenter, config)
        self.session_monitor = monitor = SessionMonitor(
            engine.open_session, engine.watch, frontend, presenter.notice, status.changed_elsewhere
        )
        status.added_elsewhere = lambda: monitor.added
        self.unsent = unsent = EnteredTexts(
            engine.open_session, engine.journal, frontend, entered_dir, presenter.notice
        )
        self.work = Work()
        self.background = BackgroundWork(engine, frontend, presenter, status, monitor)
        self.leaving = Exit(engine, frontend, presenter, status, unsent)
        app = ShellApp(
            engine,
            self.background,
            self.leaving,
            config,
            remember=remember,
            new_agent=new_agent,
            examine=examine,
        )
        self.context = ShellContext(engine, ShellUi(frontend, presenter, status.flags), app)
        self._dispatch = Dispatch(
            engine, self.context, frontend, presenter, self.work, self.background, self.leaving
        )
        engine.driver = ShellDriver(
            frontend,
            presenter,
            self.work,
            Approval(frontend, presenter),
            status,
            monitor,
            unsent,
            self.background,
            self.leaving,
        )
        self._greeting = greeting

    async def run(self, opening: FirstSession = FirstSession()) -> int:  # noqa: B008 - it holds nothing
        """Open a session, then take what is typed until the user leaves. Returns the exit
        status: see :attr:`Exit.exit_status`."""
        engine, frontend = self.engine, self.frontend
        report_to(self.presenter, engine, self.status.toolbar)
        take_signals(self.leaving.must)
        keyboard = Keyboard(frontend.keyboard)
        life = PluginLife(engine.plugins, self.context.of, keyboard, LEAVING_SIGNALS)
        commands = engine.plugins.commands
        await frontend.start(
            interrupted=self.interrupt,
            queue_changed=self.status.toolbar,
            completer=ShellCompleter(
                commands.by_every_name, lambda each: self.context.of(commands.owner(each.name))
            ),
        )
        try:
            if not await self._open(opening):
                engine.store.leave()
                return self.leaving.exit_status or INTERRUPTED
            self.background.start(life)
            while True:
                while not self.leaving.is_wanted and (text := await frontend.read()) is not None:
                    await self.handle(text)
                    self.unsent.after()
                if not await self.leaving.stays():
                    break
        finally:
            await self.background.end()
            await life.end()
            await self.leaving.farewell()
            await frontend.stop()
        return self.leaving.exit_status

    async def _open(self, opening: FirstSession) -> bool:
        """Open the first session and show it; False when the user gave it up."""
        # Ctrl-C, and Ctrl-D, also where the storage does not answer.
        self.frontend.busy = True
        opened = await self.work.run(open_first(self.engine, opening, self.presenter.show_error))
        self.frontend.busy = False
        if opened:
            await opening.choose(self.engine)
            self.session_monitor.settle()
            self.status.greet(self._greeting)
            await self.unsent.restore()
            self.status.toolbar()
        return opened

    async def handle(self, text: str) -> None:
        """Do what was typed."""
        if not text.strip():
            return
        self.frontend.busy = True
        self.status.toolbar()
        try:
            await self._dispatch.do(text)
        finally:
            self.frontend.busy = False
        if self.engine.recovery.is_doubtful:
            await self.session_monitor.look()
        self.leaving.goes_on()
        self.status.toolbar()

    def interrupt(self) -> None:
        """Stop what is in work; what was typed meanwhile goes back into the input."""
        self.work.interrupt()
        self.engine.hurry()
        self.frontend.take_back()
