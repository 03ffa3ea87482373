"""The shell: what is typed becomes a command or a turn, one after the other."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agno_shell.config import Agent, Config
from agno_shell.config.agents import make_agent
from agno_shell.contracts import Command, Provider, Renderer
from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.titles import Titles
from agno_shell.conversation.tree.branches import Place
from agno_shell.conversation.turn import Turn
from agno_shell.errors import AgnoShellError, SessionNotFoundError, StorageError, UsageError
from agno_shell.plugins import Plugins
from agno_shell.shell.approval import Approval
from agno_shell.shell.completion import ShellCompleter
from agno_shell.shell.context import ShellContext
from agno_shell.shell.control import Control
from agno_shell.shell.front import Front
from agno_shell.shell.lines import one_line
from agno_shell.shell.lookout import Lookout
from agno_shell.shell.opening import open_first
from agno_shell.shell.present import Presenter
from agno_shell.shell.status import Status
from agno_shell.shell.tasks import quietly, without_exit
from agno_shell.shell.unsent import Unsent
from agno_shell.terminal_text import clean_line
from agno_shell.types import Finding, Reasoning

if TYPE_CHECKING:
    from agno_shell.shell.compacting import Shown

LEAVING = ("exit", "quit")
"""Words that, alone on a line, leave the shell."""

LEAVING_SIGNALS = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class Shell:
    """A person, a conversation, and what happens between them."""

    def __init__(
        self,
        conversation: Conversation,
        front: Front,
        renderer: Renderer,
        config: Config,
        *,
        remember: Callable[[Mapping[str, Any]], None],
        new_agent: Callable[[str, Mapping[str, Any]], Agent] = make_agent,
        greeting: str,
        examine: Callable[[bool], Sequence[Finding]] = lambda _repair: (),
        entered_dir: str = "",
    ) -> None:
        self.conversation = conversation
        self.front = front
        self.config = config
        self.plugins: Plugins = conversation.plugins
        self.presenter = Presenter(front, renderer)
        self.status = Status(conversation, front, self.presenter, config)
        self.lookout = Lookout(conversation, front, self.presenter.notice, self._changed_elsewhere)
        self.unsent = Unsent(conversation, front, entered_dir, self.presenter.notice)
        self.control = Control(self)
        self.context = ShellContext(self)
        self.titles = Titles(conversation, self.update_toolbar)
        conversation.budget.ask = self.status.may_spend
        conversation.toolbelt.approve = Approval(front, self.presenter)
        self.remember = remember
        self.new_agent = new_agent
        self._greeting = greeting
        self._examine = examine
        """Looks at, or mends, what no other part looks at itself."""
        self._stop: Callable[[], object] | None = None
        """What Ctrl-C does to what is in work."""
        self._leaving = False
        self._warned = False
        """Whether the person has just been told that leaving loses something."""
        self._exit_status = 0
        self._loading: asyncio.Task[None] | None = None
        self._starting: dict[Provider, asyncio.Task[None]] = {}
        self._background: list[asyncio.Task[None]] = []
        self._told: set[str] = set()

    # The life of the shell --------------------------------------------------------------

    async def run(
        self,
        *,
        session: str | None = None,
        new: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        api_base: str | None = None,
        reasoning: Reasoning | None = None,
    ) -> int:
        """Open a session, then take what is typed until the person leaves.

        Returns the exit status: 0, or 128 and the number of the signal that ended it.
        """
        self._take_the_loop(asyncio.get_running_loop())
        await self.front.start(
            interrupted=self.interrupt,
            queue_changed=self.update_toolbar,
            completer=ShellCompleter(self.plugins.commands.by_every_name, self.context),
        )
        try:
            await open_first(self.conversation, session, new, self._show_error)
            if agent is not None:
                await self.conversation.set_agent(agent)
            # The session remembers them, so that its words go nowhere else because an option
            # was left out the next time.
            given = {"model": model, "api_base": api_base, "reasoning": reasoning}
            if chosen := {key: each or None for key, each in given.items() if each is not None}:
                await self.conversation.update(**chosen)
            self.lookout.settle()
            self.status.greet(self._greeting)
            await self.unsent.restore()
            self.update_toolbar()
            self._loading = asyncio.create_task(self._load_plugins())
            self._background.append(asyncio.create_task(self._warm_up()))
            if self.front.has_person:
                self._background.append(asyncio.create_task(self.lookout.run()))
            while True:
                while not self._leaving and (text := await self.front.read()) is not None:
                    await self.handle(text)
                    self.unsent.after()
                if not await self._stays():
                    break
        finally:
            await self._end()
        return self._exit_status

    def _take_the_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Signals, errors and reports from threads come to this shell."""

        def report(line: str) -> None:
            # The storage, and plugins while they are loaded, run in threads.
            loop.call_soon_threadsafe(self.presenter.notice, one_line(line) + "\n")

        def fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            # Once each: a fault in drawing would otherwise be drawn, and fail, for ever.
            what = clean_line(repr(context.get("exception") or context.get("message")), 400)
            if what not in self._told:
                self._told.add(what)
                self.presenter.notice(f"Something failed inside the shell: {what}", "class:error")

        self.plugins.report = report
        loop.set_exception_handler(fault)
        for number in LEAVING_SIGNALS:
            # Not every loop takes signals; there they end the program as ever.
            with suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, self._must_leave, number)

    def _must_leave(self, number: int) -> None:
        """A signal ends the shell as Ctrl-D does: what was shown is kept, the terminal sane."""
        self._exit_status = 128 + number
        self._leaving = True
        self.front.leave()

    async def _load_plugins(self) -> None:
        loaded = await asyncio.to_thread(self.plugins.load_installed)
        # They could not hear of the session when it was opened.
        self.plugins.session_opened(self.conversation.session, only=loaded)

    async def _warm_up(self) -> None:
        """Everything slow that the first message will need, now that the prompt stands."""
        self.start_provider()
        await asyncio.to_thread(self.presenter.warm_up)
        await asyncio.to_thread(import_module, "agno_shell.conversation.request.requests")
        if self._loading:
            await self._loading
        self.plugins.shell_started(self.context)
        with suppress(StorageError):
            await self.conversation.reader(lambda storage: storage.mend())
        self.update_toolbar()

    def start_provider(self) -> None:
        """Let the provider get ready in the background."""
        # What is wrong is said when it matters: in the turn that needs the provider.
        with suppress(Exception):
            provider = self.conversation.provider
            if provider not in self._starting:
                self._starting[provider] = asyncio.create_task(quietly(provider.start()))

    async def _stays(self) -> bool:
        """Whether the person rather stays, told that leaving loses something. Asked once:
        who leaves again at once, or is made to leave, is not kept."""
        await self.conversation.save_again()
        losses = [*filter(None, (self.status.not_on_disk(), self.unsent.left_behind()))]
        if not losses or self._warned or self._exit_status or not self.front.has_person:
            return False
        self._warned, self._leaving = True, False
        for session_id in self.conversation.unsaved_elsewhere:
            self.presenter.notice(f"/switch {session_id[:8]} opens a session that has some.")
        if self.conversation.unsaved:
            self.presenter.notice("/save PATH writes the open conversation to a file.")
        return not await self.front.confirm(f"{'. '.join(losses)}. Leave anyway?")

    async def _end(self) -> None:
        background = [*self._background, *self._starting.values()]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, self.titles.close(), return_exceptions=True)
        self.plugins.shell_stopped(self.context)
        await self.conversation.save_again()
        self.status.saving()
        self.status.farewell()
        if not self._warned and (what := self.unsent.left_behind()):
            self.presenter.notice(f"{what}.")
        await self.unsent.close()
        await self.front.stop()

    def interrupt(self) -> None:
        """Stop what is in work; what was typed meanwhile goes back into the input."""
        if self._stop:
            self._stop()
        self.front.take_back()

    def leave(self) -> None:
        """End the shell after what is in work."""
        self._leaving = True

    # What is typed ----------------------------------------------------------------------

    async def handle(self, text: str) -> None:
        """Run a command, or ask the model; errors become one line."""
        stripped = text.strip()
        if not stripped:
            return
        self.front.busy = True
        self.update_toolbar()
        try:
            if stripped in LEAVING:
                self.leave()
            elif stripped.startswith("/"):
                await self._command(stripped)
            else:
                await self.control.ask(text.rstrip())
        except AgnoShellError as error:
            self._show_error(error)
        # A command may be anybody's plugin: its bug is named, and the shell goes on.
        except (Exception, SystemExit) as error:
            what = clean_line(stripped.split()[0], 40) if stripped.startswith("/") else "The turn"
            self.presenter.notice(f"{what} failed: {clean_line(repr(error), 400)}", "class:error")
        finally:
            self.front.busy = False
        if self.conversation.recovery.is_doubtful:
            await self.lookout.look()
        if not self._leaving:
            self._warned = False
        self.update_toolbar()

    async def _command(self, text: str) -> None:
        if not self.front.echoes:
            self.presenter.question(text)
        name, _space, arguments = text[1:].partition(" ")
        command = await self._find(name)
        result = command.run(self.context, arguments.strip())
        if inspect.isawaitable(result) and not await self.finished(without_exit(result)):
            self.presenter.notice("(stopped)")
        self.front.print_gap()

    async def _find(self, name: str) -> Command:
        known = self.plugins.commands.by_every_name()
        if name not in known and self._loading:
            await self.finished(asyncio.shield(self._loading))
            known = self.plugins.commands.by_every_name()
        if name in known:
            return known[name]
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        hint = f"Did you mean /{near[0]}? " if near else ""
        raise UsageError(
            f"There is no command /{clean_line(name, 40)}.",
            hint=f"{hint}/help lists them; nothing was sent to the model.",
        )

    async def run_turn(self, turn: Turn | Shown, model: str | None = None) -> None:
        """Show a turn to its end; Ctrl-C stops it. ``model`` answers, where it is not the
        session's own."""
        # A filter must see the first request as well.
        if self._loading and not await self.finished(asyncio.shield(self._loading)):
            turn.stop()
        if self._leaving:
            turn.stop()
        before, self._stop = self._stop, turn.stop
        try:
            await self.presenter.show(
                self.status.watch(turn.events()), model or self.conversation.choice.model
            )
        finally:
            self._stop = before
            self.status.saving()
        self.status.report()
        self.titles.after(turn.reply)

    async def finished(self, work: Awaitable[None]) -> bool:
        """Wait for ``work``; False when Ctrl-C ended it, which does not end the shell."""
        future = asyncio.ensure_future(work)
        before, self._stop = self._stop, future.cancel
        try:
            await future
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is None or own.cancelling():  # it is the shell that is to end
                raise
            return False
        finally:
            self._stop = before
        return True

    # What is shown ----------------------------------------------------------------------

    async def open(self, session_id: str, at: str | None = None) -> None:
        """Open a session and show its last exchanges, or those around the message ``at``."""
        if not await self._may_go(session_id):
            self.presenter.notice("It stays open.")
            return
        await self.conversation.open(session_id)
        self.lookout.settle()
        self.status.session(await self._place(at) if at is not None else None)
        self.status.saving()
        await self.unsent.restore()
        self.update_toolbar()

    async def _may_go(self, session_id: str) -> bool:
        """Whether the person leaves the open session, told that there is no way back to one
        that is in memory only."""
        conversation = self.conversation
        is_safe = conversation.missing != "gone" or conversation.session.session_id == session_id
        if is_safe or not self.front.has_person:
            return True
        return await self.front.confirm(
            "The session open here is in no store any more, and /save PATH would keep what this "
            "shell has of it. Leave it behind for good?"
        )

    async def _place(self, message_id: str) -> Place | None:
        try:
            place = await self.conversation.place(message_id)
        except StorageError as error:
            self._show_error(error)
            return None
        if place is None:
            self.presenter.notice("That message is not in the session any more.", "class:error")
        return place

    async def refresh(self) -> None:
        """A command changed the open session: show it as it is now."""
        # One that was deleted elsewhere stays as it is known here.
        with suppress(SessionNotFoundError):
            await self.conversation.refresh()
        await self.lookout.look(for_command=True)
        self.update_toolbar()

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        """What is wrong with the shell's parts and surroundings; with ``repair`` mended
        where that is possible."""
        from agno_shell.diagnosis import parts

        if self._loading:
            await asyncio.shield(self._loading)
        return [
            *await asyncio.to_thread(self._examine, repair),
            *await parts.provider(self.conversation.models),
            *await parts.storage_of(self.conversation.reader, repair=repair),
        ]

    def update_toolbar(self) -> None:
        """Make the toolbar anew, because something it shows has changed."""
        self.status.toolbar(busy=self.front.busy, elsewhere=self.lookout.added)

    def _changed_elsewhere(self, told: bool) -> None:
        self.status.saving(tell=not told)
        self.update_toolbar()

    def _show_error(self, error: AgnoShellError) -> None:
        self.presenter.notice(one_line(error.sentence()), "class:error")
        if isinstance(error, SessionNotFoundError):
            for candidate in error.candidates:
                self.presenter.notice(f"  {clean_line(candidate)}")
        self.front.print_gap()
