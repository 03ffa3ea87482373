"""``agno-shell session``: one action on the stored sessions, and a line that says what was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

from agno_shell.contracts.storage import Storage
from agno_shell.oneshot.output import terminal_width
from agno_shell.options import SessionAction, SessionOptions
from agno_shell.session_names import required_name, session_name
from agno_shell.terminal_text import clean_line
from agno_shell.text_table import Column, table_lines
from agno_shell.types import Session, default_session_name, local_time, now

_COLUMNS = (
    Column(" "),
    Column("ID"),
    Column("Name", minimum=12),
    Column("Message Count", right=True),
    Column("Last Updated"),
    Column("Description", minimum=11),
)


def run(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """Do what ``options`` asks for and confirm it on ``out``.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` for a name that cannot be one, and what the storage raises.
    """
    action = _ACTIONS.get(options.action)
    if action is None:
        from agno_shell.oneshot import trash  # which the list, asked for most, does not need

        action = trash.ACTIONS[options.action]
    action(storage, options, out)


def list_sessions(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """A table, or JSON, of all sessions, the newest first, the current one marked."""
    sessions, current = storage.sessions(), storage.current()
    if options.json:
        import json

        # ASCII alone, so that no foreign byte acts on a terminal and every locale can write it.
        rows = [as_json(session, current) for session in sessions]
        out.write(json.dumps(rows, indent=2) + "\n")
    elif sessions:
        cells = [_row(session, current) for session in sessions]
        out.write("\n".join([*table_lines(_COLUMNS, cells, terminal_width(out)), ""]))
    else:
        out.write(
            "There are no sessions yet. Begin one with agno-shell, or with "
            "agno-shell session --create NAME.\n"
        )


def create(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """A new session, which becomes the current one."""
    name = session_name(options.name or "") or default_session_name(now())
    session = storage.create(name, options.description or "")
    storage.set_current(session.session_id)
    out.write(f"Created session '{clean_line(session.name)}' with ID: {session.session_id}\n")
    out.write(f"Set current session to: {_named(session)}\n")


def set_current(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """The session that ``agno-shell`` opens next."""
    session = _meant(storage, options)
    storage.set_current(session.session_id)
    out.write(f"Set current session to: {_named(session)}\n")


def update(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """Another name or description."""
    session = _meant(storage, options)
    changes = {}
    done = []
    if options.name is not None:
        changes["name"] = required_name(options.name)
        done.append(f"name changed to {clean_line(changes['name'])}")
    if options.description is not None:
        changes["description"] = options.description
        shown = clean_line(options.description)
        done.append(f"description changed to {shown}" if shown else "description removed")
    storage.update(session.session_id, **changes)
    out.write(f"Session {session.session_id} updated: {', '.join(done)}\n")


def delete(storage: Storage, options: SessionOptions, out: TextIO) -> None:
    """To the trash; then which session is current."""
    session = _meant(storage, options)
    storage.delete(session.session_id)
    out.write(f"Session {session.session_id} deleted\n")
    current = storage.current()
    if current is None:
        out.write("No session is current now\n")
    else:
        out.write(f"Current session: {_named(storage.open(current))}\n")


def as_json(session: Session, current: str | None) -> dict[str, Any]:
    """Every field of a session; times are ISO 8601 in UTC."""
    return {**fields(session), "current": session.session_id == current}


def fields(session: Session) -> dict[str, Any]:
    """What is true of a session wherever it is, in the trash as well."""
    return {
        "session_id": session.session_id,
        "name": session.name,
        "description": session.description,
        "created_at": session.created_at.isoformat(),
        "updated_at": session.updated_at.isoformat(),
        "message_count": session.message_count,
        "head": session.head,
        "model": session.model,
        "api_base": session.api_base,
        "agent": session.agent,
        "tags": list(session.tags),
        "pinned": list(session.pinned),
        "reasoning": session.reasoning,
    }


def _row(session: Session, current: str | None) -> tuple[str, ...]:
    return (
        "*" if session.session_id == current else "",
        session.session_id[:8],
        clean_line(session.name),
        str(session.message_count),
        local_time(session.updated_at),
        clean_line(session.description),
    )


def _meant(storage: Storage, options: SessionOptions) -> Session:
    # Here, because the list, which is asked for most, needs no reference.
    from agno_shell.conversation.references import resolve

    return resolve(options.reference or "", storage.sessions())


def _named(session: Session) -> str:
    return f"{clean_line(session.name)} ({session.session_id})"


_ACTIONS: dict[SessionAction, Callable[[Storage, SessionOptions, TextIO], None]] = {
    "list": list_sessions,
    "create": create,
    "set": set_current,
    "update": update,
    "delete": delete,
}
