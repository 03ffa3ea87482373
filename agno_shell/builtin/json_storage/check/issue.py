"""One thing that is wrong, and how it is repaired."""

# Annotations are not left as text here (PEP 563): a named tuple would compile them.

from collections.abc import Callable
from typing import NamedTuple

from agno_shell.builtin.json_storage.problems import reason
from agno_shell.errors import StorageError
from agno_shell.toolkit.json_records import UnwritableError
from agno_shell.types import Finding


class Issue(NamedTuple):
    """Something wrong, seen without a lock."""

    where: str
    """A path."""
    problem: str
    """One sentence about what is at that path."""
    advice: str = ""
    """What a repair does, or else what the user can do: one sentence."""
    mend: Callable[[], str] | None = None
    """Repairs it and returns what was done; the locks are held by the caller. Raises
    ``OSError``, ``UnwritableError`` or ``StorageError``. None: only the user can."""
    note: bool = False
    """Nothing is wrong; it is only worth knowing. Its repair adds something, and rewrites
    nothing."""


def seen(issue: Issue) -> Finding:
    """What is reported of an issue that is not repaired."""
    return Finding(
        issue.where,
        issue.problem,
        issue.advice,
        note=issue.note,
        repairable=issue.mend is not None,
    )


def treated(issue: Issue) -> Finding:
    """Repair an issue where that is possible, and report it."""
    if issue.mend is None:
        return seen(issue)
    try:
        done = issue.mend()
    except (OSError, UnwritableError, StorageError) as error:
        why = f"It was not repaired: {reason(error)}."
        return Finding(issue.where, issue.problem, why, note=issue.note)
    return Finding(issue.where, issue.problem, done, healed=True)
