"""``/save``: the open conversation in a file outside the store, also what could not be saved."""

from __future__ import annotations

import os

from agno_shell.builtin.commands import completions, transcript
from agno_shell.builtin.commands.arguments import YES, take_flag, unquote
from agno_shell.contracts import Command, CommandContext, Storage
from agno_shell.errors import AgnoShellError, StorageError, UsageError
from agno_shell.toolkit import wording
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.whole_files import write_whole
from agno_shell.types import Message, local_time


async def save(context: CommandContext, text: str) -> None:
    """Write the conversation into the file that ``text`` names."""
    from asyncio import to_thread  # a shell has it long since; listing the plugins has not

    typed, agreed = take_flag(text, YES)
    path = _path(typed, context.app.storage_path)
    exists = await to_thread(_look, path)
    if exists and not agreed:
        question = f"{clean_line(path, 400)} {exists}. Replace it?"
        if not await context.ui.confirm(question, instead=YES):
            context.ui.print("Nothing was written.")
            return
    messages, trouble = await conversation(context)
    document = await to_thread(transcript.document, path, context.engine.session, messages)
    await to_thread(_write, path, document.data, replace=bool(exists))
    if trouble:
        context.ui.print(trouble)
    if document.reduced:
        context.ui.print(
            f"{wording.count(document.reduced, 'message')} without what the provider had added: "
            "it cannot be written as JSON."
        )
    unsaved = len(context.engine.unsaved)
    also = f", {unsaved:,} of them not in the store," if unsaved else ""
    context.ui.print(
        f"{wording.count(len(messages), 'message')}{also} written to {clean_line(path, 4000)} "
        f"({wording.size(len(document.data))})."
    )


# What is written -------------------------------------------------------------------------


async def conversation(context: CommandContext) -> tuple[list[Message], str]:
    """Everything that was said on the way to where this shell stands, oldest first, and a
    sentence if the store could not be read and only what the shell itself holds is there."""
    session_id, history = context.engine.session.session_id, list(context.engine.history)
    unsaved = list(context.engine.unsaved)
    waiting = {message.id for message in unsaved}
    stored = [message for message in history if message.id not in waiting]
    head = unsaved[0].parent if unsaved else stored[-1].id if stored else None
    trouble = ""
    try:
        said = await context.storage.read(
            lambda storage: _said(storage, session_id, head, to_the_end=not unsaved)
        )
    except StorageError as error:
        said = []
        trouble = (
            f"The store could not be read, so only what this shell holds was written: "
            f"{clean_line(str(error), 400)}"
        )
    known = {message.id for message in said}
    for message in (*history, *unsaved):
        if message.id not in known:
            known.add(message.id)
            said.append(message)
    return said, trouble


def _said(
    storage: Storage, session_id: str, head: str | None, *, to_the_end: bool
) -> list[Message]:
    """The messages from the first one to ``head``. Where the stored conversation passes by
    it and ``to_the_end`` is true, also what another shell has added behind it."""
    path = storage.messages(session_id)
    if head is None:  # nothing that this shell has said is stored
        return path if to_the_end else []
    places = [place for place, message in enumerate(path) if message.id == head]
    if places:
        return path if to_the_end else path[: places[0] + 1]
    by_id = {message.id: message for message in storage.tree(session_id)}
    if head not in by_id:
        return path
    branch = []
    step: Message | None = by_id[head]
    while step is not None:  # another shell has moved the stored conversation elsewhere
        branch.append(step)
        step = by_id.get(step.parent) if step.parent is not None else None
    branch.reverse()
    return branch


# The file --------------------------------------------------------------------------------


def _path(text: str, store: str) -> str:
    """The absolute path that was typed. Raises ``UsageError`` where nothing may be written."""
    typed = unquote(text)
    if not typed:
        raise UsageError(
            "/save needs a file.", hint="Usage: /save PATH, as in /save ~/conversation.md"
        )
    try:
        path = os.path.abspath(os.path.expanduser(typed))
        _require_name(path)
    except ValueError as error:
        raise UsageError(
            f"'{clean_line(typed)}' holds a character that no file name can hold.",
            hint="Name another file.",
        ) from error
    except OSError as error:
        raise UsageError(
            f"The working directory cannot be found: {error.strerror}.",
            hint="Name the file by its whole path.",
        ) from error
    if store and _is_inside(path, store):
        raise UsageError(
            f"{clean_line(path, 400)} is in the folder of the sessions.",
            hint="Name a file outside of it.",
        )
    if typed.endswith(("/", os.sep)):
        raise UsageError(f"{clean_line(path, 400)} is to be a folder.", hint="Name a file in it.")
    return path


def _require_name(path: str) -> None:
    """Raise ``ValueError`` for what no disk is asked for."""
    if "\0" in path:
        raise ValueError("NUL")
    os.fsencode(path)


def _is_inside(path: str, folder: str) -> bool:
    real, folder = os.path.realpath(path), os.path.realpath(folder)
    return real == folder or real.startswith(os.path.join(folder, ""))


def _look(path: str) -> str:
    """What is known of a file that is there already, to ask about; empty if there is none.
    Raises ``AgnoShellError`` where no file can be."""
    shown = clean_line(path, 400)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise AgnoShellError(
            f"There is no folder {clean_line(folder, 400)}.", hint="Make it, or name another."
        )
    if os.path.isdir(path):
        raise AgnoShellError(f"{shown} is a folder.", hint="Name a file in it.")
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _not_written(path, error) from error
    if not os.path.isfile(path):
        raise AgnoShellError(f"{shown} is no ordinary file.", hint="Name another.")
    from datetime import UTC, datetime

    changed = local_time(datetime.fromtimestamp(status.st_mtime, UTC))
    return f"exists ({wording.size(status.st_size)}, changed {changed})"


def _write(path: str, data: bytes, *, replace: bool) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    try:
        write_whole(os.path.realpath(path), [data], replace=replace)  # a symbolic link stays one
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: str, error: OSError) -> AgnoShellError:
    return AgnoShellError(
        f"{clean_line(path, 400)} was not written: {error.strerror or error}.",
        hint="Name another place: /save PATH",
    )


COMMANDS = (
    Command(
        "save",
        "Write the open conversation into a file of your own, as Markdown or JSON.",
        save,
        usage=f"PATH [{YES}]",
        details=(
            "A PATH that ends in .json gets the messages as they are stored, any other name a "
            "text to read. All of the conversation is written, and what could not be saved in "
            "the store as well. An existing file is replaced only after you were asked, or with "
            f"{YES}.\n"
            "Example: /save ~/tax return.md"
        ),
        complete=completions.paths,
    ),
)
