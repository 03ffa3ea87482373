"""A store with a patient in it, and what the tests of the check look with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from filelock import lock_descriptor

from agno_shell.builtin.json_storage import locks
from agno_shell.builtin.json_storage.check import listing, store
from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import say

Opened = Callable[[], Storage]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here, so nothing need be waited for."""
    monkeypatch.setattr(listing, "_PAUSE", 0)
    monkeypatch.setattr(store, "_PATIENCE", 0)
    monkeypatch.setattr(locks, "PATIENCE", 0)


@pytest.fixture
def session_id(open_store: Opened) -> str:
    """A session of three messages, beside another one and a deleted one."""
    kept = open_store()
    say(kept, kept.create("bystander").session_id, "unharmed")
    gone = kept.create("gone").session_id
    say(kept, gone, "deleted")
    kept.delete(gone)
    session_id = kept.create("patient").session_id
    say(kept, session_id, "a", "b", "c")
    kept.set_current(session_id)
    return session_id


@pytest.fixture
def folder(root: Path, session_id: str) -> Path:
    return root / session_id


@pytest.fixture
def looks() -> Callable[[Path], dict[str, tuple[bytes, int, int, int]]]:
    """Bytes, inode, mode and time of everything in a folder."""

    def look(root: Path) -> dict[str, tuple[bytes, int, int, int]]:
        found = {}
        for path in [root, *root.rglob("*")]:
            status = path.lstat()
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (data, status.st_ino, status.st_mode, status.st_mtime_ns)
        return found

    return look


@pytest.fixture
def held(root: Path) -> Callable[[str], AbstractContextManager[Callable[[], None]]]:
    """Holds a lock as another shell does, until it is left or released."""

    @contextmanager
    def hold(name: str) -> Iterator[Callable[[], None]]:
        path = root / ".locks" / f"{name}.lock"
        with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as file:
            assert lock_descriptor(file.fileno(), blocking=False)
            yield file.close

    return hold
