"""Where an export goes: standard output, or a new file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TextIO

from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.whole_files import write_whole
from agno_shell.toolkit.wording import size


def write(pieces: Iterable[str], path: str | None, out: TextIO) -> None:
    """Write the pieces of a text to ``out``, or to a file at ``path``, whole or not at all. A
    file that is there already is left as it is: ``UsageError``."""
    if path is None:
        out.writelines(pieces)
        return
    shown = clean_line(path, 400)
    try:
        target = os.path.abspath(os.path.expanduser(path))
        data = (piece.encode("utf-8", "replace") for piece in pieces)
        length = write_whole(target, data, replace=False)
    except FileExistsError:
        raise UsageError(
            f"{shown} exists, and nothing was written.", hint="Name another file, or move it away."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise AgnoShellError(f"{shown} could not be written: {reason}.") from None
    out.write(f"{clean_line(target, 400)} written ({size(length)})\n")
