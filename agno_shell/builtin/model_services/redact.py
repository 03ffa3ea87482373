"""Takes keys out of everything that leaves the child process as text.

Exact secrets first, because a pattern that matches a part of one would leave the rest.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping

from agno_shell.builtin.model_services import proxies

HIDDEN = "[hidden key]"

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8
_SHORTEST_KEY = 4
"""Characters; a shorter key of one's own server would take away half of every text."""

_NO_SECRET = re.compile(r"\s|://|^[/~.]|^\w:\\")
_PATTERNS = (
    re.compile(r"(?<=Bearer )[^\s'\",}]{6,}", re.IGNORECASE),
    re.compile(r"\b(?:sk|pk|rk|gsk|xai|nvapi|hf|ghp|pplx|csk|fw)[-_][A-Za-z0-9_*.\-]{6,}"),
    re.compile(r"\bAIza[A-Za-z0-9_\-]{10,}"),
    re.compile(r"(?<=[?&]key=)[^&\s'\"]+"),
    re.compile(r"(?<=//)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=api[-_]key)['\"]?\s*[:=]\s*['\"]?[^\s'\",}]{6,}"),
)


def secrets(environ: Mapping[str, str], named: str | None = None) -> list[str]:
    """Values of variables whose names say that they are secret, the longest first; with
    the value of the variable that was ``named`` as the one with the key.

    A value that begins like a path, or has white space in it, is a file or a sentence; a
    separator further behind is also a digit of base 64.
    """
    key = environ.get(named or "", "").strip()
    values = {
        value.strip()
        for name, value in environ.items()
        if _SECRET_NAME.search(name)
        and len(value.strip()) >= _SHORTEST_SECRET
        and not _NO_SECRET.search(value.strip())
    }
    values |= {key} if len(key) >= _SHORTEST_KEY else set()
    return sorted(values, key=lambda value: (-len(value), value))


def hidden(environ: Mapping[str, str], named: str | None = None) -> list[str]:
    """What no text may hold: :func:`secrets`, and the passwords of proxies."""
    return [*secrets(environ, named), *proxies.secrets(environ)]


class Redactor:
    """Replaces keys by :data:`HIDDEN`."""

    def __init__(self, exact: Iterable[str]) -> None:
        self.hide(exact)

    def hide(self, exact: Iterable[str]) -> None:
        """From now on these, and no longer those given before."""
        # White space may stand anywhere in one: servers and terminals wrap long lines.
        self._exact = [
            re.compile(r"\s*".join(map(re.escape, secret)))
            for secret in sorted(exact, key=len, reverse=True)
        ]

    def redact(self, text: str) -> str:
        for secret in self._exact:
            text = secret.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            # Not in what is hidden already: what was redacted once, or twice, is the same.
            text = HIDDEN.join(pattern.sub(HIDDEN, part) for part in text.split(HIDDEN))
        return text


class RedactingWriter(io.TextIOBase):
    """A text stream that passes whole lines on, without keys; for stdout and stderr."""

    def __init__(self, target: io.TextIOBase, redactor: Redactor) -> None:
        self._target = target
        self._redactor = redactor
        self._open_line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._open_line = (self._open_line + text).split("\n")
        for line in lines:
            self._target.write(self._redactor.redact(line) + "\n")
        if lines:
            self._target.flush()
        return len(text)

    def fileno(self) -> int:
        return self._target.fileno()
