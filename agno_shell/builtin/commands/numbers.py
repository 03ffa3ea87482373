"""Messages by their numbers: a message's place on the path, counted from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agno_shell.errors import UsageError
from agno_shell.terminal_text import clean_line
from agno_shell.types import Message
from agno_shell.wording import count


def place_of(word: str, path: Sequence[Message], usage: str) -> int:
    """The place on the path, from 0, of the message with the number that was typed. Raises
    ``UsageError``, of which ``usage`` is the hint."""
    # int() alone takes "٣" and "1_0", and raises for thousands of digits.
    if not re.fullmatch(r"[0-9]{1,9}", word):
        raise UsageError(
            f"A message's number is expected, not '{clean_line(word, 40)}'.", hint=usage
        )
    if not 0 < int(word) <= len(path):
        there = f"has {count(len(path), 'message')}" if path else "is empty"
        raise UsageError(
            f"There is no message {int(word)}: the conversation {there}.",
            hint="/history shows the numbers.",
        )
    return int(word) - 1


def excerpt(message: Message, limit: int = 60) -> str:
    """The first words of a message in one line."""
    words = clean_line(message.content[: limit * 8])
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"
