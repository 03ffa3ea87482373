"""A command context without a terminal, for the tests of commands.

async def test_echo():
    context = FakeContext()
    await run(context, COMMAND, "hello")
    assert context.lines == ["hello"]
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agno_shell.contracts import (
    Command,
    CommandContext,
    KnownModel,
    Line,
    ModelList,
    Provider,
    Storage,
)
from agno_shell.errors import SessionNotFoundError, UsageError, nobody_to_ask
from agno_shell.testing.fake_conversation import FakeConversation
from agno_shell.testing.scripted_provider import ScriptedProvider, Step
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import NOTHING, Finding, Message, Session

T = TypeVar("T")


class FakeProvider(ScriptedProvider):
    """Answers from a script, and lists the models that it was given."""

    name = "fake"

    def __init__(self, *scripts: Sequence[Step | str], models: Sequence[str] = ()) -> None:
        super().__init__(*scripts)
        self.model_names = tuple(models)

    async def models(self) -> Sequence[str]:
        return self.model_names


class FakeContext:
    """Fulfils :class:`~agno_shell.contracts.CommandContext` over any storage.

    It starts in the storage's current session, or in a new one called "First". What a
    command does to the shell is recorded: ``lines`` (printed text, as given), ``shown``
    (messages), ``questions``, ``offered`` (what could be chosen) and ``defaults`` (where
    each list begins), ``switched`` (session ids) and ``switched_at`` (message ids),
    ``remembered`` (models), ``remembered_agents`` (tables by name), ``filled`` (what was
    put into the input), ``edited`` (what the editor was given), ``copied``, ``progresses`` (how far
    it had come), ``cleared`` (how often), ``repaired``, ``exited``. ``answers`` are what
    :meth:`confirm` returns, ``choices`` what :meth:`choose` and ``edits`` what
    :meth:`edit_text` returns, one after the other; without ``edits`` there is no editor.
    ``clipboard`` is what :meth:`copy` returns; None: there is no way. Without ``has_person``
    nobody can be asked, as in a pipe. ``findings`` is what :meth:`check` returns. What a
    command does to the conversation is recorded by ``conversation``.
    """

    def __init__(
        self,
        storage: Storage | None = None,
        *,
        provider: Provider | None = None,
        model: str = "fake-model",
        agents: Mapping[str, Any] = NOTHING,
        commands: Iterable[Command] = (),
        settings: Mapping[str, Mapping[str, Any]] = NOTHING,
        plugin_rows: Sequence[Mapping[str, Any]] = (),
        answers: Iterable[bool] = (),
        choices: Iterable[int | None] = (),
        edits: Iterable[str | None] = (),
        clipboard: str | None = "with xclip",
        findings: Sequence[Finding] = (),
        width: int = 0,
        has_person: bool = True,
        storage_path: str = "",
        address: str = "",
        metrics_summary: str = "",
    ) -> None:
        self.storage = storage or _memory_storage()
        self.provider: Provider = provider or FakeProvider()
        self.model = model
        self.address = address
        self.agent: str | None = None
        self.agents = agents
        self.commands: Mapping[str, Command] = {command.name: command for command in commands}
        self.flags = {"trace": False, "metrics": False}
        self.width = width
        self.has_person = has_person
        self.storage_path = storage_path
        self.answers = deque(answers)
        self.choices = deque(choices)
        self.edits = deque(edits)
        self.clipboard = clipboard
        self.findings = findings
        self.offered: list[Sequence[Line]] = []
        self.defaults: list[int] = []
        self.unsaved: list[Message] = []
        self.lines: list[str] = []
        self.styles: list[str] = []
        self.shown: list[Message] = []
        self.questions: list[str] = []
        self.switched: list[str] = []
        self.switched_at: list[str | None] = []
        self.remembered: list[str] = []
        self.remembered_agents: dict[str, Mapping[str, Any]] = {}
        self.filled: list[str] = []
        self.edited: list[str] = []
        self.copied: list[str] = []
        self.progresses: list[str] = []
        self.cleared = 0
        self.exited = False
        self.repaired = False
        self._settings = settings
        self._plugin_rows = plugin_rows
        self._metrics_summary = metrics_summary
        self.session = self._first_session()
        self.conversation = FakeConversation(self)

    @property
    def asked_at(self) -> str:
        return self.address or self.provider.asked_at(self.model)

    async def models(self, *, ask: bool = True) -> ModelList:
        if ask:
            return await self.provider.list_models(self.model)
        return ModelList([KnownModel(name) for name in await self.provider.models()])

    def _first_session(self) -> Session:
        current = self.storage.current()
        session = self.storage.open(current) if current else self.storage.create("First")
        self.storage.set_current(session.session_id)
        return session

    @property
    def text(self) -> str:
        """All that was printed, as one text."""
        return "\n".join(self.lines)

    @property
    def history(self) -> Sequence[Message]:
        return [*self.storage.messages(self.session.session_id), *self.unsaved]

    async def store(self, work: Callable[[Storage], T]) -> T:
        return work(self.storage)

    async def read_store(self, work: Callable[[Storage], T]) -> T:
        return work(self.storage)

    async def read_steps(self, work: Callable[[Storage], Iterator[T]]) -> AsyncGenerator[T, None]:
        for step in work(self.storage):
            yield step

    def progress(self, text: str) -> None:
        self.progresses.append(text)

    def settings(self, plugin: str) -> Mapping[str, Any]:
        return self._settings.get(plugin, NOTHING)

    def plugin_rows(self) -> Sequence[Mapping[str, Any]]:
        return self._plugin_rows

    async def resolve(self, reference: str) -> Session:
        sessions = self.storage.sessions()
        for found in (
            [each for each in sessions if each.session_id == reference],
            [each for each in sessions if each.name == reference],
            [each for each in sessions if reference and each.session_id.startswith(reference)],
            [each for each in sessions if each.name.casefold() == reference.casefold()],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                raise SessionNotFoundError(
                    f"{len(found)} sessions answer to {clean_line(reference)!r}.",
                    candidates=[f"{each.session_id[:8]}  {each.name}" for each in found],
                )
        raise SessionNotFoundError(f"No session answers to {clean_line(reference)!r}.")

    async def switch(self, session_id: str, at: str | None = None) -> None:
        self.session = self.storage.open(session_id)
        self.storage.set_current(session_id)
        self.switched.append(session_id)
        self.switched_at.append(at)

    async def refresh(self) -> None:
        self.session = self.storage.open(self.session.session_id)

    async def set_model(self, name: str) -> None:
        self.model = name
        self.session = self.storage.update(self.session.session_id, model=name)

    def remember_model(self, name: str) -> None:
        self.remembered.append(name)

    async def set_agent(self, name: str | None) -> None:
        self.agent = name
        self.session = self.storage.update(self.session.session_id, agent=name)

    def print(self, text: str = "", style: str = "") -> None:
        for line in text.split("\n"):
            self.lines.append(line)
            self.styles.append(style)

    def print_lines(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.print("".join(text for _style, text in line))

    def show_messages(self, messages: Sequence[Message]) -> None:
        self.shown.extend(messages)

    def metrics_summary(self) -> str:
        return self._metrics_summary

    async def confirm(self, question: str, *, instead: str = "") -> bool:
        if not self.has_person:
            raise nobody_to_ask(question, instead)
        self.questions.append(question)
        if not self.answers:
            raise AssertionError(f"The command asks {question!r}; give FakeContext its answers.")
        return self.answers.popleft()

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        if not self.has_person:
            return None
        self.offered.append(options)
        self.defaults.append(default)
        if not self.choices:
            raise AssertionError("The command offers a choice; give FakeContext its choices.")
        return self.choices.popleft()

    async def check(self, *, repair: bool = False) -> Sequence[Finding]:
        self.repaired = repair
        return self.findings

    def fill_input(self, text: str) -> None:
        self.filled.append(text)

    async def edit_text(self, text: str) -> str | None:
        self.edited.append(text)
        return self.edits.popleft() if self.edits else None

    async def copy(self, text: str) -> str:
        if self.clipboard is None:
            raise UsageError("There is no clipboard.")
        self.copied.append(text)
        return self.clipboard

    def remember_agent(self, name: str, table: Mapping[str, Any]) -> None:
        self.remembered_agents[name] = table

    def clear(self) -> None:
        self.cleared += 1

    def exit(self) -> None:
        self.exited = True


async def run(context: CommandContext, command: Command, text: str = "") -> None:
    """Run a command as the shell does: stripped arguments, plain function or coroutine."""
    result = command.run(context, text.strip())
    if inspect.isawaitable(result):
        await result


def _memory_storage() -> Storage:
    from agno_shell.testing.memory_storage import MemoryStorage

    return MemoryStorage()


if TYPE_CHECKING:

    def _fulfils(context: FakeContext) -> CommandContext:
        """Lets the type checker compare the fake with the contract."""
        return context
