"""What slash commands and plugins see of the shell."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agno_shell.contracts import (
    Command,
    ConversationControl,
    Line,
    ModelList,
    Provider,
    Storage,
)
from agno_shell.conversation.references import resolve
from agno_shell.errors import UsageError, nobody_to_ask
from agno_shell.shell.lines import text_lines, wrapped
from agno_shell.toolkit.reports import address_words, figures_line
from agno_shell.types import Finding, Message, Session

if TYPE_CHECKING:
    from agno_shell.shell.loop import Shell

T = TypeVar("T")


class ShellContext:
    """The :class:`~agno_shell.contracts.CommandContext` of a running shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @property
    def session(self) -> Session:
        return self._shell.conversation.session

    @property
    def model(self) -> str:
        return self._shell.conversation.choice.model

    @property
    def address(self) -> str:
        return address_words(self._shell.conversation.address)

    @property
    def asked_at(self) -> str:
        conversation = self._shell.conversation
        place = conversation.models.asked_at(conversation.choice, conversation.api_base)
        return self.address or place

    @property
    def agent(self) -> str | None:
        return self.session.agent

    @property
    def agents(self) -> Mapping[str, Any]:
        return self._shell.conversation.agents

    @property
    def provider(self) -> Provider:
        return self._shell.conversation.provider

    async def models(self, *, ask: bool = True) -> ModelList:
        conversation = self._shell.conversation
        return await conversation.models.listed(conversation.choice, conversation.api_base, ask=ask)

    @property
    def conversation(self) -> ConversationControl:
        return self._shell.control

    @property
    def commands(self) -> Mapping[str, Command]:
        return self._shell.plugins.commands.all()

    @property
    def flags(self) -> dict[str, bool]:
        return self._shell.status.flags

    @property
    def storage_path(self) -> str:
        return self._shell.config.storage_path

    @property
    def width(self) -> int:
        return self._shell.frontend.width

    @property
    def history(self) -> Sequence[Message]:
        return self._shell.conversation.history

    @property
    def unsaved(self) -> Sequence[Message]:
        return self._shell.conversation.unsaved_here

    async def read_store(self, work: Callable[[Storage], T]) -> T:
        return await self._shell.conversation.reader(work)

    def read_steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        return self._shell.conversation.reader.steps(work)

    def progress(self, text: str) -> None:
        self._shell.presenter.progress(text)

    async def store(self, work: Callable[[Storage], T]) -> T:
        return await self._shell.conversation.store(work)

    def settings(self, plugin: str) -> Mapping[str, Any]:
        return self._shell.config.plugin_settings(plugin)

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        return self._shell.plugins.rows()

    async def resolve(self, reference: str) -> Session:
        # All in the storage's thread: there may be a hundred thousand to compare.
        return await self.store(lambda storage: resolve(reference, storage.sessions()))

    async def switch(self, session_id: str, at: str | None = None) -> None:
        await self._shell.open(session_id, at)

    async def refresh(self) -> None:
        await self._shell.refresh()

    async def set_model(self, name: str) -> None:
        await self._shell.conversation.set_model(name)
        self._shell.start_provider()

    def remember_model(self, name: str) -> None:
        self._shell.remember({"provider.model": name})
        self._shell.conversation.models.default = name

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        self._shell.conversation.agents[name] = self._shell.new_agent(name, table)

    async def set_agent(self, name: str | None) -> None:
        await self._shell.conversation.set_agent(name)

    def print(self, text: str = "", style: str = "") -> None:
        self._shell.frontend.print_lines(text_lines(wrapped(text, self.width), style))

    def print_lines(self, lines: Iterable[Line]) -> None:
        self._shell.frontend.print_lines(lines)

    def show_messages(self, messages: Sequence[Message]) -> None:
        self._shell.presenter.messages(messages)

    def metrics_summary(self) -> str:
        return figures_line(self._shell.conversation.ledger.run)

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        answer = await self._shell.frontend.confirm(question)
        if answer is None:
            raise nobody_to_ask(question, instead)
        return answer

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        return await self._shell.frontend.choose(options, default=default)

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        return await self._shell.check(repair=repair)

    def fill_input(self, text: str) -> None:
        self._shell.frontend.fill(text)

    async def edit_text(self, text: str) -> str | None:
        try:
            return await self._shell.frontend.edit(text)
        except UsageError as error:
            self._shell.fail(error.sentence())
            return None

    async def copy(self, text: str) -> str:
        from agno_shell.shell import clipboard

        return await clipboard.copy(text, self._shell.frontend.copy, os.environ)

    def clear(self) -> None:
        self._shell.frontend.clear()

    def exit(self) -> None:
        self._shell.leave()
