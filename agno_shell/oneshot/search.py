"""``agno-shell search``: where something was said, and a few words around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from agno_shell.contracts.storage import Storage
from agno_shell.errors import UsageError
from agno_shell.oneshot.output import terminal_width
from agno_shell.oneshot.progress import Progress
from agno_shell.options import SearchOptions
from agno_shell.terminal_text import clean, clean_line
from agno_shell.types import SearchHit, local_time
from agno_shell.wording import count

_QUIET = 0.5
"""Seconds after which it is said why a search takes long."""
_BOLD, _PLAIN = "\x1b[1m", "\x1b[22m"


def run(storage: Storage, options: SearchOptions, out: TextIO, err: TextIO | None = None) -> int:
    """Write what was found to ``out``, the best first. 0; or 1 when nothing was found.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` where nothing can be searched for, and what the storage raises. ``err``, where
    it is a terminal, is told how far a search has come that takes long; Ctrl-C loses nothing
    of what was indexed.
    """
    if not storage.can_search:
        raise UsageError(
            "The storage in use cannot search.",
            hint="Storages that can: json, and others that agno-shell plugins lists; choose one "
            "with [storage] plugin.",
        )
    session_id = _session_id(storage, options.reference)
    if session_id is None:
        _prepare(storage, err if err is not None and terminal_width(err) else None)
    hits = storage.search(
        options.text,
        session_id=session_id,
        role=options.role,
        since=options.since,
        limit=options.limit,
    )
    if options.json:
        import json

        # ASCII alone, so that no foreign byte acts on a terminal and every locale can write it.
        out.write(json.dumps([as_json(hit) for hit in hits], indent=2) + "\n")
    elif hits:
        bold = terminal_width(out) > 0 and _styled()
        out.write("\n".join("".join(_lines(hit, bold=bold)) for hit in hits))
    else:
        out.write(_nothing(storage, options))
    return 0 if hits else 1


def _prepare(storage: Storage, terminal: TextIO | None) -> None:
    progress = Progress(terminal, quiet=_QUIET) if terminal else None
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


def _session_id(storage: Storage, reference: str | None) -> str | None:
    if reference is None:
        return None
    from agno_shell.conversation.references import resolve

    return resolve(reference, storage.sessions()).session_id


def _nothing(storage: Storage, options: SearchOptions) -> str:
    from agno_shell.full_text import parse

    if not parse(options.text):
        return "There is no letter, digit or symbol in that, so nothing was searched.\n"
    wanted = clean_line(options.text, 60)
    limits = " within these limits" if options.role or options.since else ""
    if options.reference is not None:
        return f"No message of that session holds '{wanted}'{limits}.\n"
    return f"No message in {count(len(storage.sessions()), 'session')} holds '{wanted}'{limits}.\n"
