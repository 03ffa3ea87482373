"""The command that attaches files to the next message."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from agno_shell.builtin.commands.arguments import first_word, positive_number
from agno_shell.contracts import Command, CommandContext, Completion
from agno_shell.errors import UsageError
from agno_shell.toolkit import wording
from agno_shell.toolkit.file_names import matching
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Attachment

REMOVE = "--remove"
TEXT = "-"

TEXT_NAME = "text.md"
"""What a text is called that comes from no file."""

USAGE = f"[PATH… | {TEXT} | {REMOVE} N]"


async def attach(context: CommandContext, text: str) -> None:
    """List what waits, take one away, or take in files or a text."""
    word, rest = first_word(text)
    if not text.strip():
        _list(context)
    elif word == REMOVE:
        _remove(context, rest)
    elif word == TEXT:
        await _attach_text(context, text.strip().removeprefix(TEXT).strip("\n "))
    else:
        for path in _paths(text):
            _say(context, await context.engine.attachments.attach(path))


def _say(context: CommandContext, attachment: Attachment) -> None:
    described = _described(context, attachment)
    context.ui.print(f"Attached: {described}. It goes with your next message.")


def _described(context: CommandContext, attachment: Attachment) -> str:
    size = wording.size(attachment.size)
    parts = [clean_line(attachment.name), clean_line(attachment.media_type), size]
    return " · ".join(filter(None, [*parts, context.engine.attachments.extent(attachment)]))


def _list(context: CommandContext) -> None:
    waiting = context.engine.attachments.waiting
    if not waiting:
        context.ui.print("Nothing is attached. /attach PATH takes in a file, as @PATH does.")
        return
    for number, attachment in enumerate(waiting, 1):
        context.ui.print(f"{number}  {_described(context, attachment)}")
    what = "It goes" if len(waiting) == 1 else "They go"
    context.ui.print(f"{what} with your next message. /attach {REMOVE} N takes one away.")


def _remove(context: CommandContext, text: str) -> None:
    waiting = context.engine.attachments.waiting
    if not text.strip():
        raise UsageError(f"/attach {REMOVE} needs a number.", hint="/attach lists them.")
    number = positive_number(text, f"attach {REMOVE}", 1)
    if number > len(waiting):
        raise UsageError(
            f"There is no attachment {number}: {_how_many(waiting)} attached.",
            hint="/attach lists them.",
        )
    attachment = waiting[number - 1]
    context.engine.attachments.detach(attachment)
    context.ui.print(f"Not attached any more: {clean_line(attachment.name)}.")


def _how_many(waiting: Sequence[Attachment]) -> str:
    return wording.count(len(waiting), "file", "are") if waiting else "nothing is"


async def _attach_text(context: CommandContext, text: str) -> None:
    """What stands behind the sign, such as a large paste, or what is written in the editor."""
    written = text or await context.ui.edit("")
    if not written or not written.strip():
        context.ui.print("Nothing was attached.")
        return
    data = written.encode("utf-8", "replace")
    _say(context, await context.engine.attachments.attach_data(data, TEXT_NAME))


def _paths(text: str) -> list[str]:
    """The paths that were typed: one with blanks in quotes, or alone and there as it is."""
    whole = text.strip()
    with suppress(ValueError):  # a NUL, which no path holds
        if whole[0] not in "'\"" and os.path.exists(os.path.expanduser(whole)):
            return [whole]
    paths = []
    while whole:
        path, whole = first_word(whole)
        paths.append(path)
    return paths


async def complete(context: CommandContext, text: str) -> Iterable[Completion]:
    """The files that the last path may become, in quotes where it holds blanks; behind
    ``--remove`` the numbers of what waits."""
    if text.startswith(f"{REMOVE} "):
        return [
            Completion(f"{REMOVE} {number}", clean_line(each.name))
            for number, each in enumerate(context.engine.attachments.waiting, 1)
        ]
    from asyncio import to_thread

    before, quote, typed = _last(text)
    paths = await to_thread(matching, typed)
    found = [Completion(before + _quoted(path, quote)) for path in paths]
    if text and REMOVE.startswith(text):
        found.insert(0, Completion(f"{REMOVE} ", "take one away again"))
    return found


def _last(text: str) -> tuple[str, str, str]:
    """What is before the path that is being typed at the end, its quote, and the path."""
    rest = text.lstrip()
    while rest:
        quote = rest[0] if rest[0] in "'\"" else ""
        is_open = quote not in rest[1:]
        following = "" if quote and is_open else first_word(rest)[1]
        if not following and (is_open or not rest[-1].isspace()):
            return text[: len(text) - len(rest)], quote, rest[len(quote) :].removesuffix(quote)
        rest = following
    return text, "", ""


def _quoted(path: str, quote: str) -> str:
    if not quote and not any(each.isspace() or each in "'\"" for each in path):
        return path
    if not quote or quote in path:
        quote = "'" if '"' in path else '"'
    # In a folder there is more to type: its quotes stay open.
    return f"{quote}{path}" if path.endswith("/") else f"{quote}{path}{quote}"


COMMANDS = (
    Command(
        "attach",
        "Attach files to the next message, or list what is attached.",
        attach,
        usage=USAGE,
        details=(
            "Text files, PNG, JPEG, GIF and WebP images, and PDF; a PATH with blanks stands in "
            f"quotes. /attach {TEXT} takes a text from your editor, or what is pasted behind the "
            f"sign. /attach {REMOVE} N takes one away again. In a message, @PATH does the same.\n"
            "What is attached is kept with the session, so that it can be read again when the "
            "file is gone.\n"
            "Example: /attach ~/notes.txt 'scan 1.png'"
        ),
        complete=complete,
    ),
)
