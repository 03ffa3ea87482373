"""The rows of a tree of branches as lines for the terminal. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from agno_shell.builtin.commands.tree_shape import Row
from agno_shell.contracts import Line
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import shorten, text_width
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

MARK, NO_MARK = "* ", "  "

NARROW = 60
"""Columns; in fewer there is no room for more than words."""

WIDE = 160
"""Columns where lines may be of any length."""

LONGEST_MODEL = 20

LONGEST_WORDS = 1_000
"""Characters of a message that are looked at."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

STATES = {"interrupted": "stopped", "incomplete": "cut off", "failed": "no answer"}

_FAINT = "class:notice"


def lines(rows: Sequence[Row], width: int, today: date) -> list[Line]:
    """Each row in ``width`` columns at most; 0: as many as it takes. The model is named where
    there are several."""
    models = {each.model for row in rows for each in row.messages if each.model}
    return [_line(row, width, today, with_model=len(models) > 1) for row in rows]


def _line(row: Row, width: int, today: date, *, with_model: bool) -> Line:
    if row.left_out:
        what = count(row.gap, "message") if row.gap else count(row.left_out, "turn")
        return ((_FAINT, f"{NO_MARK}{row.lead}… {what}"),)
    mark = MARK if row.is_head else NO_MARK
    columns = width or WIDE
    facts = _facts(row, today, with_model=with_model) if columns >= NARROW else ""
    room = columns - text_width(mark + row.lead) - text_width(facts) - 2 * bool(facts)
    question, reply = _words(row)
    if question and reply:
        least = min(text_width(reply), room // 2)
        question = shorten(question, room - least - 2)
        reply = "  " + shorten(reply, room - text_width(question) - 2)
    else:
        question, reply = shorten(question, room), shorten(reply, room)
    # Without a width there is no right end at which the facts could stand.
    blanks = " " * (2 + (room - text_width(question + reply) if width else 0))
    return (
        ("class:prompt" if row.is_head else _FAINT, mark),
        (_FAINT, row.lead),
        ("class:heading" if row.is_head else "", question),
        (_FAINT, reply + (blanks + facts if facts else "")),
    )


def _words(row: Row) -> tuple[str, str]:
    """The first words of the question, and of the last reply that has any, each behind its
    number."""
    first = row.messages[0]
    question = _numbered(row, 0) if first.role == "user" else ""
    said = [
        place
        for place, each in enumerate(row.messages)
        if each.role != "user" and (each.content.strip() or each.status != "complete")
    ]
    replies = [place for place in said if row.messages[place].role == "assistant"] or said
    if replies:
        return question, _numbered(row, replies[-1])
    return question, "" if question else _numbered(row, 0)


def _numbered(row: Row, place: int) -> str:
    message = row.messages[place]
    words = clean_line(message.content[:LONGEST_WORDS]) or STATES.get(message.status, "…")
    if message.role not in ("user", "assistant"):
        words = f"({message.role}) {words}"
    return words if row.number is None else f"{row.number + place} {words}"


def _facts(row: Row, today: date, *, with_model: bool) -> str:
    replies = [each for each in row.messages if each.role == "assistant"]
    last = replies[-1] if replies else None
    facts = []
    if last and last.status != "complete" and last.content.strip():
        facts.append(STATES.get(last.status, last.status))
    if with_model and last and last.model:
        facts.append(_model(last))
    facts.append(_when(row.messages[-1].created_at, today))
    return " · ".join(facts)


def _model(reply: Message) -> str:
    """The end of a model's name, which tells more than the name of who serves it."""
    name = clean_line(reply.model or "")
    return shorten(name.rpartition("/")[2] or name, LONGEST_MODEL)


def _when(moment: datetime, today: date) -> str:
    """``10:30`` today, ``Jul 20`` in this year, else ``2025-07-20``."""
    try:
        local = moment.astimezone()
    except (OverflowError, ValueError, OSError):  # the year 1 or 9999, by a hand edit
        local = moment
    if local.date() == today:
        return local.strftime("%H:%M")
    if local.year == today.year:
        return f"{MONTHS[local.month - 1]} {local.day}"
    return local.date().isoformat()
