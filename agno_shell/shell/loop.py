"""The shell: what is typed becomes a command or a turn, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from agno_shell.config import Agent, Config
from agno_shell.config.agents import make_agent
from agno_shell.contracts import Provider, Renderer
from agno_shell.conversation import leisure
from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.titles import Titles
from agno_shell.conversation.tree.branches import Place
from agno_shell.conversation.turn import Turn
from agno_shell.errors import AgnoShellError, SessionNotFoundError, StorageError
from agno_shell.events import Failed, Interrupted
from agno_shell.plugins.manager import Plugins
from agno_shell.shell.approval import Approval
from agno_shell.shell.completion import ShellCompleter
from agno_shell.shell.context import ShellContext
from agno_shell.shell.control import Control
from agno_shell.shell.dispatch import Dispatch
from agno_shell.shell.frontend import LEAVING_SIGNALS, Frontend, take_signals
from agno_shell.shell.keyboard import Keyboard
from agno_shell.shell.lines import one_line
from agno_shell.shell.opening import open_first
from agno_shell.shell.plugin_life import LEAVING_SECONDS, PluginLife
from agno_shell.shell.present import Presenter
from agno_shell.shell.reporting import report_to
from agno_shell.shell.session_monitor import SessionMonitor
from agno_shell.shell.status import Status
from agno_shell.shell.tasks import quietly
from agno_shell.shell.unsent import Unsent
from agno_shell.toolkit.guarding import quiet
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.threads import in_thread
from agno_shell.types import Finding, Reasoning

if TYPE_CHECKING:
    from agno_shell.shell.compacting import CompactionTurn

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

REQUEST_FIRST = 0.5
"""Seconds for which the rest lets the provider and the plugins get ready first: imports at the same
time take as long as one after the other, and a provider may be slow for reasons of its own."""


class Shell:
    """A person, a conversation, and what happens between them."""

    def __init__(
        self,
        conversation: Conversation,
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
        self.conversation = conversation
        self.frontend = frontend
        self.config = config
        self.plugins: Plugins = conversation.plugins
        self.presenter = Presenter(frontend, renderer)
        self.status = Status(conversation, frontend, self.presenter, config)
        self.session_monitor = SessionMonitor(
            conversation, frontend, self.presenter.notice, self._changed_elsewhere
        )
        self.unsent = Unsent(conversation, frontend, entered_dir, self.presenter.notice)
        self.control = Control(self)
        self._dispatch = Dispatch(self)
        self.context = ShellContext(self)
        self.titles = Titles(conversation, self.update_toolbar)
        conversation.budget.ask = self.status.may_spend
        conversation.tool_registry.approve = Approval(frontend, self.presenter)
        self.remember = remember
        self.new_agent = new_agent
        self._greeting = greeting
        self._examine = examine
        """Looks at, or mends, what no other part looks at itself."""
        self._stop: Callable[[], object] | None = None
        """What Ctrl-C does to what is in work."""
        self.is_leaving = False
        self._warned = False
        """Whether the person has just been told that leaving loses something."""
        self._exit_status = 0
        self._has_failed = False
        """Whether anything that was asked for here was not done."""
        self.loading: asyncio.Task[None] | None = None
        self._starting: dict[Provider, asyncio.Task[None]] = {}
        self._background: list[asyncio.Task[None]] = []

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

        Returns the exit status: 0; 128 and the number of the signal that ended it; for a
        script 1 when anything that it asked for was not done.
        """
        report_to(self.presenter, self.conversation, self.update_toolbar, self.fail)
        take_signals(self.must_leave)
        keyboard = Keyboard(self.frontend.keyboard)
        life = PluginLife(self.plugins, self.context, keyboard, LEAVING_SIGNALS)
        await self.frontend.start(
            interrupted=self.interrupt,
            queue_changed=self.update_toolbar,
            completer=ShellCompleter(lambda: self.plugins.commands.by_every_name(), self.context),
        )
        try:
            self.frontend.busy = True
            # Ctrl-C, and Ctrl-D, also where the storage does not answer.
            opening = open_first(self.conversation, session, new, self.show_error)
            opened = await self.finished(opening)
            self.frontend.busy = False
            if not opened:
                self.conversation.store.leave()
                return self._exit_status or INTERRUPTED
            if agent is not None:
                await self.conversation.set_agent(agent)
            # The session remembers them: its words go nowhere else for want of an option.
            given = {"model": model, "api_base": api_base, "reasoning": reasoning}
            if chosen := {key: each or None for key, each in given.items() if each is not None}:
                await self.conversation.update(**chosen)
            self.session_monitor.settle()
            self.status.greet(self._greeting)
            await self.unsent.restore()
            self.update_toolbar()
            life.watch()
            self.loading = asyncio.create_task(life.load(lambda: self.conversation.session))
            warming = asyncio.create_task(self._warm_up(life))
            self._background += warming, asyncio.create_task(self._warm_up_reply(warming))
            if self.frontend.has_person:
                self._background.append(asyncio.create_task(self.session_monitor.run()))
                self._background.append(asyncio.create_task(leisure.prepare(self.conversation)))
            while True:
                while not self.is_leaving and (text := await self.frontend.read()) is not None:
                    await self.handle(text)
                    self.unsent.after()
                if not await self._stays():
                    break
        finally:
            await self._end(life)
        if not self._exit_status and self._has_failed and self.frontend.is_script:
            return 1
        return self._exit_status

    def must_leave(self, number: int) -> None:
        """A signal ends the shell as Ctrl-D does: what was shown is kept, the terminal sane."""
        self._exit_status = 128 + number
        self.is_leaving = True
        self.frontend.leave()

    async def _warm_up(self, life: PluginLife) -> None:
        """Everything slow that the first request will need, now that the prompt stands."""
        starting = self.start_provider()
        if self.loading:
            await asyncio.wait([self.loading, *starting], timeout=REQUEST_FIRST)
        await asyncio.to_thread(import_module, "agno_shell.conversation.request.requests")
        if self.loading:
            await self.loading
        life.started()
        self.update_toolbar()

    async def _warm_up_reply(self, request: asyncio.Task[None]) -> None:
        """What keeps a message and shows its reply, behind what its request waits for: a shell
        that only stands there stays small."""
        await self.frontend.typing()
        await asyncio.wait([request])
        await asyncio.to_thread(import_module, "filelock")
        await in_thread(self.presenter.warm_up)

    def start_provider(self) -> Iterable[asyncio.Task[None]]:
        """Let the provider get ready in the background; what does it."""
        # What is wrong is said in the turn that needs the provider.
        with quiet():
            provider = self.conversation.provider
            if provider not in self._starting:
                self._starting[provider] = asyncio.create_task(quietly(provider.start()))
        return self._starting.values()

    async def _stays(self) -> bool:
        """Whether the person rather stays, told that leaving loses something. Asked once:
        who leaves again at once, or is made to leave, is not kept."""
        await self.conversation.save_again()
        await self.unsent.settled()
        losses = [*filter(None, (self.status.not_on_disk(), self.unsent.left_behind()))]
        if not losses or self._warned or self._exit_status or not self.frontend.has_person:
            return False
        self._warned, self.is_leaving = True, False
        for session_id in self.conversation.unsaved_elsewhere:
            self.presenter.notice(f"/switch {session_id[:8]} opens a session that has some.")
        if self.conversation.unsaved:
            self.presenter.notice("/save PATH writes the open conversation to a file.")
        return not await self.frontend.confirm(f"{'. '.join(losses)}. Leave anyway?")

    async def _end(self, life: PluginLife) -> None:
        background = [*self._background, *self._starting.values()]
        for task in background:
            task.cancel()
        ended = asyncio.gather(*background, self.titles.close(), return_exceptions=True)
        await asyncio.wait([ended], timeout=LEAVING_SECONDS)
        await life.end()
        await self.conversation.save_again()
        if self.conversation.store.is_silent(LEAVING_SECONDS):
            self.conversation.store.leave()
        self.status.saving()
        self._has_failed |= self.frontend.has_refused or bool(self.status.not_on_disk())
        self.status.farewell()
        await self.unsent.settled()
        if not self._warned and (what := self.unsent.left_behind()):
            self.presenter.notice(f"{what}.")
        await self.unsent.close()
        await self.frontend.stop()

    def interrupt(self) -> None:
        """Stop what is in work; what was typed meanwhile goes back into the input."""
        if self._stop:
            self._stop()
        self.conversation.hurry()
        self.frontend.take_back()

    def leave(self) -> None:
        """End the shell after what is in work."""
        self.is_leaving = True

    # What is typed ----------------------------------------------------------------------

    async def handle(self, text: str) -> None:
        """Do what was typed."""
        if not text.strip():
            return
        self.frontend.busy = True
        self.update_toolbar()
        try:
            await self._dispatch.do(text)
        finally:
            self.frontend.busy = False
        if self.conversation.recovery.is_doubtful:
            await self.session_monitor.look()
        if not self.is_leaving:
            self._warned = False
        self.update_toolbar()

    async def run_turn(self, turn: Turn | CompactionTurn, model: str | None = None) -> None:
        """Show a turn to its end; Ctrl-C stops it. ``model`` answers, where it is not the
        session's own."""
        # A filter must see the first request as well.
        if self.loading and not await self.finished(asyncio.shield(self.loading)):
            turn.stop()
        if self.is_leaving:
            turn.stop()
        before, self._stop = self._stop, turn.stop
        try:
            await self.presenter.show(
                self.status.watch(turn.events()), model or self.conversation.choice.model
            )
        finally:
            self._stop = before
            self.status.saving()
        self._has_failed |= isinstance(self.presenter.ending, Failed | Interrupted)
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
        self.session_monitor.settle()
        self.status.session(await self._place(at) if at is not None else None)
        self.status.saving()
        await self.unsent.restore()
        self.update_toolbar()

    async def _may_go(self, session_id: str) -> bool:
        """Whether the person leaves the open session, told that there is no way back to one
        that is in memory only."""
        conversation = self.conversation
        is_safe = conversation.missing != "gone" or conversation.session.session_id == session_id
        if is_safe or not self.frontend.has_person:
            return True
        agreed = await self.frontend.confirm(
            "The session open here is in no store any more, and /save PATH would keep what this "
            "shell has of it. Leave it behind for good?"
        )
        return bool(agreed)

    async def _place(self, message_id: str) -> Place | None:
        try:
            place = await self.conversation.place(message_id)
        except StorageError as error:
            self.show_error(error)
            return None
        if place is None:
            self.fail("That message is not in the session any more.")
        return place

    async def refresh(self) -> None:
        """A command changed the open session: show it as it is now."""
        # One that was deleted elsewhere stays as it is known here.
        with suppress(SessionNotFoundError):
            await self.conversation.refresh()
        await self.session_monitor.look(for_command=True)
        self.update_toolbar()

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        """What is wrong with the shell's parts and surroundings; with ``repair`` mended
        where that is possible."""
        from agno_shell.diagnosis import parts

        if self.loading:
            await asyncio.shield(self.loading)
        return [
            *await asyncio.to_thread(self._examine, repair),
            *await parts.provider(self.conversation.models),
            *await parts.background(self.conversation.models),
            *await parts.storage_of(self.conversation.reader, repair=repair),
        ]

    def update_toolbar(self) -> None:
        """Make the toolbar anew, because something it shows has changed."""
        self.status.toolbar(busy=self.frontend.busy, elsewhere=self.session_monitor.added)

    def _changed_elsewhere(self, told: bool) -> None:
        self.status.saving(tell=not told)
        self.update_toolbar()

    def show_error(self, error: AgnoShellError) -> None:
        self.fail(one_line(error.sentence()))
        if isinstance(error, SessionNotFoundError):
            for candidate in error.candidates:
                self.presenter.error(f"  {clean_line(candidate)}")
        self.frontend.print_gap()

    def fail(self, sentence: str, style: str = "class:error") -> None:
        """Say that something was not done."""
        self._has_failed = True
        self.presenter.error(sentence, style)
