"""``agno-shell session --trash``, ``--restore`` and ``--purge``: what was deleted."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from agno_shell.base.paths import find_paths
from agno_shell.cli.commands.session import fields
from agno_shell.cli.output import write_json, write_table
from agno_shell.contracts.storage import Storage
from agno_shell.errors import StorageError
from agno_shell.shell.entered import EnteredFile
from agno_shell.toolkit import trashed, wording
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import TrashedSession, local_time

EMPTY = "The trash is empty.\n"


def list_trash(storage: Storage, out: TextIO, *, as_json: bool) -> None:
    """A table, or JSON, of the deleted sessions, the latest first."""
    found = storage.trash()
    if as_json:
        write_json([_record(each) for each in found], out)
    elif found:
        write_table(trashed.COLUMNS, trashed.rows(found), out)
    else:
        out.write(EMPTY)


def restore(storage: Storage, reference: str, out: TextIO) -> None:
    """Back among the sessions, under its own id; it does not become the current one."""
    chosen = trashed.resolve(reference, storage.trash())
    session = storage.restore(chosen.trash_id)
    out.write(
        f"Session {session.session_id} restored: {clean_line(session.name)}, "
        f"{wording.count(session.message_count, 'message')}\n"
        f"agno-shell --session {session.session_id[:8]} opens it.\n"
    )


def purge(storage: Storage, reference: str | None, out: TextIO) -> None:
    """One deleted session, or with None all of them, for good, which nothing else ever does; so
    a user is asked, once.

    A script is not: it has named what to purge, and nobody could answer.
    """
    found = storage.trash()
    if reference is not None:
        found = [trashed.resolve(reference, found)]
    if not found:
        out.write(EMPTY)
        return
    if _has_user(out) and not _is_sure(found, out):
        out.write("Nothing was purged.\n")
        return
    failed = []
    for each in found:
        try:
            storage.purge(each.trash_id)
        except StorageError as error:
            failed.append(error)
        else:
            out.write(f"Purged for good: {trashed.describe(each)}\n")
            _purge_entered(storage, each.session.session_id)
    if failed:
        # What is gone was printed; the first reason is mostly that of all.
        raise StorageError(
            f"{len(failed)} of {len(found)} could not be purged. {failed[0]}", hint=failed[0].hint
        )


def _purge_entered(storage: Storage, session_id: str) -> None:
    """What was entered in a session and never sent goes with it, unless another one, perhaps
    restored since, has its id."""
    others = (*storage.sessions(), *(each.session for each in storage.trash()))
    if all(each.session_id != session_id for each in others):
        with suppress(OSError):  # it is still there for a shell that opens such a session
            EnteredFile(find_paths(os.environ).entered_dir, session_id).purge()


def _record(each: TrashedSession) -> dict[str, object]:
    """Every field; ``deleted_at`` is ISO 8601 in UTC, ``size`` in bytes."""
    return {
        "trash_id": each.trash_id,
        "deleted_at": each.deleted_at.isoformat(),
        "size": each.size,
        **fields(each.session),
    }


def _has_user(out: TextIO) -> bool:
    return bool(sys.stdin) and sys.stdin.isatty() and out.isatty()


def _is_sure(found: Sequence[TrashedSession], out: TextIO) -> bool:
    """Ask, with all that would be gone; only ``y`` or ``yes`` is a yes."""
    for each in found:
        out.write(f"  {trashed.describe(each)}, deleted {local_time(each.deleted_at)}\n")
    what = "this session" if len(found) == 1 else f"these {len(found):,} sessions"
    out.write(f"Delete {what} for good? There is no way back. [y/N] ")
    out.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
