"""Stores in a temporary folder, and a disk that fails when it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions

CHANGES = frozenset(
    ("mkdir", "chmod", "fchmod", "write", "ftruncate", "fdatasync", "fsync", "replace", "link")
) | {"unlink", "rmdir"}


SYNCS = frozenset(("fdatasync", "fsync"))


class FaultyOS:
    """Stands in for ``os`` in the disk room. Counts the calls that change something and
    raises ``error`` from the one numbered ``fail_from`` on, as long as ``lasting``.

    Syncs are counted and not made: no test in this process can see a power cut, and
    hundreds of them would take seconds.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: OSError | None = None
        self.fail_from = 0
        self.lasting = True
        self.only: frozenset[str] | None = None
        self.short_writes = False

    def fail(self, error: OSError, at: int = 1, *, lasting: bool = True, only: str = "") -> None:
        self.calls.clear()
        self.error, self.fail_from, self.lasting = error, at, lasting
        self.only = frozenset(only.split()) or None

    def heal(self) -> None:
        self.error = None
        self.calls.clear()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name == "open":
            return self._open
        if name not in CHANGES:
            return real

        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._maybe_fail(name)
            if name in SYNCS:
                return None
            if name == "write" and self.short_writes:
                fd, data = args
                return os.write(fd, data[: max(1, len(data) // 2)])
            return real(*args, **kwargs)

        return guarded

    def _open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            self._maybe_fail("create")
        return os.open(path, flags, mode)

    def _maybe_fail(self, name: str) -> None:
        if self.only is not None and name not in self.only:
            return
        self.calls.append(name)
        number = len(self.calls)
        due = number >= self.fail_from if self.lasting else number == self.fail_from
        if self.error is not None and due:
            raise self.error


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> FaultyOS:
    faulty = FaultyOS()
    monkeypatch.setattr(disk, "os", faulty)
    return faulty


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def open_store(root: Path, notices: list[str]) -> Iterator[Callable[[], Storage]]:
    opened = []

    def open_one() -> Storage:
        opened.append(open_storage(StorageOptions(str(root), notice=notices.append)))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Storage]) -> Storage:
    return open_store()
