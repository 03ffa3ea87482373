"""How sessions and times are put in words."""

from __future__ import annotations

from datetime import datetime

from agno_shell.builtin.commands.arguments import SHOWN_LENGTH
from agno_shell.contracts import KnownModel
from agno_shell.toolkit.terminal_text import clean_line
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


def window_words(model: KnownModel) -> str:
    """``200,000 tokens``, ``4,096 of 131,072 tokens``, ``up to 131,072 tokens``; empty where
    nothing is known."""
    window, largest = model.window, model.largest_window
    if window is None:
        return f"up to {largest:,} tokens" if largest else ""
    if largest and largest > window:
        return f"{window:,} of {largest:,} tokens"
    return f"{window:,} tokens"


def price_words(model: KnownModel) -> str:
    """What a million tokens cost, sent and received: ``$0.25 / $2.00``; empty where that is not
    known."""
    sent, received = model.input_price, model.output_price
    if sent is None or received is None:
        return ""
    return f"${sent * 1e6:,.2f} / ${received * 1e6:,.2f}"
