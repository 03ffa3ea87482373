"""Commands that delete sessions and bring them back. Nothing here deletes for good."""

from __future__ import annotations

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import nearest, unquote
from agno_shell.builtin.commands.sessions import create_and_open, find, open_session
from agno_shell.builtin.commands.wording import count, label, short_id
from agno_shell.contracts import Command, CommandContext, Storage
from agno_shell.errors import SessionNotFoundError
from agno_shell.terminal_text import clean_line
from agno_shell.types import Session, Trashed, default_session_name, local_time, now


async def delete(context: CommandContext, text: str) -> None:
    """Ask once, then move a session to the trash."""
    session = await find(context, text) if text.strip() else context.session
    question = (
        f"Delete session {label(session)} with {count(session.message_count, 'message')}? "
        "It goes to the trash."
    )
    if not await context.confirm(question):
        context.print("Nothing was deleted.")
        return
    await context.store(lambda storage: storage.delete(session.session_id))
    context.print(f"Session {label(session)} deleted")
    context.print("/undelete brings it back.")
    if session.session_id == context.session.session_id:
        await _open_another(context)


async def _open_another(context: CommandContext) -> None:
    following = await context.store(_following)
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


async def undelete(context: CommandContext, text: str) -> None:
    """Bring a session back from the trash."""
    trash = await context.store(lambda storage: storage.trash())
    if not trash:
        context.print("The trash is empty.")
        return
    wanted = unquote(text)
    chosen = _choose(wanted, trash) if wanted else trash[0]
    session = await context.store(lambda storage: storage.restore(chosen.trash_id))
    context.print(f"Session {label(session)} restored")
    context.print(f"/switch {short_id(session)} opens it.")


def _choose(wanted: str, trash: list[Trashed]) -> Trashed:
    """The deleted session that ``wanted`` names.

    Raises :class:`SessionNotFoundError` when none does, or several.
    """
    folded = wanted.casefold()
    for matches in (
        [each for each in trash if wanted in (each.trash_id, each.session.session_id)],
        [each for each in trash if each.session.name == wanted],
        [each for each in trash if each.session.name.casefold() == folded],
        [each for each in trash if each.session.session_id.startswith(folded)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise SessionNotFoundError(
                f"{len(matches)} deleted sessions answer to '{clean_line(wanted)}'.",
                hint="Name one by its ID in the trash.",
                candidates=[_described(each) for each in matches],
            )
    near = nearest(wanted, [each.session.name for each in trash])
    offered = [each for each in trash if each.session.name in near] or trash
    raise SessionNotFoundError(
        f"No deleted session answers to '{clean_line(wanted)}'.",
        hint="The trash holds:",
        candidates=[_described(each) for each in offered[:5]],
    )


def _described(trashed: Trashed) -> str:
    return (
        f"{clean_line(trashed.trash_id)}  {clean_line(trashed.session.name)}  "
        f"(deleted {local_time(trashed.deleted_at)})"
    )


COMMANDS = (
    Command(
        "delete",
        "Move the open session, or the one named, to the trash; asks first.",
        delete,
        usage="[REF]",
        details=(
            "REF is a session's ID, the beginning of one, or a name. After the open session was "
            "deleted, the one used last is opened, or a new one."
        ),
        complete=completions.sessions,
    ),
    Command(
        "undelete",
        "Bring back the session deleted last, or the one named.",
        undelete,
        usage="[REF]",
        details="It comes back with its ID and every message. Tab lists what the trash holds.",
        complete=completions.trashed,
    ),
)
