"""A command context without a terminal, for the tests of commands.

async def test_echo():
    context = FakeContext()
    await run(context, COMMAND, "hello")
    assert context.ui.lines == ["hello"]

Behind it is the real engine, on a storage in memory and a provider that answers from a script.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agno_shell import __version__
from agno_shell.contracts import Command, CommandContext, Line, Provider, Storage
from agno_shell.conversation.driver import Driver
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.tree.branches import Place
from agno_shell.errors import UsageError, nobody_to_ask
from agno_shell.testing.memory_engine import FakeProvider, memory_engine
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.toolkit.text_table import foreign_table_lines
from agno_shell.types import NOTHING, Finding, Message

T = TypeVar("T")


class FakeUi:
    """Records what is shown, and answers from what it was given.

    ``lines`` is the printed text as it was given, with its ``styles``; ``shown`` the messages;
    ``questions`` what was asked, ``offered`` what could be chosen and ``defaults`` where each
    list begins; ``filled`` what was put into the input, ``edited`` what the editor was given,
    ``copied``, ``progresses`` (how far a command had come), ``cleared`` (how often). ``answers``
    are what :meth:`ask` and :meth:`confirm` return, ``choices`` what :meth:`choose` and
    ``edits`` what :meth:`edit` returns, one after the other; without ``edits`` there is no
    editor. ``clipboard`` is what :meth:`copy` returns; None: there is no way. Without
    ``has_user`` nobody can be asked, as in a pipe.
    """

    def __init__(
        self,
        *,
        answers: Iterable[bool | str] = (),
        choices: Iterable[int | None] = (),
        edits: Iterable[str | None] = (),
        clipboard: str | None = "with xclip",
        width: int = 0,
        has_user: bool = True,
    ) -> None:
        self.answers = deque(answers)
        self.choices = deque(choices)
        self.edits = deque(edits)
        self.clipboard = clipboard
        self.width = width
        self.has_user = has_user
        self.flags = {"trace": False, "metrics": False}
        self.lines: list[str] = []
        self.styles: list[str] = []
        self.shown: list[Message] = []
        self.questions: list[str] = []
        self.offered: list[Sequence[Line]] = []
        self.defaults: list[int] = []
        self.filled: list[str] = []
        self.edited: list[str] = []
        self.copied: list[str] = []
        self.progresses: list[str] = []
        self.cleared = 0

    @property
    def text(self) -> str:
        """All that was printed, as one text."""
        return "\n".join(self.lines)

    def print(self, text: str = "", style: str = "") -> None:
        for line in text.split("\n"):
            self.lines.append(line)
            self.styles.append(style)

    def print_lines(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.print("".join(text for _style, text in line))

    def table(
        self, columns: Sequence[tuple[str, int | None, bool]], rows: Sequence[Sequence[str]]
    ) -> None:
        headings, *lines = foreign_table_lines(columns, rows, self.width)
        self.print(headings, "bold")
        for line in lines:
            self.print(line)

    def show_messages(self, messages: Sequence[Message]) -> None:
        self.shown.extend(messages)

    def progress(self, text: str) -> None:
        self.progresses.append(text)

    async def ask(self, question: str, *, instead: str = "") -> str:
        return str(self._answer(question, instead))

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        return bool(self._answer(question, instead))

    def _answer(self, question: str, instead: str) -> bool | str:
        if not self.has_user:
            raise nobody_to_ask(question, instead)
        self.questions.append(question)
        if not self.answers:
            raise AssertionError(f"The command asks {question!r}; give FakeContext its answers.")
        return self.answers.popleft()

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        if not self.has_user:
            return None
        self.offered.append(options)
        self.defaults.append(default)
        if not self.choices:
            raise AssertionError("The command offers a choice; give FakeContext its choices.")
        return self.choices.popleft()

    def fill(self, text: str) -> None:
        self.filled.append(text)

    async def edit(self, text: str) -> str | None:
        self.edited.append(text)
        return self.edits.popleft() if self.edits else None

    async def copy(self, text: str) -> str:
        if self.clipboard is None:
            raise UsageError("There is no clipboard.")
        self.copied.append(text)
        return self.clipboard

    def clear(self) -> None:
        self.cleared += 1


class FakeApp:
    """Records what a command does to the program: ``remembered`` (models), ``remembered_agents``
    (tables by name), ``repaired``, ``exited``. ``findings`` is what :meth:`check` returns."""

    version = __version__

    def __init__(
        self,
        *,
        commands: Iterable[Command] = (),
        config: Mapping[str, Any] = NOTHING,
        plugin_rows: Sequence[Mapping[str, Any]] = (),
        findings: Sequence[Finding] = (),
        storage_path: str = "",
    ) -> None:
        self.commands: Mapping[str, Command] = {command.name: command for command in commands}
        self.config = config
        self.findings = findings
        self.storage_path = storage_path
        self.remembered: list[str] = []
        self.remembered_agents: dict[str, Mapping[str, Any]] = {}
        self.repaired = False
        self.exited = False
        self._plugin_rows = plugin_rows

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        return self._plugin_rows

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        self.repaired = repair
        return self.findings

    def remember_model(self, name: str) -> None:
        self.remembered.append(name)

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        self.remembered_agents[name] = table

    def exit(self) -> None:
        self.exited = True


class FakeDriver(Driver):
    """Puts what the engine shows and asks where the commands' own is, and records what it
    opened: the ids of sessions in ``switched``, and the messages at which they were opened in
    ``switched_at``."""

    def __init__(self, engine: Engine, ui: FakeUi) -> None:
        self._engine = engine
        self._ui = ui
        self.switched: list[str] = []
        self.switched_at: list[str | None] = []
        self.not_sent_texts: list[str] = []

    @property
    def has_user(self) -> bool:
        return self._ui.has_user

    def notice(self, text: str, style: str = "class:notice") -> None:
        self._ui.print(text, style)

    def fail(self, text: str, style: str = "class:error") -> None:
        self._ui.print(text, style)

    def progress(self, text: str) -> None:
        self._ui.progress(text)

    def not_sent(self, text: str) -> None:
        self.not_sent_texts.append(text)

    async def opened(self, place: Place | None) -> None:
        self.switched.append(self._engine.session.session_id)
        self.switched_at.append(place.message.id if place else None)

    async def confirm(self, question: str) -> bool | None:
        return await self._ui.confirm(question) if self._ui.has_user else None


class DirectAccess:
    """A storage without a thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, work: Callable[[Storage], T]) -> T:
        return work(self._storage)

    async def read(self, work: Callable[[Storage], T]) -> T:
        return work(self._storage)

    async def steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        for step in work(self._storage):
            yield step


class FakeContext:
    """Fulfils :class:`~agno_shell.contracts.CommandContext` over any storage.

    It starts in the storage's current session, or in a new one called "First". ``memory`` is the
    storage itself, ``provider`` what answers; both can be looked at. The other arguments are
    those of :class:`FakeUi` and :class:`FakeApp`.
    """

    def __init__(
        self,
        storage: Storage | None = None,
        *,
        provider: Provider | None = None,
        model: str = "fake-model",
        agents: Mapping[str, Any] = NOTHING,
        commands: Iterable[Command] = (),
        config: Mapping[str, Any] = NOTHING,
        plugin_rows: Sequence[Mapping[str, Any]] = (),
        findings: Sequence[Finding] = (),
        storage_path: str = "",
        **of_ui: Any,
    ) -> None:
        self.memory = storage or MemoryStorage()
        self.provider = provider or FakeProvider()
        self.ui = FakeUi(**of_ui)
        self.app = FakeApp(
            commands=commands,
            config=config,
            plugin_rows=plugin_rows,
            findings=findings,
            storage_path=storage_path,
        )
        self.storage = DirectAccess(self.memory)
        self.engine = memory_engine(self.memory, self.provider, model=model, agents=agents)
        self.driver = FakeDriver(self.engine, self.ui)
        self.engine.driver = self.driver


async def run(context: CommandContext, command: Command, text: str = "") -> None:
    """Run a command as the shell does: stripped arguments, plain function or coroutine."""
    result = command.run(context, text.strip())
    if inspect.isawaitable(result):
        await result


if TYPE_CHECKING:

    def _fulfils(context: FakeContext) -> CommandContext:
        """Lets the type checker compare the fake with the contract."""
        return context
