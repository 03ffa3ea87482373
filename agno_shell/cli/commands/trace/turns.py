"""Stored turns of a session: which are meant, and how they are shown and exported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from agno_shell.cli import exported
from agno_shell.cli.output import terminal_width, write_json, write_table
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
from agno_shell.toolkit.reports import dollars, seconds, trace_lines, trace_record
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
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


def _record(session: Session, turn: StoredTurn) -> dict[str, Any]:
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
                "speaker": each.speaker,
                "provider_tools": [tool._asdict() for tool in each.provider_tools],
            }
            for each in turn.replies
        ],
        "trace": trace_record(step_of(turn)),
    }


def chosen(storage: Storage, session: Session, beginning: str) -> StoredTurn:
    """The turn whose id begins like this, or the last one. ``UsageError`` where there is none, or
    several."""
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


def show_list(session: Session, turns: Sequence[StoredTurn], out: TextIO, *, as_json: bool) -> None:
    """``turns`` with the newest first."""
    newest_first = list(reversed(turns))
    if as_json:
        write_json([_record(session, turn) for turn in newest_first], out)
    elif turns:
        write_table(_COLUMNS, [_row(turn) for turn in newest_first], out)
    else:
        out.write(f"Nothing was asked in {clean_line(session.name)} yet.\n")


def show(session: Session, turn: StoredTurn, out: TextIO, *, as_json: bool) -> None:
    """One turn as a tree, or as JSON."""
    if as_json:
        write_json(_record(session, turn), out)
    else:
        out.write("\n".join([*_shown(turn, terminal_width(out)), ""]))


def export(
    storage: Storage, session: Session, beginning: str, out: TextIO, *, form: str, path: str | None
) -> None:
    """The turn whose id begins like this, or all of the session, as ``json``, ``markdown`` or
    ``text``, to a new file at ``path`` if that is given."""
    if beginning:
        turns = [chosen(storage, session, beginning)]
        record: Any = _record(session, turns[0])
    else:
        turns = turns_of(storage.messages(session.session_id))
        record = [_record(session, turn) for turn in turns]
    if form == "json":
        text = json.dumps(record, indent=2) + "\n"
    else:
        text = _document(session, turns, markdown=form == "markdown")
    exported.write([text], path, out)


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
        if markdown:
            lines += ["", f"## {heading}", "", *(f"    {each}" for each in below)]
        else:
            lines += ["", heading, *below]
    return "\n".join(lines) + "\n"
