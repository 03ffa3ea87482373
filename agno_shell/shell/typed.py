"""What a typed text is: a message, a command, or the wish to leave. Pure functions.

A command begins with ``/`` in the first column; its arguments end with its line, unless it
takes several. A first word with a second slash is a path or a comment, so the text is a message.
A blank in front makes a message of any text, and is not part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from agno_shell.errors import UsageError
from agno_shell.toolkit.nearest import nearest
from agno_shell.toolkit.terminal_text import clean_line

ESCAPE = " "

LEAVING = frozenset({"exit", "quit", "exit()", "quit()", ":q", ":q!", ":wq"})
"""Texts that leave the shell, whatever their case: its own words, Python's and vi's."""

ASKING_FOR_HELP = frozenset({"help", "help()", "?"})
"""Messages to the model that were more likely meant for the shell."""

AS_A_MESSAGE = "Nothing was sent; with a blank in front it is sent as a message."

LONGEST_NAME = 40
"""Characters; a longer word is shown cut, and no command is looked for that is like it."""


class Say(NamedTuple):
    """A message to the model."""

    text: str


class Call(NamedTuple):
    """A command, and all that was typed behind its name, stripped."""

    name: str
    arguments: str


class Leave(NamedTuple):
    """The user wants to leave the shell."""


def read(text: str) -> Say | Call | Leave | None:
    """What ``text`` is; None where it holds only blanks."""
    if not text.strip():
        return None
    if text.startswith(ESCAPE) and _is_special(text.lstrip(ESCAPE)):
        return Say(text.removeprefix(ESCAPE).rstrip())
    if _is_leaving(text):
        return Leave()
    if not is_command(text):
        return Say(text.rstrip())
    name = _first_word(text)
    return Call(name[1:], text[len(name) :].strip())


def is_command(text: str) -> bool:
    """Whether the first line of ``text`` is a command, as far as it is typed."""
    return text.startswith("/") and "/" not in _first_word(text)[1:]


def escaped(text: str) -> str:
    """What is to be typed so that exactly ``text`` is a message."""
    return ESCAPE + text if _is_special(text.lstrip(ESCAPE)) else text


def unknown(name: str, known: Iterable[str]) -> UsageError:
    """The error for a command that there is not."""
    near = nearest(name, known) if len(name) <= LONGEST_NAME else None
    hint = f"Did you mean /{near}?" if near else "/help lists them."
    return UsageError(
        f"There is no command /{clean_line(name, LONGEST_NAME)}.", hint=f"{hint} {AS_A_MESSAGE}"
    )


def too_many_lines(name: str) -> UsageError:
    """The error for a command with more lines below it. They may be the rest of its argument
    or the next message: neither is done, because the other may be meant."""
    return UsageError(
        f"/{name} takes one line, and there are more below it.",
        hint="Nothing was done: send them apart, or all of it as a message with a blank in front.",
    )


def _is_special(text: str) -> bool:
    return _is_leaving(text) or is_command(text)


def _is_leaving(text: str) -> bool:
    return len(text) <= LONGEST_NAME and text.strip().casefold() in LEAVING


def _first_word(text: str) -> str:
    """Up to the first blank, or end of a line; empty where the text begins with one."""
    found = re.match(r"\S*", text)
    return found[0] if found else ""
