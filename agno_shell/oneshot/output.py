"""What is known of the places that a one-shot command writes to."""

import os
from contextlib import suppress
from typing import TextIO


def terminal_width(out: TextIO) -> int:
    """The columns of the terminal behind ``out``; 0 if there is no terminal."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except (OSError, ValueError):  # a stream of no file, or one that is closed
        return 0


def say(err: TextIO, line: str) -> None:
    """A clean line beside the output. Where nobody can hear it, the command goes on, and its
    exit status still tells."""
    with suppress(OSError):
        err.write(f"{line}\n")
        err.flush()
