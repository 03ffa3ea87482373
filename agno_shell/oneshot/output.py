"""What is known of the place that a one-shot command writes to."""

import os
from typing import TextIO


def terminal_width(out: TextIO) -> int:
    """The columns of the terminal behind ``out``; 0 if there is no terminal."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except (OSError, ValueError):  # a stream of no file, or one that is closed
        return 0
