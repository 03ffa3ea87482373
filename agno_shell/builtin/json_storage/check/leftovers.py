"""Files that a program left when it was ended while it wrote, and files of others.

Nothing that holds a word which stands nowhere else is removed: it is kept under a name
that says what it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.toolkit.wording import count, size
from agno_shell.types import Finding

_TEMPORARY = re.compile(r"(.+)\.[0-9a-f]{12}\.tmp")
_COPY = re.compile(r".+\.(?:before|damaged|unfinished)-[0-9]{8}T[0-9]{12}Z")
_TIMES = (b'"updated_at":', b'"head":', b'"head_after":')
"""The keys of ``session.json`` that hold nothing of what was written in the session."""
_NAMED = 3


def target_of(name: str) -> str | None:
    """The name of the file that a temporary one was to become; None for other names."""
    match = _TEMPORARY.fullmatch(name)
    return match[1] if match else None


def is_copy(name: str) -> bool:
    """Whether this is what was kept of a file that was rewritten."""
    return _COPY.fullmatch(name) is not None


def temporary(path: str, target: str) -> Issue:
    """``path`` was to be put in the place of ``target`` when its program was ended."""
    return Issue(
        path,
        "It was left by a program that was ended while it wrote.",
        f"A repair removes it if all of it stands in {os.path.basename(target)}, and else"
        " keeps it under another name.",
        lambda: put_away(path, target),
    )


def put_away(path: str, target: str, is_all_in: Callable[[bytes], bool] | None = None) -> str:
    """Remove ``path`` if ``target`` says all that it says, else rename it; what was done.
    ``is_all_in``: whether that is so, given the bytes of ``target``; None: by the lines."""
    try:
        present = disk.read(target)
    except FileNotFoundError:
        present = b""
    try:
        left = disk.read(path)
    except FileNotFoundError:
        return "It has gone by itself."
    if is_all_in(present) if is_all_in else holds_all(present, left):
        disk.remove(path)
        return "It was removed; it held nothing that is not saved."
    kept = f"{target}.unfinished-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"
    disk.move(path, kept)
    disk.sync_folder(os.path.dirname(path))
    return f"It holds what stands nowhere else and is kept as {os.path.basename(kept)}."


def holds_all(present: bytes, left: bytes) -> bool:
    """Whether every line of ``left``, the last perhaps cut off, is one of ``present``."""
    if not left.strip(b"\0"):
        return True
    known = {_bare(line) for line in present.split(b"\n")} | {b""}
    *lines, last = map(_bare, left.split(b"\n"))
    if not all(line in known or line.startswith(_TIMES) for line in lines):
        return False
    return last.startswith(_TIMES) or any(line.startswith(last) for line in known)


def _bare(line: bytes) -> bytes:
    """A line without what depends on its place in the file; ``[`` and ``{`` say nothing."""
    line = line.strip(b" ,")
    return b"" if line in (b"[", b"]", b"{", b"}") else line


class Extras:
    """Counts copies that are kept and files of others; both stay in every repair."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._copies: list[str] = []
        self._bytes = 0
        self._unknown: list[str] = []

    def copy(self, path: str, status: os.stat_result) -> None:
        """A copy that was kept."""
        self._copies.append(os.path.relpath(path, self._root))
        self._bytes += status.st_size

    def unknown(self, path: str) -> None:
        """A file or folder of which the store knows nothing."""
        self._unknown.append(os.path.relpath(path, self._root))

    def findings(self) -> Iterator[Finding]:
        """Not more than two notes, however many files there are."""
        if self._copies:
            yield Finding(
                self._root,
                "It holds what was kept when files were repaired or rewritten,"
                f" {size(self._bytes)} in {count(len(self._copies), 'file')}:"
                f" {_some(self._copies)}.",
                "The store does not need them.",
                note=True,
            )
        if self._unknown:
            yield Finding(
                self._root,
                f"It holds what is not the store's: {_some(self._unknown)}.",
                "It is left alone.",
                note=True,
            )


def _some(paths: list[str]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
