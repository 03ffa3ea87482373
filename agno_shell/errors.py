"""Errors that a user can mend; anything else that is raised is a bug.

``str(error)`` is one sentence: what happened and where. ``error.hint`` is the
next step, or an empty string.
"""

from __future__ import annotations

from collections.abc import Sequence


class AgnoShellError(Exception):
    """The base of every error that is shown as a sentence instead of a traceback."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def sentence(self) -> str:
        """The message and its hint in one line, not yet cleaned for a terminal."""
        return f"{self} {self.hint}".strip()


class UsageError(AgnoShellError):
    """The command line, or a slash command, was given something it cannot take."""

    exit_code = 2


def nobody_to_ask(question: str, instead: str = "") -> UsageError:
    """The error of a command that asks where nobody can answer. ``instead`` is the option
    that answers beforehand."""
    return UsageError(
        f"Nobody is here to answer: {question}",
        hint=f"{instead} answers yes beforehand." if instead else "That takes a terminal.",
    )


class ConfigError(AgnoShellError):
    """The configuration is wrong; the message names file, line and key."""

    exit_code = 2


class PluginError(AgnoShellError):
    """A plugin cannot be used; the message names it and its distribution."""


class StorageError(AgnoShellError):
    """A session or a file could not be read or written; the message names it."""


class SessionNotFoundError(StorageError):
    """No session, or more than one, answers to a reference.

    ``candidates`` are one-line descriptions of the nearest ones.
    """

    def __init__(self, message: str, *, hint: str = "", candidates: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class ProviderError(AgnoShellError):
    """A model could not answer.

    ``kind`` is one of the words of :data:`agno_shell.events.FAILURES`; ``temporary`` as in
    :class:`agno_shell.events.Failed`.
    """

    def __init__(
        self, message: str, *, hint: str = "", kind: str = "other", temporary: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.temporary = temporary
