"""What slash commands and plugins see of the shell: four parts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from agno_shell import __version__
from agno_shell.config import Agent, Config
from agno_shell.contracts import Command, Line
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.store import StorageAccess
from agno_shell.errors import UsageError, nobody_to_ask
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.lines import text_lines, wrapped
from agno_shell.shell.present import Presenter
from agno_shell.toolkit.text_table import foreign_table_lines
from agno_shell.types import Finding, Message

if TYPE_CHECKING:
    from agno_shell.shell.background import BackgroundWork
    from agno_shell.shell.exit import Exit


class ShellUi:
    """The :class:`~agno_shell.contracts.Ui` of a running shell. ``flags`` say what is shown
    behind each turn."""

    def __init__(self, frontend: Frontend, presenter: Presenter, flags: dict[str, bool]) -> None:
        self._frontend = frontend
        self._presenter = presenter
        self.flags = flags
        self.print_lines: Callable[[Iterable[Line]], None] = frontend.print_lines
        self.show_messages: Callable[[Sequence[Message]], None] = presenter.messages
        self.progress: Callable[[str], None] = presenter.progress
        self.fill = frontend.fill
        self.clear = frontend.clear

    @property
    def width(self) -> int:
        return self._frontend.width

    def print(self, text: str = "", style: str = "") -> None:
        self._frontend.print_lines(text_lines(wrapped(text, self.width), style))

    def table(
        self, columns: Sequence[tuple[str, int | None, bool]], rows: Sequence[Sequence[str]]
    ) -> None:
        headings, *lines = foreign_table_lines(columns, rows, self.width)
        self.print(headings, "bold")
        for line in lines:
            self.print(line)

    async def ask(self, question: str, *, instead: str = "") -> str:
        answer = await self._frontend.ask(question)
        if answer is None:
            raise nobody_to_ask(question, instead)
        return answer

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        answer = await self._frontend.confirm(question)
        if answer is None:
            raise nobody_to_ask(question, instead)
        return answer

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        return await self._frontend.choose(options, default=default)

    async def edit(self, text: str) -> str | None:
        try:
            return await self._frontend.edit(text)
        except UsageError as error:
            self._presenter.fail(error.sentence())
            return None

    async def copy(self, text: str) -> str:
        from agno_shell.shell import clipboard

        return await clipboard.copy(text, self._frontend.copy, os.environ)


class ShellApp:
    """The :class:`~agno_shell.contracts.App` of a running shell, for whatever is no plugin's."""

    version = __version__

    def __init__(
        self,
        engine: Engine,
        background: BackgroundWork,
        leaving: Exit,
        config: Config,
        *,
        remember: Callable[[Mapping[str, Any]], None],
        new_agent: Callable[[str, Mapping[str, Any]], Agent],
        examine: Callable[[bool], Sequence[Finding]],
    ) -> None:
        self._engine = engine
        self._background = background
        self._config = config
        self._remember = remember
        self.new_agent = new_agent
        self.examine = examine
        """Looks at, or mends, what no other part looks at itself."""
        self.exit = leaving.want
        self.config: Mapping[str, Any] = {}

    def of(self, plugin: str) -> ShellApp:
        """The same for a plugin: with its own settings, and nobody else's."""
        app = copy(self)
        app.config = self._config.plugin_settings(plugin)
        return app

    @property
    def storage_path(self) -> str:
        return self._config.storage_path

    @property
    def commands(self) -> Mapping[str, Command]:
        return self._engine.plugins.commands.all()

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        return self._engine.plugins.rows()

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        from agno_shell.diagnosis import parts

        await self._background.loaded()
        return [
            *await asyncio.to_thread(self.examine, repair),
            *await parts.provider(self._engine.models),
            *await parts.background(self._engine.models),
            *await parts.storage_of(self._engine.reader, repair=repair),
        ]

    def remember_model(self, name: str) -> None:
        self._remember({"provider.model": name})
        self._engine.models.default = name

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        self._engine.current.agents[name] = self.new_agent(name, table)


class ShellContext:
    """The :class:`~agno_shell.contracts.CommandContext` of a running shell."""

    def __init__(self, engine: Engine, ui: ShellUi, app: ShellApp) -> None:
        self.engine = engine
        self.ui = ui
        self.storage = StorageAccess(engine.store, engine.reader)
        self.app = app

    def of(self, plugin: str) -> ShellContext:
        """The same for what a plugin brought."""
        return ShellContext(self.engine, self.ui, self.app.of(plugin))
