"""Commands that look back at the conversation that is open."""

from __future__ import annotations

from agno_shell.builtin.commands.arguments import positive_number, require_nothing
from agno_shell.builtin.commands.numbers import PART, backwards
from agno_shell.contracts import Command, CommandContext
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Message, local_time

EXCHANGES = 10
"""How many exchanges ``/history`` shows when it is not told."""

SPEAKERS = {"user": "you", "assistant": "reply"}


async def history(context: CommandContext, text: str) -> None:
    """Show the last exchanges in full, each message behind its number."""
    exchanges = positive_number(text, "history", EXCHANGES)
    length = await context.engine.messages.length()
    if not length:
        taken_back = context.engine.session.message_count > 0
        context.ui.print(
            "Everything was taken back: /redo brings it back, /tree shows all of it."
            if taken_back
            else "Nothing has been said in this session yet."
        )
        return
    first = await _first_of(context, exchanges)
    for start in range(first, length, PART):
        part = await context.engine.messages.part(start, min(start + PART, length))
        for number, message in enumerate(part, start + 1):
            context.ui.print(_heading(number, message), "class:notice")
            context.ui.show_messages([message])


async def _first_of(context: CommandContext, exchanges: int) -> int:
    """The place of the ``exchanges``-th question from the end; an exchange is what the
    user said and all that came after it."""
    left = exchanges
    async for start, part in backwards(context):
        questions = [place for place, message in enumerate(part) if message.role == "user"]
        if len(questions) >= left:
            return start + questions[-left]
        left -= len(questions)
    return 0


def _heading(number: int, message: Message) -> str:
    """``4 · a-model · 2026-07-20 10:30``."""
    who = SPEAKERS.get(message.role, message.role)
    if message.role == "assistant" and message.model:
        who = clean_line(message.model)
    if message.speaker:
        who = f"{clean_line(message.speaker, 100)} · {who}"
    return f"{number} · {who} · {local_time(message.created_at)}"


async def info(context: CommandContext, text: str) -> None:
    """Say what is known of the open session."""
    require_nothing(text, "info")
    await context.engine.refresh()
    session = context.engine.session
    facts = (
        ("Session", session.session_id),
        ("Name", session.name),
        ("Description", session.description),
        ("Created", local_time(session.created_at)),
        ("Updated", local_time(session.updated_at)),
        ("Messages", f"{session.message_count:,}"),
        ("Model", context.engine.model),
        ("Address", context.engine.asked_at),
        ("Provider", context.engine.provider.name),
        ("Agent", context.engine.session.agent or "none"),
        ("Tags", ", ".join(session.tags)),
        ("Kept in", context.app.storage_path),
    )
    for name, value in facts:
        if value:
            context.ui.print(f"{name + ':':<13}{clean_line(value, 2000)}")


async def recover(context: CommandContext, text: str) -> None:
    """Write back what the store has lost of the session."""
    require_nothing(text, "recover")
    number = await context.engine.recover()
    context.ui.print(
        f"{count(number, 'message', 'are')} in the store again, behind what was there."
    )


COMMANDS = (
    Command(
        "history",
        f"Show the last N exchanges in full ({EXCHANGES} when N is left out).",
        history,
        usage="[N]",
        details=(
            "An exchange is one of your messages and what was answered to it. Each message stands "
            "behind its number, by which /edit, /copy, /fork and /pin take it: its place on the "
            "way from the first message to here."
        ),
    ),
    Command("info", "Show what is known of the open session.", info),
    Command(
        "recover",
        "Write back what was said here and is not in the store any more.",
        recover,
        details=(
            "For when the session's file was emptied, removed or replaced by an older one while "
            "this shell was open. What is there now stays; the messages that it lacks, as far as "
            "this shell has read them, are added behind it under their own ids."
        ),
    ),
)
