"""What was entered in a session and is not sent yet, kept on the disk until it is.

Each running shell has a file for each session, ``KEY.TOKEN.jsonl``: a line for every text
that was entered, and one for those that are done. ``KEY.TOKEN.lock`` beside it is locked as
long as the shell lives. A file whose lock is free was left by a shell that is gone; the
next one that opens the session takes its texts over.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.types import now

_PLAIN = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_DATA = re.compile(r"(.+)\.([0-9a-f]{32})\.jsonl", re.ASCII)
_GUARDED = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Entry(NamedTuple):
    """A text that was entered."""

    id: str
    text: str
    """Whole: a stand-in for a large paste is what was pasted."""
    entered_at: datetime


class EnteredFile:
    """What this shell was given in one session. Everything raises ``OSError``."""

    def __init__(self, folder: str, session_id: str) -> None:
        self._folder = folder
        # Another storage's ids may be anything.
        is_plain = _PLAIN.fullmatch(session_id)
        digest = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
        self._key = session_id if is_plain else digest
        self._token = os.urandom(16).hex()
        self._waiting: set[str] = set()
        self._fd = self._lock = -1

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep texts until they are done; on return they outlive the process."""
        self._open()
        rows = [
            {"id": each.id, "text": each.text, "entered_at": each.entered_at.isoformat()}
            for each in entries
        ]
        self._write("".join(json.dumps(row) + "\n" for row in rows).encode())
        self._waiting.update(each.id for each in entries)

    def sync(self) -> None:
        """What is kept survives a power cut on return."""
        if self._fd >= 0:
            os.fsync(self._fd)

    def done(self, ids: Sequence[str]) -> None:
        """They are sent, or were taken back."""
        gone = [each for each in ids if each in self._waiting]
        self._waiting.difference_update(gone)
        if self._fd < 0 or not gone:
            return
        if self._waiting:
            self._write((json.dumps({"done": gone}) + "\n").encode())
        else:
            os.ftruncate(self._fd, 0)

    def adopt(self) -> list[Entry]:
        """Take over what shells that are gone have left, in the order in which it was
        entered."""
        found: list[Entry] = []
        for token in self._left():
            lock = self._try_lock(token)
            if lock < 0:
                continue  # its shell lives
            try:
                entries = _read(self._path(token, "jsonl"))
                fresh = [each for each in entries if each.id not in self._waiting]
                if fresh:
                    self.add(fresh)
                    self.sync()
                    found += fresh
                self._remove(token)
            except FileNotFoundError:
                pass  # another shell was faster
            finally:
                os.close(lock)
        return sorted(found, key=lambda each: each.entered_at)

    def purge(self) -> None:
        """Delete what shells that are gone have left."""
        for token in self._left():
            if (lock := self._try_lock(token)) >= 0:
                self._remove(token)
                os.close(lock)

    def close(self) -> None:
        """Leave what waits for the next shell; nothing is left where nothing waits."""
        lock, fd = self._lock, self._fd
        self._lock = self._fd = -1
        if fd >= 0:
            os.close(fd)
            if not self._waiting:
                self._remove(self._token)
            os.close(lock)

    def _left(self) -> Iterator[str]:
        """The tokens of the other files of this session."""
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return
        for name in names:
            match = _DATA.fullmatch(name)
            if match and match[1] == self._key and match[2] != self._token:
                yield match[2]

    def _open(self) -> None:
        if self._fd >= 0:
            return
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        os.chmod(self._folder, 0o700)
        if self._lock < 0:
            self._lock = self._try_lock(self._token, os.O_CREAT | os.O_EXCL)
        self._fd = _open(
            self._path(self._token, "jsonl"), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        )

    def _try_lock(self, token: str, flags: int = 0) -> int:
        """The descriptor of a lock that is held now; -1 where another one holds it."""
        from filelock import lock_descriptor  # only who enters something needs it

        fd = _open(self._path(token, "lock"), os.O_RDWR | os.O_CREAT | flags)
        try:
            if lock_descriptor(fd, blocking=False):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return -1

    def _write(self, data: bytes) -> None:
        """All of it or nothing: the next line must not be torn with it."""
        before = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._fd, before)
            raise

    def _remove(self, token: str) -> None:
        for kind in ("jsonl", "lock"):
            with suppress(FileNotFoundError):
                os.unlink(self._path(token, kind))

    def _path(self, token: str, kind: str) -> str:
        return os.path.join(self._folder, f"{self._key}.{token}.{kind}")


def _open(path: str, flags: int) -> int:
    """A descriptor of a regular file that only its owner reads."""
    fd = os.open(path, flags | _GUARDED, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path} is not a regular file")
    return fd


def _read(path: str) -> list[Entry]:
    """What waits in a file; a line that is torn or damaged costs that line."""
    with open(_open(path, os.O_RDONLY), "rb") as file:
        lines = file.read().split(b"\n")
    waiting: dict[str, Entry] = {}
    for line in lines:
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(row, dict):
            continue
        if isinstance(done := row.get("done"), list):
            for each in done:
                waiting.pop(str(each), None)
        elif isinstance(row.get("id"), str) and isinstance(row.get("text"), str):
            waiting[row["id"]] = Entry(row["id"], row["text"], _moment(row.get("entered_at")))
    return list(waiting.values())


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return now()
    return moment if moment.tzinfo else now()
