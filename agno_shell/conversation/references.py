"""From what a user types to the session that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from agno_shell.errors import SessionNotFoundError
from agno_shell.toolkit.nearest import alike
from agno_shell.toolkit.session_names import loose_key, name_key
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Session, local_time

MAXIMUM_CANDIDATES = 10


def resolve(reference: str, sessions: Iterable[Session]) -> Session:
    """The session that ``reference`` means.

    Tried in turn: a whole id, a whole name as it stands, one that reads the same
    (``session_names.name_key``), the beginning of an id, a name in any letter case. A step
    that finds one session ends the search; one that finds several
    raises ``SessionNotFoundError`` with them as candidates, as git does for commits.
    When nothing fits, the nearest names are the candidates.
    """
    sessions = list(sessions)
    wanted = reference.strip()
    if not wanted:
        raise SessionNotFoundError(
            "An empty text names no session.", hint="Give an id, the beginning of one, or a name."
        )
    lower, key, loose = wanted.lower(), name_key(wanted), loose_key(wanted)
    steps: tuple[Callable[[Session], bool], ...] = (
        lambda session: session.session_id == lower,
        lambda session: session.name == reference,
        lambda session: session.name == wanted,
        lambda session: name_key(session.name) == key,
        lambda session: session.session_id.startswith(lower),
        lambda session: loose_key(session.name) == loose,
    )
    for fits in steps:
        found = list(filter(fits, sessions))
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(wanted, found)
    raise _unknown(wanted, sessions)


def describe(session: Session) -> str:
    """One line that tells a session from others: ``1a2b3c4d  Name  (updated …)``."""
    return f"{session.session_id[:8]}  {session.name}  (updated {local_time(session.updated_at)})"


def _ambiguous(wanted: str, found: Sequence[Session]) -> SessionNotFoundError:
    return SessionNotFoundError(
        f'"{_short(wanted)}" means {len(found)} sessions.',
        hint="Give more of the id:",
        candidates=_candidates(found, _distinct_length(found)),
    )


def _unknown(wanted: str, sessions: Sequence[Session]) -> SessionNotFoundError:
    message = f'There is no session "{_short(wanted)}".'
    if not sessions:
        return SessionNotFoundError(message, hint="There are no sessions yet.")
    near = _nearest(wanted, sessions)
    if near:
        return SessionNotFoundError(
            message, hint="The nearest are:", candidates=_candidates(near, 8)
        )
    return SessionNotFoundError(message, hint="agno-shell session --list shows all of them.")


def _nearest(wanted: str, sessions: Sequence[Session]) -> list[Session]:
    """Those whose name holds the text or is like it, the most likely first."""
    folded = wanted.casefold()
    near = [s for s in sessions if folded in s.name.casefold()]
    if len(near) < MAXIMUM_CANDIDATES:
        names = {s.name: s for s in reversed(sessions) if s not in near}
        near += [names[name] for name in alike(wanted, reversed(names), MAXIMUM_CANDIDATES)]
    return near[:MAXIMUM_CANDIDATES]


def _candidates(sessions: Sequence[Session], id_length: int) -> list[str]:
    lines = [
        session.session_id[:id_length] + describe(session)[8:]
        for session in sessions[:MAXIMUM_CANDIDATES]
    ]
    more = len(sessions) - len(lines)
    return [*lines, f"and {more} more"] if more else lines


def _distinct_length(sessions: Sequence[Session]) -> int:
    """How much of the ids must be shown so that no two look alike; 8 at least."""
    ids = [session.session_id for session in sessions]
    length = 8
    while length < 36 and len({each[:length] for each in ids}) < len(ids):
        length += 1
    return length


def _short(text: str) -> str:
    return clean_line(text, 60)
