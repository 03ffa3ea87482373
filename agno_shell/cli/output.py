"""How a command writes: tables and JSON on its output, lines beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from typing import Any, TextIO

    from agno_shell.toolkit.text_table import Column


def terminal_width(out: TextIO) -> int:
    """The columns of the terminal behind ``out``; 0 if there is no terminal."""
    try:
        return os.get_terminal_size(out.fileno()).columns if out.isatty() else 0
    except (OSError, ValueError):  # a stream of no file, or one that is closed
        return 0


def write_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], out: TextIO) -> None:
    """Headings and rows of clean cells, as wide as the terminal is."""
    from agno_shell.toolkit.text_table import table_lines

    out.write("\n".join([*table_lines(columns, rows, terminal_width(out)), ""]))


def write_json(value: object, out: TextIO, default: Callable[[Any], object] | None = None) -> None:
    """A document of several lines; ``default`` makes something of what JSON does not know.

    ASCII alone, so that no foreign byte acts on a terminal and every locale can write it.
    """
    import json

    out.write(json.dumps(value, indent=2, default=default) + "\n")


def say(err: TextIO, line: str) -> None:
    """A clean line beside the output. Where it cannot be written, the command goes on, and its
    exit status still shows the error."""
    with suppress(OSError):
        err.write(f"{line}\n")
        err.flush()
