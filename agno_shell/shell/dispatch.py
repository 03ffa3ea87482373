"""What becomes of what is typed: a command is run, a message goes to the model."""

from __future__ import annotations

import inspect

from agno_shell.base.program_log import note
from agno_shell.contracts import Command
from agno_shell.conversation.engine import Engine
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.shell import typed
from agno_shell.shell.background import BackgroundWork
from agno_shell.shell.context import ShellContext
from agno_shell.shell.exit import Exit
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.present import Presenter
from agno_shell.shell.tasks import without_exit
from agno_shell.shell.work import Work
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.toolkit.terminal_text import clean_line

HELP_HINT = "/help lists the commands; what you typed goes to the model."


class Dispatch:
    """Does what typed texts say."""

    def __init__(
        self,
        engine: Engine,
        context: ShellContext,
        frontend: Frontend,
        presenter: Presenter,
        work: Work,
        background: BackgroundWork,
        leaving: Exit,
    ) -> None:
        self._engine = engine
        self._context = context
        self._frontend = frontend
        self._presenter = presenter
        self._work = work
        self._background = background
        self._leaving = leaving

    async def do(self, text: str) -> None:
        """Do what ``text`` says; errors become one line."""
        said = typed.read(text)
        what = clean_line(f"/{said.name}", 40) if isinstance(said, typed.Call) else "The turn"
        try:
            match said:
                case typed.Call():
                    await self._call(said, text)
                case typed.Say():
                    await self._say(said.text)
                case typed.Leave():
                    self._leaving.want()
        except AgnoShellError as error:
            self._presenter.show_error(error)
        # A command may be anybody's plugin: its bug is named, and the shell goes on.
        except BaseException as error:
            let_through(error)
            note(__name__, "command failed", problem=error)
            self._presenter.fail(f"{what} failed: {clean_line(reason_of(error), 400)}")

    async def _say(self, text: str) -> None:
        if text.strip().casefold() in typed.ASKING_FOR_HELP:
            self._presenter.notice(HELP_HINT)
        await self._engine.ask(text)

    async def _call(self, call: typed.Call, text: str) -> None:
        if not self._frontend.echoes:
            self._presenter.question(text.rstrip())
        try:
            command = await self._find(call.name)
            if "\n" in call.arguments and not command.multiline:
                raise typed.too_many_lines(call.name)
        except UsageError:
            self._frontend.restore(text)
            raise
        context = self._context.of(self._engine.plugins.commands.owner(command.name))
        result = command.run(context, call.arguments)
        if inspect.isawaitable(result) and not await self._work.run(without_exit(result)):
            self._presenter.fail("(stopped)", "class:notice")
        self._presenter.progress("")
        self._frontend.print_gap()

    async def _find(self, name: str) -> Command:
        commands = self._engine.plugins.commands
        known = commands.by_every_name()
        if name not in known:
            await self._work.run(self._background.loaded())
            known = commands.by_every_name()
        if name in known:
            return known[name]
        raise typed.unknown(name, known)
