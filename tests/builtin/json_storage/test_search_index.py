"""The file of the search index: made, kept, damaged, shared and done without."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import search, search_index, search_reader, search_update
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.types import Message, new_id, now


@pytest.fixture
def open_store(open_with_cache: Any) -> Any:
    return open_with_cache


@pytest.fixture
def talk(open_store: Callable[..., Any]) -> Any:
    """Ten sessions of ten messages; each holds ``common`` and a word of its own."""
    store = open_store()
    ids = [store.create(f"session {number}").session_id for number in range(10)]
    for number, session_id in enumerate(ids):
        for place in range(10):
            text = f"common word{number}x{place}"
            store.append(session_id, Message(new_id(), "user", text, now()))
    store.close()
    return ids


def everything(store: Any) -> None:
    """Whether every message is found, by the word of all and by its own."""
    assert len(store.search("common", limit=1000)) == 100
    for number in range(10):
        for place in (0, 9):
            (hit,) = store.search(f"word{number}x{place}")
            assert hit.message.content == f"common word{number}x{place}"


def index_file(cache: Any) -> Any:
    (path,) = (cache / "search").glob("*.sqlite3")
    return path


def make_index(open_store: Callable[..., Any], cache: Any) -> Any:
    store = open_store()
    everything(store)
    store.close()
    return index_file(cache)


def test_it_is_for_the_owner_alone_whatever_the_umask(
    open_store: Callable[..., Any], cache: Any, talk: Any
) -> None:
    before = os.umask(0)
    try:
        store = open_store()
        everything(store)
        modes = {path.name[-3:]: path.stat().st_mode & 0o777 for path in cache.rglob("*")}
        assert cache.stat().st_mode & 0o777 == 0o700
        assert modes.pop("rch") == 0o700
        assert set(modes) == {"te3", "wal", "shm"}
        assert set(modes.values()) == {0o600}
    finally:
        os.umask(before)


def test_two_stores_share_a_cache_folder(tmp_path: Path, cache: Any) -> None:
    for name in ("one", "two"):
        options = StorageOptions(str(tmp_path / name), cache_path=str(cache))
        store = open_storage(options)
        session_id = store.create(name).session_id
        store.append(session_id, Message(new_id(), "user", f"needle {name}", now()))
        assert [hit.message.content for hit in store.search("needle")] == [f"needle {name}"]
        store.close()
    assert len(list((cache / "search").glob("*.sqlite3"))) == 2


def test_what_an_earlier_version_made_is_removed(
    open_store: Callable[..., Any], cache: Any, talk: Any
) -> None:
    everything(open_store())
    (path,) = (cache / "search").glob("*.sqlite3")
    name, _, _version = path.name.rpartition("-")
    earlier = [path.with_name(f"{name}-2.sqlite3{more}") for more in ("", "-wal", "-shm")]
    others = [path.with_name(each) for each in (f"{'0' * 24}-2.sqlite3", "notes.txt")]
    for each in (*earlier, *others):
        each.touch()
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    everything(open_store())
    assert [each for each in earlier if each.exists()] == []
    assert all(each.exists() for each in others)


def test_it_holds_no_text(open_store: Callable[..., Any], cache: Any, talk: Any) -> None:
    make_index(open_store, cache)
    assert b"common word3x3" not in index_file(cache).read_bytes()


def test_without_a_folder_it_is_in_memory_and_nothing_is_said(
    open_store: Callable[..., Any], talk: Any, notices: list[str]
) -> None:
    everything(open_store(""))
    assert notices == []


# Damage ----------------------------------------------------------------------------------


def foreign(path: Any, application: Any = 1, version: Any = 1) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE mine(it)")
    database.execute(f"PRAGMA application_id = {application}")
    database.execute(f"PRAGMA user_version = {version}")
    database.close()


def without(table: Any) -> Any:
    def change(path: Any) -> None:
        database = sqlite3.connect(path)
        database.execute(f"DROP TABLE {table}")
        database.close()

    return change


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "noise": lambda path: path.write_bytes(random.Random(1).randbytes(20_000)),
    "no heading": lambda path: path.write_bytes(bytes(100) + path.read_bytes()[100:]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a page": lambda path: path.write_bytes(path.read_bytes()[:4096]),
    "another program's": foreign,
    "another version's": lambda path: foreign(path, search_index._APPLICATION, 99),
    "another one without marks": lambda path: foreign(path, 0, 0),
    "no words": without("words"),
    "no files": without("files"),
    "no spans": without("spans"),
    "gone": lambda path: path.unlink(),
    "a log of another file": lambda path: (path.parent / f"{path.name}-wal").write_bytes(
        b"x" * 999
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_costs_nothing(
    open_store: Callable[..., Any], cache: Any, talk: Any, notices: list[str], damage: Any
) -> None:
    path = make_index(open_store, cache)
    DAMAGES[damage](path)
    store = open_store()
    everything(store)
    assert notices == []
    store.close()
    before = path.read_bytes()
    everything(open_store())
    assert path.read_bytes() == before  # it is sound now


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_page_costs_nothing(
    open_store: Callable[..., Any], cache: Any, talk: Any, notices: list[str], seed: Any
) -> None:
    """A page of noise, or a few, is noticed wherever it is needed."""
    path = make_index(open_store, cache)
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    for page in chance.sample(range(pages), min(pages, 1 + seed % 4)):
        data[page * 4096 : (page + 1) * 4096] = chance.choice((bytes(4096), chance.randbytes(4096)))
    path.write_bytes(data)
    everything(open_store())
    assert notices == []


def test_a_database_that_is_damaged_while_it_is_open(
    open_store: Callable[..., Any], cache: Any, talk: Any
) -> None:
    path = make_index(open_store, cache)
    store = open_store()
    assert store.search("common")
    path.write_bytes(b"something else" * 1000)
    everything(store)


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_what_is_no_file_is_not_opened(
    open_store: Callable[..., Any],
    cache: Any,
    talk: Any,
    tmp_path: Path,
    notices: list[str],
    kind: Any,
) -> None:
    path = make_index(open_store, cache)
    path.unlink()
    if kind == "link":
        (tmp_path / "victim").write_bytes(b"")
        path.symlink_to(tmp_path / "victim")
    else:
        os.mkfifo(path)
    everything(open_store())
    assert len(notices) == 1
    assert "cannot be kept" in notices[0]
    if kind == "link":
        assert (tmp_path / "victim").read_bytes() == b""


# Places where nothing can be kept ---------------------------------------------------------


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_made(
    open_store: Callable[..., Any], talk: Any, faults: Any, notices: list[str], number: Any
) -> None:
    faults.fail(OSError(number, os.strerror(number)))
    store = open_store()
    everything(store)
    assert len(notices) == 1
    assert os.strerror(number) in notices[0]
    assert "cannot be kept" in notices[0]


@pytest.mark.parametrize(
    "code", ["SQLITE_FULL", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR"]
)
def test_a_disk_that_fails_while_it_is_written(
    open_store: Callable[..., Any],
    talk: Any,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
    code: Any,
) -> None:
    def fail(index: Any, generation: Any, batch: Any) -> None:
        if index.path != search.IN_MEMORY:
            error = sqlite3.OperationalError("it failed")
            error.sqlite_errorcode = getattr(sqlite3, code)
            raise error
        real(index, generation, batch)

    real = search_index.SearchIndex.add
    monkeypatch.setattr(search_index.SearchIndex, "add", fail)
    everything(open_store())
    assert len(notices) == 1
    assert "it failed" in notices[0]


# Many shells ------------------------------------------------------------------------------


def test_who_cannot_write_the_index_searches_what_is_there(
    open_store: Callable[..., Any],
    cache: Any,
    talk: Any,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = make_index(open_store, cache)
    store = open_store()
    store.append(talk[0], Message(new_id(), "user", "common news", now()))
    monkeypatch.setattr(search_index, "_PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert len(store.search("common", limit=1000)) == 100
        assert len(notices) == 1
        assert "another shell" in notices[0]
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert len(store.search("common", limit=1000)) == 101


def test_an_index_that_another_shell_holds_from_the_beginning(
    open_store: Callable[..., Any],
    cache: Any,
    talk: Any,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = make_index(open_store, cache)
    path.write_bytes(b"")
    monkeypatch.setattr(search_index, "_PATIENCE", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        everything(open_store())
        assert len(notices) == 1
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert path.stat().st_size == 0


def test_turns_of_two_shells(
    open_store: Callable[..., Any], talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads one file and lets the other one in: nothing is lost or doubled."""
    monkeypatch.setattr(search_update, "_PAUSE", 0.0)
    monkeypatch.setattr(search_reader, "_BLOCK", 300)
    one, two = open_store(), open_store()
    real = search_index.SearchIndex.write
    inside: list[Any] = []

    def write(index: Any, work: Any, check: Any) -> None:
        real(index, work, check)
        if not inside:
            inside.append(1)
            two.search("common")
            inside.clear()

    monkeypatch.setattr(search_index.SearchIndex, "write", write)
    # A clock of which each look takes a tenth of a second.
    times = iter(range(10_000_000))
    monkeypatch.setattr(search_update.time, "monotonic", lambda: next(times) / 10)
    monkeypatch.setattr(search_update, "_TURN", 0.35)
    everything(one)
    everything(two)


SEARCHING = """
    import sys
    from agno_shell.builtin.json_storage import search_reader, search_update
    from agno_shell.builtin.json_storage.store import open_storage
    from agno_shell.contracts import StorageOptions

    root, cache, mode = sys.argv[1:]
    if mode == "slow":
        search_reader._BLOCK = 200
        real = search_reader._batch
        def batch(block, *args, **kwargs):
            print("read", flush=True)
            sys.stdin.readline()
            return real(block, *args, **kwargs)
        search_reader._batch = batch
        search_update._TURN = 0.001
    store = open_storage(StorageOptions(root, cache_path=cache))
    print(len(store.search("common", limit=1000)), flush=True)
"""


@pytest.fixture
def start(root: Any, cache: Any) -> Iterator[Any]:
    running = []

    def run(mode: Any) -> Any:
        script = textwrap.dedent(SEARCHING)
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", script, str(root), str(cache), mode],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def step(process: Any) -> Any:
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_a_killed_shell_blocks_nobody_and_its_work_is_not_lost(
    start: Any,
    open_store: Callable[..., Any],
    root: Any,
    talk: Any,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = start("slow")
    assert process.stdout.readline() == "read\n"
    for _ in range(30):
        assert step(process) == "read\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    lengths = []
    real = search_reader._batch

    def batch(block: Any, *args: Any, **kwargs: Any) -> Any:
        lengths.append(len(block))
        return real(block, *args, **kwargs)

    monkeypatch.setattr(search_reader, "_batch", batch)
    everything(open_store())
    assert notices == []
    assert 0 < sum(lengths) < sum(path.stat().st_size for path in root.glob("*/messages.json"))


def test_a_stopped_shell_blocks_for_a_moment_only(
    start: Any,
    open_store: Callable[..., Any],
    talk: Any,
    notices: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = start("slow")
    assert process.stdout.readline() == "read\n"
    for _ in range(30):
        assert step(process) == "read\n"
    monkeypatch.setattr(search_index, "_PATIENCE", 0.05)
    hits = open_store().search("common", limit=1000)
    assert len(hits) < 100
    assert len(notices) == 1
    while (line := step(process)) == "read\n":
        pass
    assert line == "100\n"
    everything(open_store())


def test_many_shells_make_it_at_the_same_time(
    start: Any, open_store: Callable[..., Any], talk: Any
) -> None:
    processes = [start("fast") for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == ["100\n"] * 4
    everything(open_store())


# What becomes of the dead ----------------------------------------------------------------


def test_it_is_made_anew_when_most_of_it_is_dead(
    open_store: Callable[..., Any], cache: Any, talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_update, "_FEW", 20)
    store = open_store()
    everything(store)
    for session_id in talk[:6]:
        store.delete(session_id)
    assert len(store.search("common", limit=1000)) == 40
    database = sqlite3.connect(index_file(cache))
    assert database.execute("SELECT count(*), sum(alive) FROM files").fetchone() == (4, 4)
    assert database.execute("SELECT count(*) FROM words WHERE words MATCH 'common'").fetchone() == (
        40,
    )
    database.close()
    for trashed in store.trash():
        store.restore(trashed.trash_id)
    everything(store)


def test_where_files_are_copied_on_write_no_memory_is_shared(
    open_store: Callable[..., Any],
    cache: Any,
    talk: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """On a full disk, memory that is mapped from a file ends the process there."""
    store = open_store()
    assert store.search("needle") == []
    (before,) = cache.rglob("*-shm")
    store.close()
    monkeypatch.setattr(search_index, "is_copy_on_write", lambda _path: True)
    one, two = open_store(), open_store()
    session_id = one.create("here").session_id
    one.append(session_id, Message(new_id(), "user", "a needle", now()))
    for _time in range(2):
        for handle in (one, two):
            assert len(handle.search("needle")) == 1
            assert not [*cache.rglob("*-shm"), *cache.rglob("*-wal")]
    assert not before.exists()
