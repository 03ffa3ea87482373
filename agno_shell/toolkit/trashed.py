"""Deleted sessions as a user sees and names them, in the shell and on the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agno_shell.errors import SessionNotFoundError
from agno_shell.toolkit import wording
from agno_shell.toolkit.nearest import alike
from agno_shell.toolkit.session_names import loose_key, name_key
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
from agno_shell.types import TrashedSession, local_time

COLUMNS = (
    Column("ID"),
    Column("Name", minimum=12),
    Column("Message Count", right=True),
    Column("Deleted"),
    Column("Size", right=True),
)

SHOWN_LENGTH = 8
"""The characters of an id that tables show where no other id begins with them."""

CANDIDATES = 10
"""More lines than this below an error are counted, not shown."""


def rows(trash: Sequence[TrashedSession]) -> list[tuple[str, ...]]:
    """The cells of :data:`COLUMNS` for each deleted session, clean and in one line each.

    What stands under ID is enough to name the session: the beginning of its id or, where
    that is the beginning of another one as well, its id in the trash.
    """
    begins = Counter(each.session.session_id[:SHOWN_LENGTH] for each in trash)
    return [
        (
            short
            if begins[short := each.session.session_id[:SHOWN_LENGTH]] == 1
            else clean_line(each.trash_id),
            clean_line(each.session.name),
            str(each.session.message_count),
            local_time(each.deleted_at),
            wording.size(each.size),
        )
        for each in trash
    ]


def describe(trashed: TrashedSession) -> str:
    """What is deleted, in a few words: ``'Name' (1a2b3c4d), 12 messages, 3.4 kB``."""
    session = trashed.session
    return (
        f"'{clean_line(session.name)}' ({session.session_id[:SHOWN_LENGTH]}), "
        f"{wording.count(session.message_count, 'message')}, {wording.size(trashed.size)}"
    )


def resolve(reference: str, trash: Sequence[TrashedSession]) -> TrashedSession:
    """The deleted session that ``reference`` means.

    Tried in turn: a whole id, in the trash or of the session; a whole name; the beginning
    of an id; a name in any letter case. A step that finds one ends the search; one that
    finds several raises ``SessionNotFoundError`` with them as candidates, by their ids in
    the trash: a session may have been deleted more than once.
    """
    wanted = reference.strip()
    if not wanted:
        raise SessionNotFoundError(
            "An empty text names no deleted session.",
            hint="Give an ID, the beginning of one, or a name.",
        )
    lower, key, loose = wanted.lower(), name_key(wanted), loose_key(wanted)
    for found in (
        [each for each in trash if each.trash_id == wanted],
        [each for each in trash if each.session.session_id == lower],
        [each for each in trash if each.session.name == reference],
        [each for each in trash if each.session.name == wanted],
        [each for each in trash if name_key(each.session.name) == key],
        [each for each in trash if _has_id(each, lower)],
        [each for each in trash if loose_key(each.session.name) == loose],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise SessionNotFoundError(
                f"{len(found)} deleted sessions answer to '{clean_line(wanted, 60)}'.",
                hint="Name one by its ID in the trash:",
                candidates=_candidates(found),
            )
    raise _unknown(wanted, trash)


def _has_id(trashed: TrashedSession, beginning: str) -> bool:
    return trashed.session.session_id.startswith(beginning) or trashed.trash_id.lower().startswith(
        beginning
    )


def _unknown(wanted: str, trash: Sequence[TrashedSession]) -> SessionNotFoundError:
    message = f"No deleted session answers to '{clean_line(wanted, 60)}'."
    if not trash:
        return SessionNotFoundError(message, hint="The trash is empty.")
    near = _nearest(wanted, trash)
    return SessionNotFoundError(
        message,
        hint="The nearest are:" if near else "The trash holds:",
        candidates=_candidates(near or trash),
    )


def _nearest(wanted: str, trash: Sequence[TrashedSession]) -> list[TrashedSession]:
    """Those whose name holds the text or is like it, the latest deleted first."""
    folded = wanted.casefold()
    names = {each.session.name.casefold() for each in trash}
    near = {name for name in names if folded in name}
    near.update(alike(wanted, sorted(names), CANDIDATES))
    return [each for each in trash if each.session.name.casefold() in near]


def _candidates(trash: Sequence[TrashedSession]) -> list[str]:
    lines = [
        f"{clean_line(each.trash_id)}  {clean_line(each.session.name)}  "
        f"(deleted {local_time(each.deleted_at)})"
        for each in trash[:CANDIDATES]
    ]
    more = len(trash) - len(lines)
    return [*lines, f"and {more} more"] if more else lines
