"""Messages by their numbers: a message's place on the path, counted from 1."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from agno_shell.contracts import CommandContext
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.typed_numbers import whole_number
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

PART = 200
"""Messages that are read together where more may be needed."""


async def named(context: CommandContext, word: str, usage: str) -> tuple[int, Message]:
    """The number that was typed, and the message on the path that has it. Raises
    ``UsageError``, of which ``usage`` is the hint."""
    length = await context.engine.messages.length()
    place = place_of(word, length, usage)
    (message,) = await context.engine.messages.part(place, place + 1)
    return place + 1, message


def place_of(word: str, length: int, usage: str) -> int:
    """The place on a path of so many messages, from 0, of the message with the number that was
    typed. Raises ``UsageError``, of which ``usage`` is the hint."""
    number = whole_number(word)
    if number is None:
        raise UsageError(
            f"A message's number is expected, not '{clean_line(word, 40)}'.", hint=usage
        )
    if not 0 < number <= length:
        there = f"has {count(length, 'message')}" if length else "is empty"
        raise UsageError(
            f"There is no message {number}: the conversation {there}.",
            hint="/history shows the numbers.",
        )
    return number - 1


async def backwards(context: CommandContext) -> AsyncGenerator[tuple[int, Sequence[Message]], None]:
    """The path from its end, some messages at a time, each time more, and the place of the
    first of them, from 0."""
    stop, size = await context.engine.messages.length(), PART
    while stop:
        start = max(0, stop - size)
        yield start, await context.engine.messages.part(start, stop)
        stop, size = start, min(2 * size, 50 * PART)


def excerpt(message: Message, limit: int = 60) -> str:
    """The first words of a message in one line."""
    words = clean_line(message.content[: limit * 8])
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"
