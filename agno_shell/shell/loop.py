"""The shell: what is typed becomes a command or a turn, one after the other."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from agno_shell import settings
from agno_shell.config import Config
from agno_shell.contracts import Command, Provider, Renderer, ToolbarView
from agno_shell.conversation.conversation import Conversation
from agno_shell.conversation.models import OFFLINE
from agno_shell.conversation.references import resolve
from agno_shell.conversation.report import Totals, metrics_line, trace_lines
from agno_shell.conversation.turn import Turn
from agno_shell.errors import AgnoShellError, SessionNotFoundError, UsageError
from agno_shell.events import Failed
from agno_shell.plugins import Plugins, merge_commands
from agno_shell.shell.context import ShellContext
from agno_shell.shell.front import Front
from agno_shell.shell.lines import text_lines
from agno_shell.shell.present import Presenter
from agno_shell.shell.toolbar import toolbar_line
from agno_shell.terminal_text import clean_line
from agno_shell.types import default_session_name, now

LEAVING = ("exit", "quit")
"""Words that, alone on a line, leave the shell."""

OFFLINE_HINT = (
    "No model is set up: the offline provider answers. Set OPENAI_API_KEY, or use /model NAME.\n"
)
OFFLINE_WITH_BASE = (
    "A server is set up (api_base) but no model, so the built-in offline provider answers. "
    "Type /model NAME, with the name that the server knows.\n"
)

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
        greeting: str,
    ) -> None:
        self.conversation = conversation
        self.front = front
        self.config = config
        self.plugins: Plugins = conversation.plugins
        self.presenter = Presenter(front, renderer)
        self.totals = Totals()
        self.remember = remember
        self.flags = {
            "trace": config[settings.SHELL_TRACE],
            "metrics": config[settings.SHELL_METRICS],
        }
        self.context = ShellContext(self)
        self._renderer = renderer
        self._greeting = greeting
        self._turn: Turn | None = None
        self._running: asyncio.Future[None] | None = None
        self._leaving = False
        self._status = 0
        self._warm: asyncio.Task[None] | None = None
        self._starting: dict[Provider, asyncio.Task[None]] = {}
        front.interrupted = self.interrupt

    # The life of the shell --------------------------------------------------------------

    async def run(
        self,
        *,
        session: str | None = None,
        new: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        api_base: str | None = None,
    ) -> int:
        """Open a session, then take what is typed until the person leaves.

        Returns the exit status: 0, or 128 and the number of the signal that ended it.
        """
        loop = asyncio.get_running_loop()
        self.plugins.report = self._tell_from_any_thread(loop)
        await self.front.start()
        for number in LEAVING_SIGNALS:
            # Not every loop takes signals; there they end the program as ever.
            with suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, self._must_leave, number)
        try:
            await self._open_first(session, new)
            if agent is not None:
                await self.conversation.set_agent(agent)
            if model is not None:
                await self.conversation.set_model(model)
            if api_base is not None:
                await self.conversation.set_api_base(api_base)
            self._greet()
            # Only now, because the first keys may come before a session is open.
            self.front.queue_changed = self.update_toolbar
            self._warm = asyncio.create_task(self._warm_up())
            while not self._leaving and (text := await self.front.read()) is not None:
                await self.handle(text)
        finally:
            await self._end()
        return self._status

    def _must_leave(self, number: int) -> None:
        """A signal ends the shell as Ctrl-D does: what was shown is kept, the terminal sane."""
        self._status = 128 + number
        self.front.leave()

    async def _open_first(self, session: str | None, new: str | None) -> None:
        """The session that was asked for, else the current one, else the newest, else a new."""
        store = self.conversation.store
        if new is not None:
            await self.conversation.create(new or default_session_name(now()))
        elif session is not None:
            found = resolve(session, await store(lambda storage: storage.sessions()))
            await self.conversation.open(found.session_id)
        elif current := await store(lambda storage: storage.current()):
            await self.conversation.open(current)
        elif newest := await store(lambda storage: storage.sessions()):
            await self.conversation.open(newest[0].session_id)
        else:
            await self.conversation.create(default_session_name(now()))

    async def _warm_up(self) -> None:
        """Everything slow that the first message will need, now that the prompt stands."""
        self.start_provider()
        await asyncio.to_thread(self.plugins.load_installed)
        await asyncio.to_thread(self._renderer.begin, self.front.width)
        self.plugins.shell_started(self.context)
        self.update_toolbar()

    def start_provider(self) -> None:
        """Let the provider get ready in the background."""
        provider = self.conversation.provider
        if provider in self._starting:
            return

        async def start() -> None:
            # What is wrong is said when it matters: in the turn that needs the provider.
            with suppress(AgnoShellError):
                await provider.start()

        self._starting[provider] = asyncio.create_task(start())

    async def _end(self) -> None:
        background = [task for task in (self._warm, *self._starting.values()) if task]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        self.plugins.shell_stopped(self.context)
        if self.flags["metrics"] and (summary := self.totals.line()):
            self.presenter.notice(f"This run: {summary}")
        if unsaved := len(self.conversation.unsaved):
            what = "message is" if unsaved == 1 else "messages are"
            self.presenter.notice(
                f"{unsaved} {what} not on disk; copy what you need from the screen.", "class:error"
            )
        await self.front.stop()

    def interrupt(self) -> None:
        """Stop what is in work; what was typed meanwhile goes back into the input."""
        if self._turn:
            self._turn.stop()
        elif self._running:
            self._running.cancel()
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
        try:
            if stripped in LEAVING:
                self.leave()
            elif stripped.startswith("/"):
                await self._command(stripped)
            else:
                await self._ask(text.rstrip())
        except AgnoShellError as error:
            self._show_error(error)
        # A command may be anybody's plugin: its bug is named, and the shell goes on.
        except Exception as error:
            self.presenter.notice(f"{stripped.split()[0]} failed: {error!r}", "class:error")
        finally:
            self.front.busy = False
        self.update_toolbar()

    async def _command(self, text: str) -> None:
        if not self.front.echoes:
            self.presenter.question(text)
        name, _space, arguments = text[1:].partition(" ")
        command = await self._find(name)
        result = command.run(self.context, arguments.strip())
        if inspect.isawaitable(result):
            await self._stoppable(result)
        self.front.print_lines([()])

    async def _stoppable(self, work: Awaitable[None]) -> None:
        """Wait for a command; Ctrl-C ends the command and not the shell."""
        self._running = asyncio.ensure_future(work)
        try:
            await self._running
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is None or own.cancelling():  # it is the shell that is to end
                raise
            self.presenter.notice("(stopped)")
        finally:
            self._running = None

    async def _find(self, name: str) -> Command:
        known = merge_commands(self.plugins.commands)
        if name not in known and self._warm:
            await self._warm
            known = merge_commands(self.plugins.commands)
        if name in known:
            return known[name]
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        hint = f"Did you mean /{near[0]}? " if near else ""
        raise UsageError(
            f"There is no command /{clean_line(name, 40)}.",
            hint=f"{hint}/help lists them; nothing was sent to the model.",
        )

    async def _ask(self, text: str) -> None:
        turn = self._turn = self.conversation.turn(text)
        self.update_toolbar()
        try:
            await self.presenter.show(turn.events(), self.conversation.choice.model)
        finally:
            self._turn = None
        if turn.reply:
            self.totals.add(turn.reply)
            await self._report(turn)

    async def _report(self, turn: Turn) -> None:
        prepared, ending, reply = self.presenter.prepared, self.presenter.ending, turn.reply
        if reply is None or ending is None:
            return
        lines: list[str] = []
        if self.flags["metrics"] and not isinstance(ending, Failed):
            lines.append(metrics_line(reply))
        if self.flags["trace"] and prepared:
            request = prepared.request
            tokens = await self.conversation.provider.count_tokens(request.model, request.messages)
            lines += trace_lines(request, prepared.omitted, tokens, reply, ending)
        if lines:
            self.front.print_lines(text_lines("\n".join([*lines, ""]), "class:notice"))

    def _tell_from_any_thread(self, loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
        """For the storage, and for plugins while they are loaded: they run in threads."""

        def tell(line: str) -> None:
            loop.call_soon_threadsafe(self.presenter.notice, clean_line(line, 400) + "\n")

        return tell

    def _show_error(self, error: AgnoShellError) -> None:
        self.presenter.notice(clean_line(error.sentence(), 400), "class:error")
        if isinstance(error, SessionNotFoundError):
            for candidate in error.candidates:
                self.presenter.notice(f"  {clean_line(candidate)}")
        self.front.print_lines([()])

    # What is shown ----------------------------------------------------------------------

    async def open(self, session_id: str) -> None:
        """Open a session and show its last exchanges."""
        await self.conversation.open(session_id)
        self._show_session()

    def _greet(self) -> None:
        self.presenter.notice(self._greeting)
        self._show_session()
        if self.conversation.choice.model == OFFLINE:
            self.presenter.notice(OFFLINE_WITH_BASE if self.conversation.api_base else OFFLINE_HINT)

    def _show_session(self) -> None:
        session, choice = self.conversation.session, self.conversation.choice
        count = session.message_count
        messages = "no messages yet" if not count else f"{count} message{'s' * (count != 1)}"
        base = self.conversation.api_base if choice.model != OFFLINE else None
        where = f" at {clean_line(base)}" if base else ""
        agent = f" · agent {clean_line(session.agent)}" if session.agent else ""
        self.front.print_lines(
            [
                (
                    ("class:heading", clean_line(session.name)),
                    ("class:notice", f" ({session.session_id[:8]}) · {messages} · model "),
                    ("class:heading", clean_line(choice.model)),
                    ("class:notice", where + agent),
                ),
                (),
            ]
        )
        if session.agent and self.conversation.agent is None:
            self.presenter.notice(
                f"The agent {clean_line(session.agent)} of this session is not configured any more."
            )
        shown = self.config[settings.SHELL_LAST_EXCHANGES] * 2
        if shown:
            self.presenter.messages(self.conversation.history[-shown:])
        self.update_toolbar()

    def update_toolbar(self) -> None:
        """Make the toolbar anew, because something it shows has changed."""
        view = ToolbarView(
            session=self.conversation.session,
            model=self.conversation.choice.model,
            agent=self.conversation.session.agent,
            busy=self._turn is not None,
            queued=self.front.queued,
        )
        items = self.plugins.toolbar_items(view)
        self.front.set_toolbar(toolbar_line(view, items, self.front.width))
