"""What several tests use."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from agno_shell_sqlite.store import SqliteStorage

from agno_shell import Message, StorageOptions
from agno_shell.types import new_id, now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the database is; not there yet."""
    return tmp_path / "store"


@pytest.fixture
def database(folder: Path) -> Path:
    return folder / "sessions.sqlite3"


@pytest.fixture
def notices() -> list[str]:
    """What the user was shown."""
    return []


@pytest.fixture
def open_store(folder: Path, notices: list[str]):
    """Opens the store, again and again; all handles are closed at the end."""
    opened: list[SqliteStorage] = []

    def open_store(path: Path = folder) -> SqliteStorage:
        opened.append(SqliteStorage(StorageOptions(str(path), notice=notices.append)))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], SqliteStorage]) -> SqliteStorage:
    return open_store()


@pytest.fixture
def make_message():
    def make_message(content: str, parent: Message | None = None, **fields) -> Message:
        role = fields.pop("role", "user")
        return Message(new_id(), role, content, now(), parent and parent.id, **fields)

    return make_message


@pytest.fixture
def python():
    """Runs a program in another process, with the arguments it is given."""
    started: list[subprocess.Popen[str]] = []

    def python(code: str, *arguments: object) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield python
    for process in started:
        process.kill()
        process.communicate()


_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
"""Bound to itself and read-only, in a mount namespace of its own: root, too, cannot write."""


@pytest.fixture
def read_only_python(folder: Path, tmp_path: Path) -> Callable[[str], str]:
    """Runs a program that sees ``folder`` as a disk that cannot be written; its output."""

    def run(path: Path, *program: object) -> subprocess.CompletedProcess[str]:
        inside = ["unshare", "-rm", "sh", "-c", _READ_ONLY, path, *program]
        return subprocess.run(list(map(str, inside)), capture_output=True, text=True)

    def run_python(code: str) -> str:
        done = run(folder, sys.executable, "-c", code, folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    if shutil.which("unshare") is None or run(tmp_path, "true").returncode != 0:
        pytest.skip("no mount namespaces here")
    return run_python
