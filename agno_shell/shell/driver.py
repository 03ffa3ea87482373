"""The shell as the engine's driver: turns on the screen, questions at the prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agno_shell.contracts import Permission, Tool
from agno_shell.conversation.driver import Driver
from agno_shell.events import TurnEvent
from agno_shell.shell.lines import one_line
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Message, ToolCall

if TYPE_CHECKING:
    from agno_shell.conversation.tree.branches import Place
    from agno_shell.shell.approval import Approval
    from agno_shell.shell.background import BackgroundWork
    from agno_shell.shell.entered_texts import EnteredTexts
    from agno_shell.shell.exit import Exit
    from agno_shell.shell.frontend import Frontend
    from agno_shell.shell.present import Presenter
    from agno_shell.shell.session_monitor import SessionMonitor
    from agno_shell.shell.status import Status
    from agno_shell.shell.work import Work

RECALLED = 72
"""Characters of what is answered again that are shown."""


class ShellDriver(Driver):
    """Connects the engine with the parts of a running shell."""

    def __init__(
        self,
        frontend: Frontend,
        presenter: Presenter,
        work: Work,
        approval: Approval,
        status: Status,
        monitor: SessionMonitor,
        unsent: EnteredTexts,
        background: BackgroundWork,
        leaving: Exit,
    ) -> None:
        self._frontend = frontend
        self._presenter = presenter
        self._work = work
        self._approval = approval
        self._status = status
        self._monitor = monitor
        self._unsent = unsent
        self._background = background
        self._leaving = leaving

    @property
    def has_user(self) -> bool:
        return self._frontend.has_user

    @property
    def pasted(self) -> Sequence[str]:
        return self._frontend.pasted

    # What is in work

    async def ready(self) -> bool:
        # A filter must see the first request as well.
        return await self._work.run(self._background.loaded()) and not self._leaving.is_wanted

    async def finished(self, work: Awaitable[object]) -> bool:
        return await self._work.run(work)

    @contextmanager
    def showing(self, model: str, stop: Callable[[], object]) -> Iterator[None]:
        try:
            with self._work.show(stop), self._presenter.showing(model):
                yield
        finally:
            self._status.saving()

    def emit(self, event: TurnEvent) -> None:
        self._presenter.take(event)

    def turn_over(self) -> None:
        self._status.report()

    # What is to be seen

    def notice(self, text: str, style: str = "class:notice") -> None:
        self._presenter.notice(text, style)

    def fail(self, text: str, style: str = "class:error") -> None:
        sentence = text.rstrip("\n")
        self._presenter.fail(one_line(sentence) + text[len(sentence) :], style)

    def progress(self, text: str) -> None:
        self._presenter.progress(text)

    def recalled(self, message: Message) -> None:
        if message.role == "user":
            words = f"› {clean_line(message.content, RECALLED)}"
        else:
            words = f"… {clean_line(message.content[-RECALLED:], RECALLED)}"
        self._presenter.notice(f"{words}\n")

    def not_sent(self, text: str) -> None:
        self._presenter.fail("Nothing was sent.", "class:notice")
        self._frontend.fill(text)
        self._frontend.print_gap()

    async def opened(self, place: Place | None) -> None:
        self._monitor.settle()
        self._status.session(place)
        self._status.saving()
        await self._unsent.restore()
        self._status.toolbar()

    async def changed(self) -> None:
        await self._monitor.look(for_command=True)
        self._status.toolbar()

    def renamed(self) -> None:
        self._status.toolbar()

    def model_chosen(self) -> None:
        self._background.start_provider()

    # What is asked

    async def confirm(self, question: str) -> bool | None:
        return await self._frontend.confirm(question)

    async def may_spend(self, question: str) -> bool:
        agreed = await self._frontend.confirm(question) if self.has_user else False
        if self.has_user:
            self._frontend.print_gap()
        return bool(agreed)

    async def approve(self, call: ToolCall, tool: Tool) -> Permission:
        return await self._approval(call, tool)
