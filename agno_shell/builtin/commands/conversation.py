"""Commands that look back at the conversation that is open."""

from __future__ import annotations

from agno_shell.builtin.commands.arguments import positive_number
from agno_shell.contracts import Command, CommandContext, Storage
from agno_shell.terminal_text import clean_line
from agno_shell.types import Message, local_time

EXCHANGES = 10
"""How many exchanges ``/history`` shows when it is not told."""


async def history(context: CommandContext, text: str) -> None:
    """Show the last exchanges in full."""
    exchanges = positive_number(text, "history", EXCHANGES)
    session_id = context.session.session_id
    found = await context.store(lambda storage: last_exchanges(storage, session_id, exchanges))
    if not found:
        context.print("Nothing has been said in this session yet.")
        return
    context.show_messages(found)


def last_exchanges(storage: Storage, session_id: str, exchanges: int) -> list[Message]:
    """The messages from the ``exchanges``-th question from the end to the end.

    An exchange is what the person said and all that came after it, which is mostly one
    reply, but none after a failure and several with tools; so read on until enough
    questions are there, and no more of a long session than that.
    """
    wanted = 2 * exchanges
    while True:
        found = storage.messages(session_id, wanted)
        questions = [at for at, message in enumerate(found) if message.role == "user"]
        if len(questions) >= exchanges:
            return found[questions[-exchanges] :]
        if len(found) < wanted:
            return found
        wanted *= 2


async def info(context: CommandContext, text: str) -> None:
    """Say what is known of the open session."""
    await context.refresh()
    session = context.session
    facts = (
        ("Session", session.session_id),
        ("Name", session.name),
        ("Description", session.description),
        ("Created", local_time(session.created_at)),
        ("Updated", local_time(session.updated_at)),
        ("Messages", f"{session.message_count:,}"),
        ("Model", context.model),
        ("Agent", context.agent or "none"),
        ("Tags", ", ".join(session.tags)),
        ("Kept in", context.storage_path),
    )
    for name, value in facts:
        if value:
            context.print(f"{name + ':':<13}{clean_line(value, 2000)}")


COMMANDS = (
    Command(
        "history",
        f"Show the last N exchanges in full ({EXCHANGES} when N is left out).",
        history,
        usage="[N]",
        details="An exchange is one of your messages and what was answered to it.",
    ),
    Command("info", "Show what is known of the open session.", info),
)
