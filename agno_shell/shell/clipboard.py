"""Text on its way to a clipboard: by a program of the desktop, by tmux, or by the terminal.

The desktop's own program is asked where the shell runs on the user's machine. Over SSH
only the terminal knows where the user sits: it takes text by the control sequence OSC 52
(https://invisible-island.net/xterm/ctlseqs/ctlseqs.html). Whether it did, it does not say.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from agno_shell.errors import UsageError
from agno_shell.toolkit.wording import size

TERMINAL_BYTES = 100_000
"""Of encoded text in one sequence: several terminals drop what is longer."""

SCREEN_BYTES = 512
"""GNU screen passes on strings of 768 bytes at most."""

SECONDS = 5.0
"""How long a clipboard program may take; one waits for a display that does not answer."""

NEEDED = (
    *("HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "SYSTEMROOT"),
    *("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    *("TMUX", "TMUX_TMPDIR"),
)
"""The variables that clipboard programs get; no key is among them."""


class Program(NamedTuple):
    """A program that takes text on its standard input."""

    argv: Sequence[str]
    encoding: str = "utf-8"


async def copy(text: str, to_terminal: Callable[[str], bool], environ: Mapping[str, str]) -> str:
    """Put text on the clipboard; returns how. ``UsageError`` where there is no way."""
    for program in programs(environ):
        if await _run(program, text, environ):
            return f"with {os.path.basename(program.argv[0])}"
    if to_terminal(text):
        return "through the terminal, if it allows that (OSC 52)"
    raise UsageError(
        "There is no clipboard that this shell can reach.",
        hint="xclip, xsel or wl-copy are used where they are installed; /save PATH writes a file.",
    )


def programs(environ: Mapping[str, str]) -> list[Program]:
    """The programs that may reach the user's clipboard, the likeliest first."""
    found = []
    is_remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    if not is_remote:
        found += _of_the_desktop(environ)
    if environ.get("TMUX"):
        # -w: tmux hands it on to the terminal, whatever it lets programs do themselves.
        found.append(Program(("tmux", "load-buffer", "-w", "-")))
    return found


def _of_the_desktop(environ: Mapping[str, str]) -> list[Program]:
    if sys.platform == "darwin":
        return [Program(("/usr/bin/pbcopy",))]
    if sys.platform == "win32":
        folder = os.path.join(environ.get("SYSTEMROOT", "C:\\Windows"), "System32")
        return [Program((os.path.join(folder, "clip.exe"),), "utf-16")]
    found = []
    if environ.get("WAYLAND_DISPLAY"):
        found.append(Program(("wl-copy",)))
    if environ.get("DISPLAY"):
        found.append(Program(("xclip", "-selection", "clipboard")))
        found.append(Program(("xsel", "--clipboard", "--input")))
    if environ.get("WSL_DISTRO_NAME"):
        found.append(Program(("clip.exe",), "utf-16"))
    return found


async def _run(program: Program, text: str, environ: Mapping[str, str]) -> bool:
    """Whether the program took the text."""
    given = {name: environ[name] for name in NEEDED if name in environ}
    # Nobody has named the program: it is not looked for in the working directory.
    folders = filter(os.path.isabs, environ.get("PATH", os.defpath).split(os.pathsep))
    given["PATH"] = os.pathsep.join(folders)
    name, *arguments = program.argv
    # An empty PATH would mean that folder to the system.
    if not (path := shutil.which(name, path=given["PATH"]) if given["PATH"] else None):
        return False
    if sys.platform == "darwin":
        given["LC_CTYPE"] = "UTF-8"  # pbcopy takes text for Mac Roman without it
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            stdin=PIPE,
            # xclip and wl-copy leave a process behind that would hold a pipe open.
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=given,
            start_new_session=True,
        )
    except (OSError, ValueError):
        return False
    try:
        async with asyncio.timeout(SECONDS):
            await process.communicate(text.encode(program.encoding, "replace"))
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return False
    return process.returncode == 0


def terminal_sequence(text: str, environ: Mapping[str, str]) -> str:
    """OSC 52 for the terminal, wrapped so that tmux or GNU screen hands it on.

    Nothing but base64 stands between the control characters. ``UsageError`` when the text
    is more than terminals take.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(encoded) > TERMINAL_BYTES:
        raise UsageError(
            f"The text has {size(len(text.encode('utf-8', 'replace')))}; terminals take "
            f"{size(TERMINAL_BYTES * 3 // 4)} for their clipboard.",
            hint="/save PATH writes the conversation to a file.",
        )
    sequence = f"\x1b]52;c;{encoded}\x07"
    if environ.get("TMUX"):
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{escaped}\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        places = range(0, len(sequence), SCREEN_BYTES)
        pieces = (sequence[place : place + SCREEN_BYTES] for place in places)
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence
