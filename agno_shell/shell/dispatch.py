"""What becomes of what is typed: a command is run, a message goes to the model."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from agno_shell.base.program_log import note
from agno_shell.contracts import Command
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.shell import typed
from agno_shell.shell.tasks import without_exit
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.toolkit.terminal_text import clean_line

if TYPE_CHECKING:
    from agno_shell.shell.loop import Shell

HELP_HINT = "/help lists the commands; what you typed goes to the model."


class Dispatch:
    """Does what typed texts say, for a shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

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
                    self._shell.leave()
        except AgnoShellError as error:
            self._shell.show_error(error)
        # A command may be anybody's plugin: its bug is named, and the shell goes on.
        except BaseException as error:
            let_through(error)
            note(__name__, "command failed", problem=error)
            self._shell.fail(f"{what} failed: {clean_line(reason_of(error), 400)}")

    async def _say(self, text: str) -> None:
        if text.strip().casefold() in typed.ASKING_FOR_HELP:
            self._shell.presenter.notice(HELP_HINT)
        await self._shell.control.ask(text)

    async def _call(self, call: typed.Call, text: str) -> None:
        shell = self._shell
        if not shell.frontend.echoes:
            shell.presenter.question(text.rstrip())
        try:
            command = await self._find(call.name)
            if "\n" in call.arguments and not command.multiline:
                raise typed.too_many_lines(call.name)
        except UsageError:
            shell.frontend.restore(text)
            raise
        result = command.run(shell.context, call.arguments)
        if inspect.isawaitable(result) and not await shell.finished(without_exit(result)):
            shell.fail("(stopped)", "class:notice")
        shell.presenter.progress("")
        shell.frontend.print_gap()

    async def _find(self, name: str) -> Command:
        shell = self._shell
        known = shell.plugins.commands.by_every_name()
        if name not in known and shell.loading:
            await shell.finished(asyncio.shield(shell.loading))
            known = shell.plugins.commands.by_every_name()
        if name in known:
            return known[name]
        raise typed.unknown(name, known)
