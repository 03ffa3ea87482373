"""``agno-shell session``: one action on the stored sessions, and a line that says what was done."""

from __future__ import annotations

from contextlib import closing

from agno_shell.cli.output import write_json, write_table
from agno_shell.cli.parser import completes
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.contracts.storage import Storage
    from agno_shell.types import Session

SUMMARY = "list, create, choose, change, delete and restore sessions"

_EPILOG = """\
REF is the id of a session, the beginning of one that no other shares, or a name; with
--restore and --purge it is what --trash shows.

examples:
  agno-shell session --list --json
  agno-shell session --create "Tax questions" --description "for the 2026 return"
  agno-shell session --set "Tax questions"
  agno-shell session --update 3f2a --name "Tax 2026"
  agno-shell session --delete 3f2a
  agno-shell session --trash
  agno-shell session --restore "Tax 2026"
  agno-shell session --purge --all
"""
_ACTIONS = ("create", "set", "update", "delete", "trash", "restore", "purge")

_COLUMNS = (
    Column(" "),
    Column("ID"),
    Column("Name", minimum=12),
    Column("Message Count", right=True),
    Column("Last Updated"),
    Column("Description", minimum=11),
)


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = (
        "List, create, choose, change and delete sessions. Deleted ones go to the\n"
        "trash and stay there until you purge them."
    )
    parser.epilog = _EPILOG
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "-l", "--list", action="store_true", help="show all sessions, the newest first (default)"
    )
    actions.add_argument(
        "--create", metavar="NAME", help="make a session; it becomes the current one"
    )
    for option, text in (
        ("--set", "make this session the current one"),
        ("--update", "change --name or --description of this session"),
        ("--delete", "move this session to the trash"),
    ):
        completes(actions.add_argument(option, metavar="REF", help=text), "sessions")
    actions.add_argument(
        "--trash", action="store_true", help="show the deleted sessions, the latest first"
    )
    completes(
        actions.add_argument("--restore", metavar="REF", help="bring this one back from the trash"),
        "trash",
    )
    completes(
        actions.add_argument(
            "--purge",
            nargs="?",
            const=None,
            metavar="REF",
            help="delete this one in the trash for good; asks first on a terminal",
        ),
        "trash",
    )
    parser.add_argument("--all", action="store_true", help="with --purge: everything in the trash")
    parser.add_argument("--name", metavar="NAME", help="with --update: the new name")
    parser.add_argument(
        "--description", metavar="TEXT", help="with --create and --update: what it is about"
    )
    parser.add_argument("--json", action="store_true", help="with --list and --trash: as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Do what was asked for and confirm it.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` for a name that cannot be one, and what the storage raises.
    """
    action = next((each for each in _ACTIONS if each in given), "list")
    _refuse_what_does_not_go_together(context, action, given)
    with closing(context.open_storage()) as storage:
        _do(storage, action, given, context.out)
    return 0


def _refuse_what_does_not_go_together(
    context: Context, action: str, given: Mapping[str, Any]
) -> None:
    if action == "create":
        if "name" in given:
            context.wrong_usage("--create takes the name itself; --name goes with --update")
    elif action != "update" and ("name" in given or "description" in given):
        context.wrong_usage("--name goes with --update, --description with --create or --update")
    elif action == "update" and "name" not in given and "description" not in given:
        context.wrong_usage("--update needs --name or --description")
    if action not in ("list", "trash") and "json" in given:
        context.wrong_usage("--json goes with --list or --trash")
    if "all" in given and action != "purge":
        context.wrong_usage("--all goes with --purge")
    if action == "purge" and ("all" in given) == (given["purge"] is not None):
        context.wrong_usage("--purge takes a REF, or --all for all that the trash holds")


def _do(storage: Storage, action: str, given: Mapping[str, Any], out: TextIO) -> None:
    description = given.get("description")
    if action == "list":
        list_sessions(storage, out, as_json="json" in given)
    elif action == "create":
        create(storage, given["create"], description or "", out)
    elif action == "set":
        set_current(storage, given["set"], out)
    elif action == "update":
        update(storage, given["update"], out, name=given.get("name"), description=description)
    elif action == "delete":
        delete(storage, given["delete"], out)
    else:
        # Here, because the list, which is asked for most, does not need it.
        from agno_shell.cli.commands.session import trash

        if action == "trash":
            trash.list_trash(storage, out, as_json="json" in given)
        elif action == "restore":
            trash.restore(storage, given["restore"], out)
        else:
            trash.purge(storage, given["purge"], out)


def list_sessions(storage: Storage, out: TextIO, *, as_json: bool) -> None:
    """A table, or JSON, of all sessions, the newest first, the current one marked."""
    sessions, current = storage.sessions(), storage.current()
    if as_json:
        rows = [
            {**fields(session), "current": session.session_id == current} for session in sessions
        ]
        write_json(rows, out)
    elif sessions:
        write_table(_COLUMNS, [_row(session, current) for session in sessions], out)
    else:
        out.write(
            "There are no sessions yet. Begin one with agno-shell, or with "
            "agno-shell session --create NAME.\n"
        )


def create(storage: Storage, name: str, description: str, out: TextIO) -> None:
    """A new session, which becomes the current one; without a name it gets the default one."""
    from agno_shell.toolkit.session_names import session_name
    from agno_shell.types import default_session_name, now

    name = session_name(name) or default_session_name(now())
    session = storage.create(name, description)
    storage.set_current(session.session_id)
    out.write(f"Created session '{clean_line(session.name)}' with ID: {session.session_id}\n")
    out.write(f"Set current session to: {_named(session)}\n")


def set_current(storage: Storage, reference: str, out: TextIO) -> None:
    """The session that ``agno-shell`` opens next."""
    session = _meant(storage, reference)
    storage.set_current(session.session_id)
    out.write(f"Set current session to: {_named(session)}\n")


def update(
    storage: Storage, reference: str, out: TextIO, *, name: str | None, description: str | None
) -> None:
    """Another name or description. None: as it is; an empty description removes it."""
    from agno_shell.toolkit.session_names import required_name

    session = _meant(storage, reference)
    changes = {}
    done = []
    if name is not None:
        changes["name"] = required_name(name)
        done.append(f"name changed to {clean_line(changes['name'])}")
    if description is not None:
        changes["description"] = description
        shown = clean_line(description)
        done.append(f"description changed to {shown}" if shown else "description removed")
    storage.update(session.session_id, **changes)
    out.write(f"Session {session.session_id} updated: {', '.join(done)}\n")


def delete(storage: Storage, reference: str, out: TextIO) -> None:
    """To the trash; then which session is current."""
    session = _meant(storage, reference)
    storage.delete(session.session_id)
    out.write(f"Session {session.session_id} deleted\n")
    current = storage.current()
    if current is None:
        out.write("No session is current now\n")
    else:
        out.write(f"Current session: {_named(storage.open(current))}\n")


def fields(session: Session) -> dict[str, Any]:
    """What is true of a session wherever it is, in the trash as well; times are ISO 8601 in
    UTC."""
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
    from agno_shell.types import local_time

    return (
        "*" if session.session_id == current else "",
        session.session_id[:8],
        clean_line(session.name),
        str(session.message_count),
        local_time(session.updated_at),
        clean_line(session.description),
    )


def _meant(storage: Storage, reference: str) -> Session:
    # Here, because the list, which is asked for most, needs no reference.
    from agno_shell.conversation.references import resolve

    return resolve(reference, storage.sessions())


def _named(session: Session) -> str:
    return f"{clean_line(session.name)} ({session.session_id})"
