"""A context whose commands are the real ones, and a way to type them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from agno_shell.builtin.commands.plugin import register_commands
from agno_shell.contracts import Completion
from agno_shell.conversation.open_session import CHOSEN_HERE
from agno_shell.errors import AgnoShellError
from agno_shell.testing.fake_context import FakeContext, run
from agno_shell.types import Message, Role, Session, new_id, now

Type = Callable[[str], Awaitable[str]]

RECORDED = (
    "ask",
    "retry",
    "resume",
    "edit",
    "undo",
    "redo",
    "go_to",
    "fork",
    "recover",
    "receipt",
    "pin",
    "compact",
    "uncompact",
    "figures",
    "set_reasoning",
    "list_models",
)


class Context(FakeContext):
    """Its engine does what commands want, and each call of it is recorded in ``calls`` as its
    name and its arguments, as in ``("retry", "model-b")``. A call that is named in ``errors``
    raises what stands there, one that is named in ``results`` returns that."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.calls: list[tuple[Any, ...]] = []
        self.errors: dict[str, AgnoShellError] = {}
        self.results: dict[str, Any] = {}
        for name in RECORDED:
            setattr(self.engine, name, self._recorded(name, getattr(self.engine, name)))

    def _recorded(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def record(*given: Any, **named: Any) -> Any:
            self.calls.append((name, *given, *named.values()))
            if name in self.errors:
                raise self.errors[name]
            return self.results[name] if name in self.results else await method(*given, **named)

        return record

    def know(self, record: Session) -> None:
        """Let the engine know of a record that was changed in the storage."""
        self.engine.open_session.take(record, changed=CHOSEN_HERE)

    def hold(self, messages: Sequence[Message]) -> None:
        """Let the engine hold these messages of the path, and no others."""
        path = self.engine.open_session.path
        path.set(messages)
        path.is_whole = not messages or messages[0].parent is None

    def keep_unsaved(self, message: Message) -> None:
        """Let a message be said that cannot be saved."""
        outbox = self.engine.journal.outbox
        outbox._waiting.setdefault(self.engine.session.session_id, []).append(message)
        outbox._refused.add(message.id)
        self.engine.open_session.path.append(message)

    def say(self, message: Message) -> None:
        """Let a message be said, without a turn."""
        record = self.memory.append(self.engine.session.session_id, message)
        self.engine.open_session.path.append(message)
        self.know(record)


@pytest.fixture
def make_context() -> Callable[..., Context]:
    """Makes a context with all builtin commands; takes the arguments of FakeContext."""

    def make(**arguments: Any) -> Context:
        return Context(commands=register_commands(), **arguments)

    return make


@pytest.fixture
def context(make_context: Callable[..., Context]) -> Context:
    return make_context()


@pytest.fixture
def type_line() -> Callable[[Context, str], Awaitable[str]]:
    """Runs a line such as ``/new Plan``; returns what it printed."""

    async def type_line(context: Context, line: str) -> str:
        name, _, text = line.removeprefix("/").partition(" ")
        before = len(context.ui.lines)
        await run(context, context.app.commands[name], text)
        return "\n".join(context.ui.lines[before:])

    return type_line


@pytest.fixture
def complete() -> Callable[[Context, str], Awaitable[list[Completion]]]:
    """What is offered behind a line such as ``/switch Pl``."""

    async def complete(context: Context, line: str) -> list[Completion]:
        name, _, text = line.removeprefix("/").partition(" ")
        offers = context.app.commands[name].complete
        assert offers is not None
        return list(await offers(context, text))

    return complete


@pytest.fixture
def say() -> Callable[..., None]:
    """Appends messages to the open session, written as ``user: text``."""

    def say(context: Context, *lines: str) -> None:
        said = context.memory.messages(context.engine.session.session_id, 1)
        parent = said[0].id if said else None
        for line in lines:
            role, _, content = line.partition(": ")
            message = Message(new_id(), cast("Role", role), content, now(), parent)
            context.say(message)
            parent = message.id

    return say
