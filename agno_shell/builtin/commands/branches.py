"""Commands that take back, try again and branch off."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import (
    clean_name,
    positive_number,
    require_nothing,
    unquote,
)
from agno_shell.builtin.commands.numbers import backwards, excerpt, named
from agno_shell.builtin.commands.sessions import say_duplicates
from agno_shell.builtin.commands.wording import label, short_id
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import UsageError
from agno_shell.toolkit.session_names import LONGEST
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import count
from agno_shell.types import Message

LISTED = 10
"""Questions that are named when many are taken back at once."""

LONG_TEXT = 2_000
LONG_LINES = 30
"""A longer question is changed in an editor and not in the input line."""

RETRY_USAGE = "Usage: /retry [--model NAME]"
EDIT_USAGE = "Usage: /edit [N] [-- TEXT]"
FORK_USAGE = "Usage: /fork [NAME] [--at N]"


# Back and forth --------------------------------------------------------------------------


async def undo(context: CommandContext, text: str) -> None:
    """Take turns back."""
    turns = positive_number(text, "undo", 1)
    undone = await context.engine.undo(turns)
    _name_all(context, "Taken back", undone)
    if len(undone) < turns:
        context.ui.print("There were no more.")
    context.ui.print("Nothing is deleted: /redo brings it back.", "class:notice")


async def redo(context: CommandContext, text: str) -> None:
    """Bring turns back."""
    turns = positive_number(text, "redo", 1)
    redone = await context.engine.redo(turns)
    _name_all(context, "Brought back", redone)
    if len(redone) < turns:
        context.ui.print("There were no more.")


def _name_all(context: CommandContext, what: str, questions: Sequence[Message]) -> None:
    if len(questions) == 1:
        context.ui.print(f"{what}: › {excerpt(questions[0])}")
        return
    context.ui.print(f"{what}: {count(len(questions), 'turn')}")
    for question in questions[:LISTED]:
        context.ui.print(f"  › {excerpt(question)}")
    if len(questions) > LISTED:
        context.ui.print(f"  … and {len(questions) - LISTED:,} more")


# Once more -------------------------------------------------------------------------------


async def retry(context: CommandContext, text: str) -> None:
    """Answer the last question again."""
    await context.engine.retry(_model(text))


def _model(text: str) -> str | None:
    """NAME of ``--model NAME``; None when nothing was typed."""
    if not text:
        return None
    flag, _, name = text.replace("=", " ", 1).partition(" ")
    if flag != "--model":
        raise UsageError(
            f"/retry takes --model NAME and nothing else, not '{clean_line(text, 40)}'.",
            hint=RETRY_USAGE,
        )
    name = unquote(name)
    if not name or name.startswith("-") or len(name.split()) > 1:
        raise UsageError("/retry --model needs the name of a model.", hint="/model lists names.")
    return name


async def complete_retry(context: CommandContext, text: str) -> Iterable[Completion]:
    """``--model``, and behind it the provider's models."""
    flag = "--model "
    if not text.startswith(flag):
        return [Completion(flag, "another model answers this once")]
    return [
        each._replace(text=flag + each.text)
        for each in await completions.models(context, text.removeprefix(flag))
        if not each.text.startswith("-")
    ]


async def resume(context: CommandContext, text: str) -> None:
    """Let the model go on with a reply that is not whole."""
    require_nothing(text, "continue", hint="What you want to say is a message.")
    await context.engine.resume()


async def edit(context: CommandContext, text: str) -> None:
    """Ask an earlier question in other words."""
    number, new = _number_and_text(text)
    place, question = (
        await named(context, number, EDIT_USAGE) if number else await _last_question(context)
    )
    if question.role != "user":
        raise UsageError(
            f"Message {place} is none of yours, and only what you said can be edited.",
            hint="/history shows the numbers.",
        )
    if new is None:
        new = await _changed(context, question, place)
    if new is None:
        return
    if not new.strip():
        raise UsageError("A question cannot be empty.", hint=EDIT_USAGE)
    if new.strip() == question.content.strip():
        context.ui.print("Nothing was changed. /retry asks the last question again.")
        return
    await context.engine.edit(question.id, new.rstrip())


def _number_and_text(text: str) -> tuple[str, str | None]:
    """``[N] [-- TEXT]`` in its two parts; None: no text was given."""
    number, *new = re.split(r"(?:^|\s)--(?:\s|$)", text, maxsplit=1)
    return number.strip(), new[0] if new else None


async def _last_question(context: CommandContext) -> tuple[int, Message]:
    async for start, part in backwards(context):
        for place in range(len(part) - 1, -1, -1):
            if part[place].role == "user":
                return start + place + 1, part[place]
    raise UsageError("There is no question to edit: nothing has been asked here.")


async def _changed(context: CommandContext, question: Message, number: int) -> str | None:
    """The question as the user changed it in an editor; None when it was not changed
    there, or is to be changed in the input line."""
    old = question.content
    is_long = len(old) > LONG_TEXT or old.count("\n") >= LONG_LINES
    if is_long or os.environ.get("VISUAL") or os.environ.get("EDITOR"):
        new = await context.ui.edit(old)
        if new is None:
            context.ui.print("Nothing was changed.")
        return new
    # The command itself, so that nothing waits unseen: it is sent, or it is not.
    context.ui.fill(f"/edit {number} -- {old}")
    if context.ui.width:
        step = "Change the line and send it: the question is asked on a branch of its own. "
        step += "Ctrl-C leaves everything as it is."
    else:  # without a screen there is no line to change
        step = f"/edit {number} -- TEXT asks it in other words, on a branch of its own."
    context.ui.print(step, "class:notice")
    return None


# A session of its own --------------------------------------------------------------------


async def fork(context: CommandContext, text: str) -> None:
    """Make a session of the conversation, or of its beginning, and open it."""
    typed, number = _name_and_number(text)
    message_id = None
    if number is not None:
        message_id = (await named(context, number, FORK_USAGE))[1].id
    before = context.engine.session
    if typed:
        name = clean_name(typed)
    else:
        sessions = await context.storage(lambda storage: storage.sessions())
        name = fork_name(before.name, [each.name for each in sessions])
    made = await context.engine.fork(name, message_id)
    upto = f" up to message {int(number)}" if number is not None else ""
    context.ui.print(
        f"{label(made)} is a copy of {label(before)}{upto}; "
        f"/switch {short_id(before)} leads back there."
    )
    await say_duplicates(context, made)


def _name_and_number(text: str) -> tuple[str, str | None]:
    """``[NAME] [--at N]``, in either order, in its two parts."""
    match = re.search(r"(?:^|\s)--at(?:=|\s+|$)(\S*)", text)
    if match is None:
        return text.strip(), None
    if not match[1]:
        raise UsageError("/fork --at needs the number of a message.", hint=FORK_USAGE)
    return f"{text[: match.start()]} {text[match.end() :]}".strip(), match[1]


def fork_name(name: str, taken: Iterable[str]) -> str:
    """``NAME (fork)``, or ``NAME (fork 2)`` and so on: one that no session has."""
    base = re.sub(r" \(fork(?: [0-9]+)?\)$", "", name)
    names, number = set(taken), 1
    while True:
        end = " (fork)" if number == 1 else f" (fork {number})"
        found = base[: LONGEST - len(end)].rstrip() + end
        if found not in names:
            return found
        number += 1


COMMANDS = (
    Command(
        "undo",
        "Take back the last turn, or the last N.",
        undo,
        usage="[N]",
        details=(
            "A turn is a question and everything that answers it. The conversation goes on "
            "before it; nothing is deleted, and /redo brings it back."
        ),
    ),
    Command(
        "redo",
        "Bring back what was taken back: a turn, or N.",
        redo,
        usage="[N]",
        details=(
            "It goes the way that /undo came. After something new was said, and after a "
            "restart, it goes to the newest of the branches that follow here; /tree shows all."
        ),
    ),
    Command(
        "retry",
        "Let the last question be answered once more.",
        retry,
        usage="[--model NAME]",
        details=(
            "The new reply stands beside the first, which /tree still shows. With --model "
            "another model answers, this once.\n"
            "Example: /retry --model ollama_chat/llama3.2"
        ),
        complete=complete_retry,
    ),
    Command(
        "continue",
        "Let the model go on with a reply that was stopped or cut off.",
        resume,
        details=(
            "Where nothing of the reply had come, the question is asked again. It works after "
            "a restart as well."
        ),
    ),
    Command(
        "edit",
        "Ask your last question, or message N, in other words.",
        edit,
        usage="[N] [-- TEXT]",
        details=(
            "The question opens in $VISUAL or $EDITOR if one is set, else in the input line. It "
            "is answered on a branch of its own that begins where the old one stands; what "
            "followed that one is kept. /history shows the numbers.\n"
            "Example: /edit 3 -- And without yeast?"
        ),
        multiline=True,
    ),
    Command(
        "fork",
        "Go on in a new session that begins as this one.",
        fork,
        usage="[NAME] [--at N]",
        details=(
            "The messages up to here, or up to message N, are copied with what is attached to "
            "them, pinned and remembered. The session you leave stays as it is.\n"
            "Example: /fork With sourdough --at 4"
        ),
    ),
)
