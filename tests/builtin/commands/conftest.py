"""A context whose commands are the real ones, and a way to type them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from agno_shell.builtin.commands.plugin import register_commands
from agno_shell.contracts import Completion
from agno_shell.testing.fake_context import FakeContext, run
from agno_shell.types import Message, Role, new_id, now

Type = Callable[[str], Awaitable[str]]


@pytest.fixture
def make_context() -> Callable[..., FakeContext]:
    """Makes a context with all builtin commands; takes the arguments of FakeContext."""

    def make(**arguments: Any) -> FakeContext:
        return FakeContext(commands=register_commands(), **arguments)

    return make


@pytest.fixture
def context(make_context: Callable[..., FakeContext]) -> FakeContext:
    return make_context()


@pytest.fixture
def type_line() -> Callable[[FakeContext, str], Awaitable[str]]:
    """Runs a line such as ``/new Plan``; returns what it printed."""

    async def type_line(context: FakeContext, line: str) -> str:
        name, _, text = line.removeprefix("/").partition(" ")
        before = len(context.lines)
        await run(context, context.commands[name], text)
        return "\n".join(context.lines[before:])

    return type_line


@pytest.fixture
def complete() -> Callable[[FakeContext, str], Awaitable[list[Completion]]]:
    """What is offered behind a line such as ``/switch Pl``."""

    async def complete(context: FakeContext, line: str) -> list[Completion]:
        name, _, text = line.removeprefix("/").partition(" ")
        offers = context.commands[name].complete
        assert offers is not None
        return list(await offers(context, text))

    return complete


@pytest.fixture
def say() -> Callable[..., None]:
    """Appends messages to the open session, written as ``user: text``."""

    def say(context: FakeContext, *lines: str) -> None:
        said = context.storage.messages(context.session.session_id, 1)
        parent = said[0].id if said else None
        for line in lines:
            role, _, content = line.partition(": ")
            message = Message(new_id(), cast("Role", role), content, now(), parent)
            context.session = context.storage.append(context.session.session_id, message)
            parent = message.id

    return say
