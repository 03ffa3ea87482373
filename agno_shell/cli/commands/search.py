"""``agno-shell search``: messages that hold some words, and a few words around them."""

from __future__ import annotations

from contextlib import closing

from agno_shell.cli.output import terminal_width, write_json
from agno_shell.cli.parser import completes, date, positive_number
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.wording import count

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser
    from agno_shell.contracts.storage import Storage
    from agno_shell.types import SearchHit

SUMMARY = "search every message of every session"

_EPILOG = """\
WORDS are words, "phrases" and prefix*, in any letter case; a message must contain them all.
No input is an error, and nothing leaves this machine.

exit status: 0 something was found; 1 nothing was found; 2 wrong usage

examples:
  agno-shell search tax return
  agno-shell search '"blue cups" sauc*' --role user --since 2026-01-01
  agno-shell search 你好 --session 3f2a --json
"""
_QUIET = 0.5
"""Seconds after which the reason for a long search is shown."""
_BOLD, _PLAIN = "\x1b[1m", "\x1b[22m"


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "Search every message of every session, the best first."
    parser.epilog = _EPILOG
    parser.add_argument("words", nargs="+", metavar="WORDS", help="what to search for")
    completes(
        parser.add_argument("--session", metavar="REF", help="search this session only"),
        "sessions",
    )
    parser.add_argument(
        "--role", choices=("user", "assistant"), help="search your messages, or those of the models"
    )
    parser.add_argument(
        "--since",
        type=date,
        metavar="DATE",
        help="leave out older messages: 2026-01-31, or 2026-01-31T12:00",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="show the best N messages (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Write what was found, the best first. 0; or 1 when nothing was found.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` where nothing can be searched for, and what the storage raises. A terminal
    shows how far a long search has come; Ctrl-C loses nothing of what was indexed.
    """
    with closing(context.open_storage()) as storage:
        hits = _find(storage, given, context.err)
        if "json" in given:
            write_json([as_json(hit) for hit in hits], context.out)
        elif hits:
            bold = terminal_width(context.out) > 0 and _styled()
            context.out.write("\n".join("".join(_lines(hit, bold=bold)) for hit in hits))
        else:
            context.out.write(_nothing(storage, given))
    return 0 if hits else 1


def _find(storage: Storage, given: Mapping[str, Any], err: TextIO) -> Sequence[SearchHit]:
    if not storage.can_search:
        raise UsageError(
            "The storage in use cannot search.",
            hint="Storages that can: json, and others that agno-shell plugins lists; choose one "
            "with [storage] plugin.",
        )
    session_id = None
    if "session" in given:
        from agno_shell.conversation.references import resolve

        session_id = resolve(given["session"], storage.sessions()).session_id
    else:
        _prepare(storage, err if terminal_width(err) else None)
    return storage.search(
        _text(given),
        session_id=session_id,
        role=given.get("role"),
        since=given.get("since"),
        limit=given.get("limit", 20),
    )


def _text(given: Mapping[str, Any]) -> str:
    return " ".join(given["words"])


def _prepare(storage: Storage, terminal: TextIO | None) -> None:
    from agno_shell.cli.progress import ProgressLine

    progress = ProgressLine(terminal, quiet=_QUIET) if terminal else None
    try:
        for done, total in storage.prepare_search():
            if progress:
                progress.at(f"Indexing {done:,} of {count(total, 'session')} …")
    finally:
        if progress:
            progress.end()


def as_json(hit: SearchHit) -> dict[str, Any]:
    """What is known of a hit. ``matches`` are offsets of begin and end in ``snippet``, in
    code points; times are ISO 8601 in UTC."""
    matches = []
    position = 0
    for text, marked in hit.snippet:
        if marked:
            matches.append([position, position + len(text)])
        position += len(text)
    return {
        "session_id": hit.session.session_id,
        "session_name": hit.session.name,
        "message_id": hit.message.id,
        "role": hit.message.role,
        "created_at": hit.message.created_at.isoformat(),
        "snippet": "".join(text for text, _marked in hit.snippet),
        "matches": matches,
        "content": hit.message.content,
    }


def _lines(hit: SearchHit, *, bold: bool) -> Sequence[str]:
    from agno_shell.types import local_time

    session, message = hit.session, hit.message
    heading = (
        f"{session.session_id[:8]}  {clean_line(session.name)}  "
        f"{local_time(message.created_at)}  {message.role}\n"
    )
    return (heading, "  ", *(_piece(*piece, bold=bold) for piece in hit.snippet), "\n")


def _piece(text: str, marked: bool, *, bold: bool) -> str:
    shown = clean(text).replace("\n", " ")
    return f"{_BOLD}{shown}{_PLAIN}" if marked and bold else shown


def _styled() -> bool:
    import os

    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def _nothing(storage: Storage, given: Mapping[str, Any]) -> str:
    from agno_shell.toolkit.full_text import parse

    text = _text(given)
    if not parse(text):
        return "There is no letter, digit or symbol in that, so nothing was searched.\n"
    wanted = clean_line(text, 60)
    limits = " within these limits" if "role" in given or "since" in given else ""
    if "session" in given:
        return f"No message of that session holds '{wanted}'{limits}.\n"
    return f"No message in {count(len(storage.sessions()), 'session')} holds '{wanted}'{limits}.\n"
