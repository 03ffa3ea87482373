"""File systems that copy on write: memory mapped from a file could end the process there when
the disk is full, so there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from agno_shell_sqlite import database
from agno_shell_sqlite.store import SqliteStorage

from agno_shell import StorageOptions
from agno_shell.testing.storage_contract.killed import KilledProcessContract
from agno_shell.testing.storage_contract.messages import MessagesContract
from agno_shell.testing.storage_contract.replies import RunningRepliesContract
from agno_shell.testing.storage_contract.samples import say


class TestOnCopyOnWrite(MessagesContract, RunningRepliesContract, KilledProcessContract):
    @pytest.fixture
    def open_store(self, tmp_path, monkeypatch):
        monkeypatch.setattr(database, "is_copy_on_write", lambda _path: True)
        return lambda: SqliteStorage(StorageOptions(str(tmp_path / "store")))

    @pytest.fixture
    def store(self, open_store):
        handle = open_store()
        yield handle
        handle.close()


def files(folder: Path) -> set[str]:
    return {path.name.rpartition("-")[2] for path in folder.rglob("*") if "-" in path.name}


def test_no_memory_is_shared_there(tmp_path, monkeypatch):
    options = StorageOptions(str(tmp_path))
    store = SqliteStorage(options)
    session_id = store.create("before").session_id
    say(store, session_id, "in the log")
    assert {"shm", "wal"} <= files(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.iterdir():
        if path.is_file() and not path.name.endswith("-shm"):
            shutil.copy(path, copy)  # as a crash leaves it
    store.close()
    monkeypatch.setattr(database, "is_copy_on_write", lambda _path: True)
    moved = SqliteStorage(StorageOptions(str(copy)))
    assert [each.content for each in moved.messages(session_id)] == ["in the log"]
    say(moved, session_id, "after")
    assert not {"shm", "wal"} & files(copy)
    other = SqliteStorage(StorageOptions(str(copy)))
    assert [each.content for each in other.messages(session_id)] == ["in the log", "after"]
    say(other, session_id, "by another")
    assert moved.open(session_id).message_count == 3
    assert not {"shm", "wal"} & files(copy)
    moved.close()
    other.close()


WRITER = """
import os, sys
from agno_shell import StorageError, StorageOptions
from agno_shell.testing.storage_contract import message
from agno_shell_sqlite.store import SqliteStorage

store = SqliteStorage(StorageOptions(sys.argv[1]))
session_id = store.create("full").session_id
for _ in range(50):
    store.append(session_id, message("x" * 1000))
print("ready", flush=True)
sys.stdin.readline()
refused = 0
while refused < 15:
    try:
        store.append(session_id, message("x" * 1000))
        os.sync()
    except StorageError:
        refused += 1
    store.messages(session_id)
print("alive")
"""


@pytest.fixture
def small_disk(tmp_path):
    """A btrfs of 120 MB."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mkfs.btrfs"):
        pytest.skip("needs Linux, root and mkfs.btrfs")
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(120 * 1024 * 1024)
    subprocess.run(["mkfs.btrfs", "-q", "-M", str(image)], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file:
        for block in (1 << 20, 4096, 512, 1):
            try:
                while True:
                    file.write(b"f" * block)
            except OSError:
                pass
    os.sync()


def test_a_full_disk_refuses_and_does_not_kill(small_disk):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(small_disk / "store")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout.readline() == "ready\n"
        os.sync()
        fill(small_disk)
        out, _errors = writer.communicate("\n", timeout=60)
    finally:
        writer.kill()
        writer.wait()
    assert writer.returncode == 0, "it was ended by a signal"
    assert out == "alive\n"
