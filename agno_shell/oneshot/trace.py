"""``agno-shell trace``: what happened in the stored turns of a session, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from agno_shell.contracts.storage import Storage
from agno_shell.conversation.accounts.figures import of_messages
from agno_shell.conversation.accounts.stored_turns import (
    StoredTurn,
    duration,
    step_of,
    turns_of,
    with_id,
)
from agno_shell.conversation.references import resolve
from agno_shell.errors import UsageError
from agno_shell.oneshot import exported
from agno_shell.oneshot.output import terminal_width
from agno_shell.options import TraceOptions
from agno_shell.reports import dollars, seconds, trace_lines, trace_record
from agno_shell.terminal_text import clean_line
from agno_shell.text_table import Column, table_lines
from agno_shell.types import Session, local_time

_COLUMNS = (
    Column("Turn"),
    Column("When"),
    Column("Model", minimum=8),
    Column("Status"),
    Column("Took", right=True),
    Column("Tokens", right=True),
    Column("Cost", right=True),
    Column("Question", minimum=12),
)

SHOWN_LENGTH = 8
"""Characters of an id."""

MESSAGES_A_TURN = 4
"""Read at first for each turn that is wanted; a turn with many tools takes another reading."""


def run(storage: Storage, options: TraceOptions, out: TextIO) -> int:
    """List turns, show one or export some; the exit status.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` for a turn that is not there, and what the storage raises.
    """
    session = meant(storage, options.session)
    if options.action == "list":
        _list(session, last_turns(storage, session.session_id, options.limit), options, out)
        return 0
    if options.action == "export" and not options.turn:
        turns = turns_of(storage.messages(session.session_id))
        record: Any = [as_json(session, turn) for turn in turns]
    else:
        turns = [_chosen(storage, session, options.turn)]
        record = as_json(session, turns[0])
    if options.action == "show":
        if options.json:
            _write_json(record, out)
        else:
            out.write("\n".join([*_shown(turns[0], terminal_width(out)), ""]))
        return 0
    if options.format == "json":
        text = json.dumps(record, indent=2) + "\n"
    else:
        text = _document(session, turns, markdown=options.format == "markdown")
    exported.write([text], options.output, out)
    return 0


def meant(storage: Storage, reference: str | None) -> Session:
    """The session of a reference; without one, the current session."""
    if reference is not None:
        return resolve(reference, storage.sessions())
    current = storage.current()
    if current is None:
        raise UsageError("No session is current.", hint="Name one with --session REF.")
    return storage.open(current)


def last_turns(storage: Storage, session_id: str, limit: int) -> list[StoredTurn]:
    """The last turns of a conversation, oldest first, at a cost that depends on them and not
    on its length."""
    wanted = limit * MESSAGES_A_TURN
    while True:
        path = storage.messages(session_id, last=wanted)
        turns = turns_of(path)
        if len(turns) >= limit or len(path) < wanted:
            return turns[-limit:]
        wanted *= 4


def as_json(session: Session, turn: StoredTurn) -> dict[str, Any]:
    """What is known of a turn. ``trace`` is as in ``chat --quick --trace --json``; times are
    ISO 8601 in UTC, and seconds."""
    figures = of_messages(turn.answers)
    return {
        "turn": turn.id,
        "session_id": session.session_id,
        "session_name": session.name,
        "created_at": turn.question.created_at.isoformat(),
        "question": turn.asked,
        "model": turn.model or None,
        "status": turn.status,
        "took": duration(turn),
        "usage": figures._asdict(),
        "replies": [
            {
                "id": each.id,
                "model": each.model,
                "status": each.status,
                "created_at": each.created_at.isoformat(),
                "usage": each.usage._asdict() if each.usage else None,
                "timing": each.timing._asdict() if each.timing else None,
                "tool_calls": [call._asdict() for call in each.tool_calls],
            }
            for each in turn.replies
        ],
        "trace": trace_record(step_of(turn)),
    }


def _chosen(storage: Storage, session: Session, beginning: str) -> StoredTurn:
    if not beginning:
        if turns := last_turns(storage, session.session_id, 1):
            return turns[0]
        raise UsageError(f"Nothing was asked in {clean_line(session.name)} yet.")
    found = _with_id(storage, session.session_id, beginning.strip().lower())
    if len(found) == 1:
        return found[0]
    name = clean_line(session.name)
    if found:
        many = f"{len(found)} turns of {name} begin with {clean_line(beginning, 40)}."
        raise UsageError(many, hint="Give more of the id.")
    raise UsageError(
        f"No turn of {name} begins with {clean_line(beginning, 40)}.",
        hint="agno-shell trace --list shows them; --session names another session.",
    )


def _with_id(storage: Storage, session_id: str, beginning: str) -> list[StoredTurn]:
    """The turns whose id begins like this. As much of an id as the list shows is taken for
    one: with that, only the end of the conversation is read as far as to the turn."""
    wanted = 100
    while True:
        path = storage.messages(session_id, last=wanted)
        found = with_id(turns_of(path), beginning)
        if (found and len(beginning) >= SHOWN_LENGTH) or len(path) < wanted:
            return found
        wanted *= 4


# In words ---------------------------------------------------------------------------------


def _list(
    session: Session, turns: Sequence[StoredTurn], options: TraceOptions, out: TextIO
) -> None:
    newest_first = list(reversed(turns))
    if options.json:
        _write_json([as_json(session, turn) for turn in newest_first], out)
    elif turns:
        rows = [_row(turn) for turn in newest_first]
        out.write("\n".join([*table_lines(_COLUMNS, rows, terminal_width(out)), ""]))
    else:
        out.write(f"Nothing was asked in {clean_line(session.name)} yet.\n")


def _row(turn: StoredTurn) -> tuple[str, ...]:
    figures = of_messages(turn.answers)
    took = duration(turn)
    tokens = (figures.input_tokens, figures.output_tokens)
    return (
        turn.id[:SHOWN_LENGTH],
        local_time(turn.question.created_at),
        clean_line(turn.model),
        turn.status,
        "" if took is None else seconds(took),
        "" if tokens == (None, None) else f"{tokens[0] or 0:,}+{tokens[1] or 0:,}",
        "" if figures.cost is None else dollars(figures.cost),
        clean_line(turn.asked, 100),
    )


def _shown(turn: StoredTurn, width: int = 0) -> list[str]:
    heading = f"{turn.id[:SHOWN_LENGTH]}  {local_time(turn.question.created_at)}  "
    return [heading + clean_line(turn.asked, 100), *trace_lines(step_of(turn), width)]


def _document(session: Session, turns: Sequence[StoredTurn], *, markdown: bool) -> str:
    lines = [f"# {clean_line(session.name)}" if markdown else clean_line(session.name)]
    for turn in turns:
        heading, *below = _shown(turn)
        lines += (
            ["", f"## {heading}", "", *(f"    {each}" for each in below)]
            if markdown
            else [
                "",
                heading,
                *below,
            ]
        )
    return "\n".join(lines) + "\n"


def _write_json(value: object, out: TextIO) -> None:
    # ASCII alone, so that no foreign byte acts on a terminal and every locale can write it.
    out.write(json.dumps(value, indent=2) + "\n")
