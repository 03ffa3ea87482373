"""Commands that delete sessions and bring them back. Nothing here deletes for good."""

from __future__ import annotations

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import YES, require_nothing, take_flag, unquote
from agno_shell.builtin.commands.sessions import create_and_open, find, open_session
from agno_shell.builtin.commands.wording import label, short_id
from agno_shell.contracts import Command, CommandContext, Storage
from agno_shell.toolkit import trashed, wording
from agno_shell.types import Session, default_session_name, now

LISTED = 50
"""More than this would push everything else off the screen."""


async def delete(context: CommandContext, text: str) -> None:
    """Ask once, then move a session to the trash."""
    wanted, agreed = take_flag(text, YES)
    session = await find(context, wanted) if wanted else context.engine.session
    is_open = session.session_id == context.engine.session.session_id
    said = wording.count(session.message_count, "message")
    question = f"Delete session {label(session)} with {said}? It goes to the trash."
    if is_open and context.engine.unsaved:
        lost = wording.count(len(context.engine.unsaved), "message")
        question += f" {lost} could not be saved yet and will not be in it: /save keeps them."
    if not agreed and not await context.ui.confirm(question, instead=YES):
        context.ui.print("Nothing was deleted.")
        return
    await context.storage(lambda storage: storage.delete(session.session_id))
    context.ui.print(f"Session {label(session)} deleted")
    context.ui.print("/undelete brings it back.")
    if is_open:
        await _open_another(context)


async def _open_another(context: CommandContext) -> None:
    following = await context.storage(_following)
    if following is None:
        await create_and_open(context, default_session_name(now()))
    else:
        await open_session(context, following)


def _following(storage: Storage) -> Session | None:
    """The session to stand in after a deletion: the storage's current one, or the newest."""
    remaining = storage.sessions()
    current = storage.current()
    return next(
        (session for session in remaining if session.session_id == current),
        remaining[0] if remaining else None,
    )


async def trash(context: CommandContext, text: str) -> None:
    """List the deleted sessions."""
    require_nothing(text, "trash", hint="/undelete REF brings a session back.")
    found = await context.storage(lambda storage: storage.trash())
    if not found:
        context.ui.print("The trash is empty.")
        return
    context.ui.table(trashed.COLUMNS, trashed.rows(found)[:LISTED])
    size = wording.size(sum(each.size for each in found))
    if len(found) > LISTED:
        context.ui.print(
            f"{len(found) - LISTED:,} deleted earlier are not listed; "
            "agno-shell session --trash shows all."
        )
    context.ui.print(
        f"{wording.count(len(found), 'deleted session')}, {size}. /undelete REF brings one back; "
        "agno-shell session --purge REF deletes it for good."
    )


async def undelete(context: CommandContext, text: str) -> None:
    """Bring a session back from the trash."""
    found = await context.storage(lambda storage: storage.trash())
    if not found:
        context.ui.print("The trash is empty.")
        return
    wanted = unquote(text)
    chosen = trashed.resolve(wanted, found) if wanted else found[0]
    session = await context.storage(lambda storage: storage.restore(chosen.trash_id))
    context.ui.print(f"Session {label(session)} restored")
    if session.session_id == context.engine.session.session_id:
        # It was deleted in another shell while it was open in this one.
        await context.engine.refresh()
        context.ui.print("It is the session that is open here; what you say is saved in it again.")
    else:
        context.ui.print(f"/switch {short_id(session)} opens it.")


COMMANDS = (
    Command(
        "delete",
        "Move the open session, or the one named, to the trash; asks first.",
        delete,
        usage=f"[REF] [{YES}]",
        details=(
            "REF is a session's ID, the beginning of one, or a name. After the open session was "
            f"deleted, the one used last is opened, or a new one. {YES} does not ask, as in a "
            "pipe, where nobody can answer."
        ),
        complete=completions.sessions,
    ),
    Command(
        "trash",
        "List the deleted sessions: when they were deleted and how large they are.",
        trash,
        details=(
            "The latest stand first. They stay until you purge them: agno-shell session "
            "--purge REF deletes one for good, and nothing else ever does."
        ),
    ),
    Command(
        "undelete",
        "Bring back the session deleted last, or the one named.",
        undelete,
        usage="[REF]",
        details=(
            "REF is what /trash shows, the beginning of an ID, or a name. The session comes "
            "back with its ID and every message. Tab lists what the trash holds."
        ),
        complete=completions.trashed,
    ),
)
