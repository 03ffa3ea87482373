"""A text in the user's own editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress

from prompt_toolkit.application import Application, in_terminal
from prompt_toolkit.application.current import set_app

from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.wording import size

USUAL = ("editor", "nano", "vim", "vi")
"""Where the environment names none, as Debian and other systems have them."""

LONGEST = 16 * 1024 * 1024
"""Bytes; a longer text is no message."""

ENDING_SECONDS = 1.0
"""How long an editor may take to end when the shell has to."""


def find_editor(environ: Mapping[str, str]) -> list[str]:
    """The editor's command line. ``UsageError`` when there is none."""
    for variable in ("VISUAL", "EDITOR"):
        if not (named := environ.get(variable, "").strip()):
            continue
        try:
            argv = shlex.split(named, posix=sys.platform != "win32")
        except ValueError:
            argv = []
        if not argv or not (program := shutil.which(argv[0], path=environ.get("PATH"))):
            raise UsageError(
                f"${variable} is {clean_line(named)!r}, and there is no such program.",
                hint="Set it to the name of an editor.",
            )
        return [program, *argv[1:]]
    # Nobody has named these: they are not looked for in the working directory.
    folders = [*filter(os.path.isabs, environ.get("PATH", os.defpath).split(os.pathsep))]
    if sys.platform == "win32":
        return [os.path.join(environ.get("SYSTEMROOT", "C:\\Windows"), "notepad.exe")]
    for name in USUAL:
        if folders and (program := shutil.which(name, path=os.pathsep.join(folders))):
            return [program]
    raise UsageError("There is no editor.", hint="Set $VISUAL or $EDITOR to the name of one.")


async def edit_instead(
    application: Application[None], text: str, environ: Mapping[str, str]
) -> str | None:
    """Like :func:`edit`, while ``application`` leaves the terminal to the editor."""
    with set_app(application):
        async with in_terminal():
            try:
                return await edit(text, environ)
            except UsageError:
                # What an editor that has failed may have left behind.
                application.output.reset_attributes()
                application.output.disable_mouse_support()
                application.output.show_cursor()
                application.output.flush()
                raise


async def edit(text: str, environ: Mapping[str, str]) -> str | None:
    """Let the user change ``text``; None when nothing was saved.

    The editor inherits this program's terminal and environment, as from any other program.
    The file is readable for nobody else, and gone afterwards, with all that the editor
    left beside it. ``UsageError`` when there is no editor, or it failed.
    """
    argv = find_editor(environ)
    folder = tempfile.mkdtemp(prefix="agno-shell-")
    path = os.path.join(folder, "message.md")
    try:
        _write(path, text)
        before = _state(path)
        await _run(argv, path)
        return _read(path) if _state(path) != before else None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(argv: list[str], path: str) -> None:
    name = clean_line(os.path.basename(argv[0]), 60)
    try:
        process = await asyncio.create_subprocess_exec(*argv, path)
    except OSError as error:
        reason = error.strerror or "unknown"
        raise UsageError(f"The editor {name} could not be started: {reason}.") from None
    try:
        status = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
        raise UsageError(f"The editor {name} {how}; nothing was taken over.")


async def _end(process: Process) -> None:
    """The shell has to end, and gets its terminal back."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(ENDING_SECONDS):
            await process.wait()
            return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(text.encode("utf-8", "replace") + b"\n")


def _state(path: str) -> tuple[int, int, int] | None:
    """What is another one after the file was saved."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: str) -> str | None:
    """What was saved, without the newline that editors put at the end."""
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = error.strerror or "unknown"
        raise UsageError(f"What the editor saved cannot be read: {reason}.") from None
    if len(data) > LONGEST:
        raise UsageError(f"What the editor saved is larger than {size(LONGEST)}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("What the editor saved is not UTF-8; nothing was taken over.") from None
    return text.removesuffix("\n").removesuffix("\r")
