"""Commands for what the model is to remember in a session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agno_shell.builtin.commands.arguments import positive_number, require_nothing
from agno_shell.builtin.commands.wording import age
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import UsageError
from agno_shell.toolkit import wording
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Memory

EXCERPT = 60
"""Characters of a memory beside its number in completions."""


async def remember(context: CommandContext, text: str) -> None:
    """Add to what the session remembers."""
    if not text.strip():
        raise UsageError(
            "There is nothing to remember.", hint="Usage: /remember TEXT; /memory lists it."
        )
    number = await context.engine.remember(text.strip())
    context.ui.print(f"Remembered in this session as number {number}; it goes with every request.")


async def memory(context: CommandContext, text: str) -> None:
    """List what the session remembers."""
    require_nothing(text, "memory", hint="/remember TEXT adds to it.")
    memories = await _memories(context)
    if not memories:
        context.ui.print("Nothing is remembered in this session. /remember TEXT adds something.")
        return
    for number, each in enumerate(memories, 1):
        first, *rest = each.text.split("\n")
        context.ui.print(f"{number:>3}  {first}")
        for line in rest:
            context.ui.print(f"     {line}")
        context.ui.print(f"     {age(each.created_at)}", "class:notice")


async def forget(context: CommandContext, text: str) -> None:
    """Take away something that the session remembers."""
    memories = await _memories(context)
    if not text:
        raise UsageError("/forget needs a number.", hint="/memory lists what is remembered.")
    number = positive_number(text, "forget")
    if number > len(memories):
        what = wording.count(len(memories), "thing") if memories else "nothing"
        are = "is" if len(memories) <= 1 else "are"
        raise UsageError(
            f"There is no number {number}: {what} {are} remembered here.",
            hint="/memory lists it." if memories else "/remember TEXT adds something.",
        )
    session_id, chosen = context.engine.session.session_id, memories[number - 1]
    await context.storage(lambda storage: storage.forget(session_id, chosen.id))
    await context.engine.refresh()
    context.ui.print("Forgotten; /remember would bring it back:")
    context.ui.print(chosen.text)


async def _memories(context: CommandContext) -> Sequence[Memory]:
    session_id = context.engine.session.session_id
    return await context.storage(lambda storage: storage.memories(session_id))


async def _numbers(context: CommandContext, _text: str) -> Iterable[Completion]:
    return [
        Completion(str(number), clean_line(each.text, EXCERPT))
        for number, each in enumerate(await _memories(context), 1)
    ]


COMMANDS = (
    Command(
        "remember",
        "Let the model remember something in this session.",
        remember,
        usage="TEXT",
        details=(
            "It goes with the system text of every request, whatever else no longer fits.\n"
            "Example: /remember The deadline is the 4th of March."
        ),
        multiline=True,
    ),
    Command("memory", "List what this session remembers.", memory),
    Command(
        "forget",
        "Take away number N of what this session remembers.",
        forget,
        usage="N",
        details="N is the number that /memory shows.",
        complete=_numbers,
    ),
)
