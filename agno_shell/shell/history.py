"""What was typed, kept over restarts: one JSON text a line, in a file only its owner reads.

A line that begins with a space, or that looks like a key, is never written.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress

from prompt_toolkit.history import History

from agno_shell.shell.paste import STAND_IN

LOAD_BYTES = 4 * 1024 * 1024
"""How much of the end of the file is loaded; older entries stay in the file."""

LOAD_ENTRIES = 2_000
"""prompt_toolkit goes through all of them after each message; these take half a ms."""

LONGEST_ENTRY = 64 * 1024
"""A longer text is in its session; in the history it would only slow the keys down."""

SECRET = re.compile(
    r"""
      \b(sk|pk|rk|gsk|xai|key|token)[-_][A-Za-z0-9_-]{16,}   # OpenAI, Anthropic, Groq, …
    | \bAIza[0-9A-Za-z_-]{30,}                                # Google
    | \b(ghp|gho|ghs|github_pat|glpat|hf)[_-][A-Za-z0-9_-]{16,}
    | \bAKIA[0-9A-Z]{16}\b                                    # AWS
    | \beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}             # a signed token
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----
    | (?i:api[_-]?key|secret|password|bearer)\s*[=:\ ]\s*\S{8,}
    """,
    re.VERBOSE,
)


def worth_keeping(text: str) -> bool:
    """Whether a typed text may be written to the history."""
    return (
        bool(text.strip())
        and not STAND_IN.search(text)
        and not text.startswith(" ")
        and len(text) <= LONGEST_ENTRY
        and not SECRET.search(text)
    )


class InputHistory(History):
    """prompt_toolkit's history, on a file that several shells append to.

    Without a path nothing is kept beyond this run. The file is read in one go once the
    prompt stands: a history that is loaded in a thread is not there yet for a user
    who presses Ctrl-R at once.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = os.fspath(path) if path is not None else None
        super().__init__()

    def load_history_strings(self) -> Iterable[str]:
        """The newest entries, newest first; a damaged line is passed over."""
        last = None
        for line in self._tail()[: -LOAD_ENTRIES - 1 : -1]:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, str) and entry != last:
                last = entry
                yield entry

    def append_string(self, string: str) -> None:
        """Remember what was typed; one Up leads past what was typed twice in a row."""
        if self._loaded_strings[:1] == [string]:
            self.store_string(string)
        else:
            super().append_string(string)

    def append_draft(self, text: str) -> None:
        """Remember a draft that was cleared, in memory only: Up brings it back."""
        self._loaded_strings.insert(0, text)

    def store_string(self, string: str) -> None:
        """Append in one write, so that the entries of two shells never mix; on a line of its
        own, also behind one that a full disk or a power cut has cut off.

        What is not written is still one key away until the shell ends.
        """
        if self._path is None or not worth_keeping(string):
            return
        line = (json.dumps(string) + "\n").encode()
        # A history that cannot be written is no reason to stop a user who types.
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            descriptor = _open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError:
            return
        with suppress(OSError), open(descriptor, "r+b", buffering=0) as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)

    def _tail(self) -> list[bytes]:
        if self._path is None:
            return []
        try:
            with open(_open(self._path, os.O_RDONLY), "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOAD_BYTES))
                data = file.read()
        except OSError:
            return []
        lines = data.splitlines()
        return lines[1:] if size > LOAD_BYTES else lines


def _open(path: str, flags: int) -> int:
    """A descriptor of a regular file; links and pipes are refused, and never waited for."""
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return descriptor
