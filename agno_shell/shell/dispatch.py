"""What becomes of what is typed: a command is run, a message goes to the model."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from agno_shell.contracts import Command
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.shell import typed
from agno_shell.shell.tasks import without_exit
from agno_shell.terminal_text import clean_line

if TYPE_CHECKING:
    from agno_shell.shell.loop import Shell

HELP_HINT = "/help lists the commands; what you typed goes to the model."


class Dispatch:
    """Does what typed texts say, for a shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def do(self, text: str) -> None:
        """Do all that ``text`` says, one thing after the other; errors become one line, and
        what stands below a command that failed waits for the person: it may depend on it."""
        try:
            while text:
                text = await self._do_first(text)
        except AgnoShellError as error:
            self._shell.show_error(error)
        # A command may be anybody's plugin: its bug is named, and the shell goes on.
        except (Exception, SystemExit) as error:
            said = typed.read(text)
            what = f"/{said.name}" if isinstance(said, typed.Call) else "The turn"
            self._shell.fail(
                f"{clean_line(what, typed.LONGEST_NAME)} failed: {clean_line(repr(error), 400)}"
            )

    async def _do_first(self, text: str) -> str:
        """Do the first thing that ``text`` says; returns the rest, empty when there is none."""
        said = typed.read(text)
        if isinstance(said, typed.Call):
            return await self._run(said, text)
        if isinstance(said, typed.Leave):
            self._shell.leave()
        elif said is not None:
            if said.text.strip().casefold() in typed.ASKING_FOR_HELP:
                self._shell.presenter.notice(HELP_HINT)
            await self._shell.control.ask(said.text)
        return ""

    async def _run(self, call: typed.Call, text: str) -> str:
        """Run the command that ``text`` begins with; returns what stands below it."""
        shell = self._shell
        try:
            command = await self._find(call.name)
        except UsageError:
            self._echo(f"/{call.name} {call.arguments(multiline=False)[0]}")
            shell.front.restore(text)
            raise
        arguments, below = call.arguments(multiline=command.multiline)
        self._echo(f"/{call.name} {arguments}")
        done = False
        try:
            result = command.run(shell.context, arguments)
            done = not inspect.isawaitable(result) or await shell.finished(without_exit(result))
        finally:
            if below and not done:
                shell.front.restore(text)
        if not done:
            shell.presenter.notice("(stopped)")
        shell.front.print_gap()
        return below if done and not shell.is_leaving else ""

    def _echo(self, text: str) -> None:
        if not self._shell.front.echoes:
            self._shell.presenter.question(text.rstrip())

    async def _find(self, name: str) -> Command:
        shell = self._shell
        known = shell.plugins.commands.by_every_name()
        if name not in known and shell.loading:
            await shell.finished(asyncio.shield(shell.loading))
            known = shell.plugins.commands.by_every_name()
        if name in known:
            return known[name]
        raise typed.unknown(name, known)
