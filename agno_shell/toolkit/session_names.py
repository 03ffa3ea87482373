"""What a session may be called, and whether two texts call it the same: one rule for the
command line and for the shell."""

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


def required_name(text: str, hint: str = "") -> str:
    """The same for a name that must be given: raises :class:`UsageError` for an empty one
    as well."""
    name = session_name(text)
    if not name:
        raise UsageError("A session's name cannot be empty.", hint=hint)
    return name


def name_key(text: str) -> str:
    """The form that two texts share when a reader takes them for the same name, however many
    blanks they hold, and whether an ä is one character (NFC) or two (NFD), as macOS writes
    file names."""
    return _composed(" ".join(text.split()))


def loose_key(text: str) -> str:
    """The same for names that only differ in their letter case."""
    return _composed(name_key(text).casefold())


def _composed(text: str) -> str:
    if text.isascii():
        return text
    from unicodedata import normalize  # which most lists of sessions do without

    return normalize("NFC", text)
