"""A disk that is really full, or really cannot be written: a small tmpfs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say

SIZE = 1024 * 1024
"""Bytes."""


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk of one megabyte, with the real ``os`` below."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk, and only Linux has tmpfs")
    monkeypatch.setattr(disk, "os", os)
    place = tmp_path / "small"
    place.mkdir()
    mount("-t", "tmpfs", "-o", f"size={SIZE},nr_inodes=200", "tmpfs", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def opener(small: Path, notices: list[str]) -> Callable[[], Storage]:
    options = StorageOptions(str(small / "sessions"), notice=notices.append)
    return lambda: open_storage(options)


def fill(small: Path) -> Path:
    """Take all the room there is, to the last byte."""
    filler = small / "filler"
    with filler.open("wb", buffering=0) as file:
        for block in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"f" * block)
            except OSError:
                continue
    return filler


def everything_opens(store: Storage, expected: dict[str, list[str]]) -> None:
    assert {each.session_id for each in store.sessions()} == expected.keys()
    for session_id, texts in expected.items():
        assert store.open(session_id).message_count == len(texts)
        assert [each.content for each in store.messages(session_id)] == texts


def test_a_disk_that_runs_full(small: Path, notices: list[str]) -> None:
    opened = opener(small, notices)
    store = opened()
    expected: dict[str, list[str]] = {}
    for name in ("one", "two", "three"):
        session_id = store.create(name).session_id
        say(store, session_id, "before", "it is full")
        expected[session_id] = ["before", "it is full"]
    filler = fill(small)

    one, two, three = expected
    parent = store.messages(one)[-1]
    long = message("x" * 9000, parent)
    for handle in (store, opened(), store):
        with pytest.raises(StorageError) as told:
            handle.append(one, long)
        assert "The message was not saved: " in str(told.value)
        assert "No space left on device" in str(told.value)
        assert "Free some space" in told.value.hint
        everything_opens(handle, expected)
    with pytest.raises(StorageError, match="No space left"):
        store.save_partial(one, message("y" * 9000, parent, role="assistant"))
    for path in small.rglob("*.json"):
        json.loads(path.read_bytes())

    # Deleting and purging are what makes room.
    trashed = store.delete(three)
    del expected[three]
    everything_opens(opened(), expected)
    store.purge(trashed.trash_id)
    assert store.trash() == []

    filler.unlink()
    store.append(one, long)
    expected[one].append(long.content)
    say(opened(), two, "z" * 9000)
    expected[two].append("z" * 9000)
    everything_opens(opened(), expected)
    for path in small.rglob("*.json"):
        json.loads(path.read_bytes())
    assert [path.name for path in small.rglob("*.tmp")] == []


def test_appending_until_it_is_full_and_on(small: Path, notices: list[str]) -> None:
    opened = opener(small, notices)
    store = opened()
    session_id = store.create("growing").session_id
    saved: list[str] = []
    parent = None
    refusals: list[str] = []
    while len(refusals) < 20:
        new = message(f"{len(saved)} " + "w" * 3000, parent)
        try:
            store.append(session_id, new)
        except StorageError as error:
            refusals.append(str(error))
        else:
            saved.append(new.id)
            parent = new
    assert len(saved) > 100
    assert all("No space left" in each for each in refusals)
    assert [each.id for each in opened().tree(session_id)] == saved
    assert opened().open(session_id).message_count == len(saved)
    assert len(json.loads((small / "sessions" / session_id / "messages.json").read_bytes())) == len(
        saved
    )


def test_a_foreign_layout_on_a_full_disk_is_left_as_it_is(small: Path, notices: list[str]) -> None:
    """It would be written anew, and kept: there is room for neither."""
    store = opener(small, notices)()
    session_id = store.create("old").session_id
    said = say(store, session_id, "a", "b" * 5000)
    path = small / "sessions" / session_id / "messages.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    before = path.read_bytes()
    filler = fill(small)
    for _ in range(3):
        with pytest.raises(StorageError, match="No space left"):
            store.append(session_id, message("c", said[-1]))
        assert path.read_bytes() == before
        assert {each.name for each in path.parent.iterdir()} == {"messages.json", "session.json"}
    filler.unlink()
    store.append(session_id, message("c", said[-1]))
    assert [each.content for each in store.messages(session_id)] == ["a", "b" * 5000, "c"]
    assert [copy.read_bytes() for copy in path.parent.glob("*.before-*")] == [before]


def test_a_disk_without_room_for_another_file(small: Path, notices: list[str]) -> None:
    opened = opener(small, notices)
    store = opened()
    session_id = store.create("no inodes").session_id
    say(store, session_id, "a")
    number = 0
    try:
        while True:
            (small / f"{number}").touch()
            number += 1
    except OSError:
        pass
    with pytest.raises(StorageError, match="No space left"):
        store.create("another")
    assert say(store, session_id, "needs no new file")
    everything_opens(opened(), {session_id: ["a", "needs no new file"]})
    for each in range(number):
        (small / f"{each}").unlink()
    assert store.create("another").name == "another"


def test_a_disk_that_becomes_read_only(small: Path, notices: list[str]) -> None:
    opened = opener(small, notices)
    store = opened()
    session_id = store.create("read only").session_id
    said = say(store, session_id, "a", "b")
    gone = store.create("gone").session_id
    say(store, gone, "c")
    trashed = store.delete(gone).trash_id
    store.set_current(session_id)
    store.save_partial(session_id, message("half", said[-1], role="assistant"))
    store.close()
    mount("-o", "remount,ro", str(small))

    reader = opened()
    everything_opens(reader, {session_id: ["a", "b"]})
    assert [each.content for each in reader.trashed_messages(trashed)] == ["c"]
    assert reader.current() == session_id
    assert [each.content for each in reader.partials(session_id)] == ["half"]
    new = message("c", said[-1])
    for work in (
        lambda: reader.append(session_id, new),
        lambda: reader.create("x"),
        lambda: reader.update(session_id, name="x"),
        lambda: reader.delete(session_id),
        lambda: reader.restore(trashed),
        lambda: reader.purge(trashed),
        lambda: reader.save_partial(session_id, new),
    ):
        with pytest.raises(StorageError, match=r"was not saved: .*Read-only file system") as told:
            work()
        assert "[storage] path" in told.value.hint
    everything_opens(reader, {session_id: ["a", "b"]})
    assert len([line for line in notices if "interrupted reply" in line]) == 1

    mount("-o", "remount,rw", str(small))
    reader.append(session_id, new)
    assert reader.open(session_id).message_count == 4, "and the reply that was cut off"
    assert reader.restore(trashed).name == "gone"
