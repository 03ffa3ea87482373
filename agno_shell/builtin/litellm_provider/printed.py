"""What litellm and its libraries print: without keys, and into the log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO, cast

from agno_shell.builtin.model_services.redact import RedactingWriter, Redactor, hidden


def protect_secrets() -> Redactor:
    """No key in the log, by what is returned, and none in a core dump."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    redactor = Redactor(hidden(os.environ))
    log = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", "backslashreplace")
    # Loggers keep the stream that they find at import, so this comes before it.
    sys.stdout = sys.stderr = cast("TextIO", RedactingWriter(cast("io.TextIOBase", log), redactor))
    return redactor
