"""What is typed behind a command, taken apart: pure functions over text and sessions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agno_shell.errors import UsageError
from agno_shell.toolkit.nearest import alike
from agno_shell.toolkit.session_names import name_key, required_name
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.typed_numbers import whole_number
from agno_shell.types import Session

PREFIX_LENGTH = 4
"""Fewer characters of an id are more likely a word than a reference."""

SHOWN_LENGTH = 8
"""The characters of an id that tables and confirmations show."""

YES = "--yes"
"""The option of a command that asks: the answer is yes."""

# Patterns are compiled when they are first used: this module is imported at every start.
_SEPARATOR = r"(?:^|\s)--(?:\s|$)"
_ID_CHARACTERS = frozenset("0123456789abcdef-")


def unquote(text: str) -> str:
    """``text`` without the pair of quotes around the whole of it, if there is one."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]:
        return text[1:-1].strip()
    return text


def first_word(text: str) -> tuple[str, str]:
    """The first word, or quoted words, of ``text`` and the rest; both stripped.

    A quote that is never closed is an ordinary character: names hold apostrophes.
    """
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        if end > 0 and (end + 1 == len(text) or text[end + 1].isspace()):
            return text[1:end].strip(), text[end + 1 :].strip()
    word, *rest = text.split(maxsplit=1)[:2] or [""]
    return word, rest[0].strip() if rest else ""


def shown(text: str) -> str:
    """What was typed, in quotes for an error."""
    return f"'{clean_line(text, 40)}'"


def require_nothing(text: str, command: str, hint: str = "") -> None:
    """Raise :class:`UsageError` when anything was typed behind a command without arguments."""
    if text.strip():
        raise UsageError(f"/{command} takes no arguments, not {shown(text)}.", hint=hint)


def take_flag(text: str, flag: str) -> tuple[str, bool]:
    """``text`` without ``flag``, and whether that is its first or its last word."""
    words = text.split()
    if flag in words[:1]:
        return text.strip().removeprefix(flag).strip(), True
    if flag in words[-1:]:
        return text.strip().removesuffix(flag).strip(), True
    return text.strip(), False


def split_description(text: str) -> tuple[str, str]:
    """``NAME -- DESCRIPTION`` in its two parts, unquoted; either may be empty."""
    parts = re.split(_SEPARATOR, text, maxsplit=1)
    return unquote(parts[0]), unquote(parts[1]) if len(parts) > 1 else ""


def clean_name(text: str) -> str:
    """A session's name in one line; raises :class:`UsageError` when nothing is left, and
    for a longer one than a session may have."""
    return required_name(unquote(text), "Type one behind the command.")


def split_reference(
    text: str, sessions: Sequence[Session], open_id: str
) -> tuple[Session | None, str]:
    """``[REF] TEXT`` taken apart: the session meant, or None for the open one, and TEXT.

    The first word, or quoted words, are a reference only when more words follow and they
    name exactly one session: by an id, by :data:`PREFIX_LENGTH` characters of one, or by
    an exact name. The open session needs no reference, so its name is taken for one only
    in quotes, and its id only from :data:`SHOWN_LENGTH` characters on: ``/rename Plan B``
    in a session called "Plan" calls it "Plan B".
    """
    word, rest = first_word(text)
    if not rest:
        return None, text.strip()
    found = by_id(word, sessions)
    if found and found.session_id == open_id and len(word) < SHOWN_LENGTH:
        found = None
    quoted = not text.strip().startswith(word)
    found = found or _by_name(word, sessions, "" if quoted else open_id)
    return (found, rest) if found else (None, text.strip())


def by_id(word: str, sessions: Iterable[Session]) -> Session | None:
    """The only session whose id begins with ``word``; None for short words and for none."""
    if len(word) < PREFIX_LENGTH or not _ID_CHARACTERS.issuperset(word.lower()):
        return None
    found = [session for session in sessions if session.session_id.startswith(word.lower())]
    return found[0] if len(found) == 1 else None


def _by_name(word: str, sessions: Iterable[Session], except_id: str) -> Session | None:
    """The only session of this name, unless its id is ``except_id``."""
    key = name_key(word)
    found = [session for session in sessions if name_key(session.name) == key]
    if len(found) != 1 or found[0].session_id == except_id:
        return None
    return found[0]


def switch_word(text: str, command: str) -> bool | None:
    """``on`` or ``off`` as a boolean; None when nothing was typed."""
    word = text.strip().lower()
    if word in ("", "on", "off"):
        return None if not word else word == "on"
    raise UsageError(
        f"/{command} takes on or off, not {shown(word)}.", hint=f"Usage: /{command} [on|off]"
    )


def positive_number(text: str, command: str, default: int | None = None) -> int:
    """A whole number from 1 to 999,999,999; ``default``, if there is one, when nothing was
    typed."""
    word = text.strip()
    if not word and default is not None:
        return default
    number = whole_number(word)
    if not number:
        raise UsageError(
            f"/{command} takes a number from 1 up, not {shown(word)}.",
            hint=f"Usage: /{command} {'N' if default is None else '[N]'}",
        )
    return number


def nearest(word: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """The names most like ``word``, whatever their case, the nearest first."""
    names, folded = list(names), word.casefold()
    inside = [name for name in names if folded and folded in name.casefold()]
    return list(dict.fromkeys(alike(word, names, limit) + inside))[:limit]
