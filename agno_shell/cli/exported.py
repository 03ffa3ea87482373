"""Where an export goes: standard output, or a new file that only its owner can read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.terminal_text import clean_line
from agno_shell.wording import size


def write(pieces: Iterable[str], path: str | None, out: TextIO) -> None:
    """Write the pieces of a text to ``out``, or to a file at ``path``, whole or not at all. A
    file that is there already is left as it is: ``UsageError``."""
    if path is None:
        out.writelines(pieces)
        return
    shown = clean_line(path, 400)
    try:
        target = os.path.abspath(os.path.expanduser(path))
        length = _place(target, pieces)
    except FileExistsError:
        raise UsageError(
            f"{shown} exists, and nothing was written.", hint="Name another file, or move it away."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise AgnoShellError(f"{shown} could not be written: {reason}.") from None
    out.write(f"{clean_line(target, 400)} written ({size(length)})\n")


def _place(target: str, pieces: Iterable[str]) -> int:
    """Bytes that were written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(target, flags | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace", newline="") as stream:
            if sys.platform != "win32":
                os.fchmod(descriptor, 0o600)  # a strange umask took even our own rights
            stream.writelines(pieces)
            stream.flush()
            os.fsync(descriptor)
            return os.fstat(descriptor).st_size
    except BaseException:
        os.unlink(target)
        raise
