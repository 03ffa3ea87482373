"""What becomes of an error that ends a command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from errno import EFBIG, EIO, ENOSPC
from typing import TextIO, TypeGuard

from agno_shell.errors import AgnoShellError, SessionNotFoundError
from agno_shell.toolkit.terminal_text import clean_line


def report(error: Exception) -> int:
    """One line on stderr for what a user can mend; anything else is raised again.
    Returns the exit status."""
    if isinstance(error, BrokenPipeError):  # the reader, such as head, has seen enough
        drop(sys.stdout)
        return 1
    if is_failed_output(error):
        drop(sys.stdout)
        error = AgnoShellError(f"The output could not be written: {error.strerror}.")
    if not isinstance(error, AgnoShellError):
        raise error
    lines = [f"agno-shell: {clean_line(error.sentence(), 1000)}"]
    if isinstance(error, SessionNotFoundError):
        lines += [f"  {clean_line(candidate)}" for candidate in error.candidates]
    with suppress(OSError):  # an error that cannot be written keeps its status
        sys.stderr.write("\n".join(lines) + "\n")
    return error.exit_code


def is_failed_output(error: BaseException) -> TypeGuard[OSError]:
    """A stream's error names no file; the storage reports its own in words of its own."""
    return (
        isinstance(error, OSError)
        and error.filename is None
        and error.errno in (ENOSPC, EFBIG, EIO)
    )


def drop(stream: TextIO) -> None:
    """Let a stream lead nowhere, or the interpreter complains once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
