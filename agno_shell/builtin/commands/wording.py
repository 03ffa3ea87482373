"""How sessions and times are put in words."""

from __future__ import annotations

from datetime import datetime

from agno_shell.builtin.commands.arguments import SHOWN_LENGTH
from agno_shell.terminal_text import clean_line
from agno_shell.types import Session, now

_AGES = (
    (365 * 24 * 3600, "years"),
    (30 * 24 * 3600, "months"),
    (24 * 3600, "days"),
    (3600, "hours"),
    (60, "minutes"),
)


def label(session: Session) -> str:
    """``'Name' (1a2b3c4d)``, as confirmations say it."""
    return f"'{clean_line(session.name)}' ({short_id(session)})"


def short_id(session: Session) -> str:
    return session.session_id[:SHOWN_LENGTH]


def age(moment: datetime) -> str:
    """``3 hours ago``; a moment in the future, after a clock jump, is ``just now``."""
    seconds = (now() - moment).total_seconds()
    for size, unit in _AGES:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit if count > 1 else unit[:-1]} ago"
    return "just now"


def one_of(names: list[str]) -> str:
    """A hint that names what was perhaps meant; empty without names."""
    if not names:
        return ""
    return f"Nearest: {', '.join(clean_line(name) for name in names)}."
