"""What a session may be called: one rule for the command line and for the shell."""

from __future__ import annotations

from agno_shell.errors import UsageError

LONGEST = 200
"""Characters."""


def session_name(text: str) -> str:
    """``text`` as a name: one line, white space collapsed; may be empty. Raises
    :class:`UsageError` for more than :data:`LONGEST` characters."""
    name = " ".join(text.split())
    if len(name) > LONGEST:
        raise UsageError(
            f"A session's name can have {LONGEST} characters; this one has {len(name)}.",
            hint="Shorten it; a description may be longer.",
        )
    return name
