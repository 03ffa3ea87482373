"""Stores that are broken on purpose, one rule of the protocol each: the checks that find
nothing wrong with the store as it is must find out every one of them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import (
    attachments,
    disk,
    layout,
    locks,
    memory_file,
    message_reader,
    running_reply,
    session_catalog,
    session_writer,
    store,
)
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message
from agno_shell.toolkit import json_records

Patch = pytest.MonkeyPatch


# How a store is broken --------------------------------------------------------------------


def as_it_is(patch: Patch) -> None:
    pass


def a_reader_by_lines(patch: Patch) -> None:
    """Not wrong by itself: what makes a comma at the end of a line dangerous."""

    def salvage(data: bytes) -> list[dict[str, Any]]:
        found = []
        for line in data.split(b"\n"):
            with suppress(*json_records.Damage):
                found.append(json_records.loads(line.strip(b", \0")))
        return [each for each in found if isinstance(each, dict)]

    patch.setattr(layout, "_salvage", salvage)


def the_comma_last(patch: Patch) -> None:
    a_reader_by_lines(patch)
    patch.setattr(layout, "CLOSING", b"\n]\n")
    patch.setattr(
        session_writer,
        "addition",
        lambda line, *, first: (b"\n" if first else b",\n") + line + b"\n]\n",
    )
    patch.setattr(layout, "whole", lambda lines: b"[\n" + b",\n".join(lines) + b"\n]\n")
    patch.setattr(layout, "count", lambda data: data.count(b"\n") - 2)


def no_look_at_the_end_of_the_file(patch: Patch) -> None:
    def look(self: Any, status: Any) -> Any:
        messages = self._state.messages if self._state else 0
        return session_writer.State(status.st_ino, status.st_size, status.st_mtime_ns, messages)

    patch.setattr(session_writer.MessageWriter, "_look", look)


def acknowledged_before_the_sync(patch: Patch) -> None:
    def append(self: Any, state: Any, line: bytes, _meanwhile: Any) -> Any:
        end = state.size - len(layout.CLOSING)
        disk.write_at(self._file.fd, end, session_writer.addition(line, first=state.is_empty))
        return self._remember(self._file.fd, state.messages + 1)

    patch.setattr(session_writer.MessageWriter, "_append_in_place", append)


def a_failed_sync_tried_again(patch: Patch) -> None:
    real = disk.sync

    def sync(fd: int) -> None:
        try:
            real(fd)
        except OSError:
            real(fd)

    patch.setattr(disk, "sync", sync)


def a_rename_before_the_file_is_synced(patch: Patch) -> None:
    def create_whole(path: str, data: bytes) -> None:
        fd = disk.create(path)
        disk.write_at(fd, 0, data)
        disk.close(fd)

    patch.setattr(disk, "create_whole", create_whole)


def a_rename_whose_folder_is_not_synced(patch: Patch) -> None:
    patch.setattr(disk, "sync_folder", lambda _path: None)


def a_file_replaced_in_place(patch: Patch) -> None:
    def replace(path: str, data: bytes) -> None:
        try:
            fd = disk.open_to_write(path)
        except FileNotFoundError:
            fd = disk.create(path)
        disk.truncate(fd, 0)
        disk.write_at(fd, 0, data)
        disk.sync(fd)
        disk.close(fd)
        disk.sync_folder(path.rpartition("/")[0])

    patch.setattr(disk, "replace", replace)


def a_new_store_whose_folder_is_not_synced(patch: Patch) -> None:
    patch.setattr(disk, "make_folders", lambda path: disk.make_folder(path))


def a_reply_removed_before_it_is_saved(patch: Patch) -> None:
    real = store.JsonStorage.append

    def append(self: Any, session_id: str, new: Any) -> Any:
        for reply in self._replies._running.values():
            reply.remove()
            disk.sync_folder(f"{self._root}/{session_id}")
        return real(self, session_id, new)

    patch.setattr(store.JsonStorage, "append", append)


def an_index_that_is_always_believed(patch: Patch) -> None:
    patch.setattr(session_catalog.SessionCatalog, "_is_counted", lambda self, entry: True)


def no_lock(patch: Patch) -> None:
    @contextmanager
    def session(self: Any, session_id: str) -> Iterator[None]:
        yield

    patch.setattr(locks.Locks, "session", session)


def memories_replaced_in_place(patch: Patch) -> None:
    def change(folder: str, changed: Any, _notice: Any) -> None:
        path = f"{folder}/memory.json"
        after = memory_file.whole(changed(memory_file.load(folder).memories))
        fd = disk.open_lock(path)
        disk.truncate(fd, 0)
        disk.write_at(fd, 0, after)
        disk.sync(fd)
        disk.close(fd)
        disk.sync_folder(folder)

    patch.setattr(memory_file, "change", change)


def memories_whose_folder_is_not_synced(patch: Patch) -> None:
    def change(folder: str, changed: Any, _notice: Any) -> None:
        path = f"{folder}/memory.json"
        temporary = f"{path}.{os.urandom(6).hex()}.tmp"
        disk.create_whole(temporary, memory_file.whole(changed(memory_file.load(folder).memories)))
        disk.move(temporary, path)

    patch.setattr(memory_file, "change", change)


def an_attachment_whose_folder_is_not_synced(patch: Patch) -> None:
    def keep(folder: str, data: bytes, _notice: Any) -> str:
        digest = attachments.digest_of(data)
        disk.ensure_folder(f"{folder}/attachments")
        disk.create_whole(f"{folder}/attachments/{digest}", data)
        return digest

    patch.setattr(attachments, "keep", keep)


def an_attachment_that_is_not_synced(patch: Patch) -> None:
    def keep(folder: str, data: bytes, _notice: Any) -> str:
        digest = attachments.digest_of(data)
        disk.ensure_folder(f"{folder}/attachments")
        fd = disk.create(f"{folder}/attachments/{digest}")
        disk.write_at(fd, 0, data)
        disk.close(fd)
        disk.sync_folder(f"{folder}/attachments")
        return digest

    patch.setattr(attachments, "keep", keep)


def no_truncation_after_a_failed_write(patch: Patch) -> None:
    patch.setattr(disk, "truncate", lambda _fd, _size: None)


# How it is found out ----------------------------------------------------------------------


@pytest.fixture
def appended(power_cuts: Any) -> Callable[..., list[str]]:
    """Every state that an append can leave behind."""

    def find(failing: str = "") -> list[str]:
        def fail() -> None:
            power_cuts.faults.fail(power_cuts.checks.FAILING, only=failing, lasting=False)

        snapshots = power_cuts.append(["hello", "you"], fail if failing else None)
        _, found = power_cuts.of_files(snapshots, seed=1, most=64)
        return list(found)

    return find


@pytest.fixture
def cut_off(power_cuts: Any, monkeypatch: Patch) -> Callable[[], list[str]]:
    """States of a store in which one of everything was done."""

    def find() -> list[str]:
        monkeypatch.setattr(running_reply, "_SYNC_EVERY", 0.0)
        ledger = power_cuts.ledger()
        session_id = ledger.create("one")
        ledger.append(session_id, "a")
        ledger.append(session_id, "b")
        ledger.rename(session_id, "a longer name")
        ledger.remember(session_id, "blue")
        ledger.remember(session_id, "red")
        ledger.forget(session_id, 0)
        ledger.attach(session_id, b"attached" * 100)
        reply = message("shown", role="assistant")
        ledger.stream(session_id, reply, synced=True)
        ledger.append(session_id, "shown and done", reply.id)
        ledger.restore(session_id, ledger.delete(session_id))
        ledger.store.close()
        _, found = power_cuts.of_stores(seed=2, samples=2, limit=250)
        return list(found)

    return find


def interleaved_complaints(faults: Any, root: Path) -> tuple[int, list[str]]:
    """One shell appends while another is between any two of its calls. How many of the
    other's messages were acknowledged, and what is wrong afterwards."""
    session_id = open_storage(StorageOptions(str(root))).create("shared").session_id
    one, other = (open_storage(StorageOptions(str(root))) for _ in range(2))
    saved: list[str] = []
    acknowledged = 0
    complaints: list[str] = []

    def say(store: Storage, content: str) -> int:
        new = message(content)
        try:
            store.append(session_id, new)
        except StorageError:
            return 0
        saved.append(new.id)
        return 1

    for number in range(1, 60):

        def meanwhile(call: int, wanted: int = number) -> None:
            nonlocal acknowledged
            if call == wanted:
                faults.before = None
                acknowledged += say(other, f"other {wanted}")

        faults.heal()
        faults.looks, faults.before = True, meanwhile
        say(one, f"one {number}")
        done = faults.before is not None
        faults.heal()
        found = [each.id for each in open_storage(StorageOptions(str(root))).tree(session_id)]
        if sorted(found) != sorted(saved):
            complaints.append(f"at call {number}: {len(saved)} saved, {len(found)} there")
            saved[:] = found
        if done:
            return acknowledged, complaints
    raise AssertionError("an append makes more calls than were tried")


def interleaved_memories(faults: Any, root: Path) -> list[str]:
    """One shell remembers, and forgets, while another does so between any two of its calls."""
    session_id = open_storage(StorageOptions(str(root))).create("shared").session_id
    one, other = (open_storage(StorageOptions(str(root))) for _ in range(2))
    expected: list[str] = []
    complaints: list[str] = []

    def turn(store: Storage, text: str) -> None:
        with suppress(StorageError):
            expected.append(store.remember(session_id, text).text)
            if len(expected) > 3:
                forgotten = store.forget(session_id, store.memories(session_id)[0].id)
                if forgotten.text in expected:
                    expected.remove(forgotten.text)

    for number in range(1, 200):

        def meanwhile(call: int, wanted: int = number) -> None:
            if call == wanted:
                faults.before = None
                turn(other, f"other {wanted}")

        faults.heal()
        faults.looks, faults.before = True, meanwhile
        turn(one, f"one {number}")
        done = faults.before is not None
        faults.heal()
        found = [each.text for each in one.memories(session_id)]
        if sorted(found) != sorted(expected):
            complaints.append(f"at call {number}: {expected} was to be remembered, {found} is")
            expected[:] = found
        if done:
            return complaints
    raise AssertionError("remembering makes more calls than were tried")


def failed_write_complaints(faults: Any, root: Path) -> list[str]:
    """What is wrong after a write that failed half way, on a disk that has healed."""
    store = open_storage(StorageOptions(str(root)))
    session_id = store.create("full").session_id
    said = message("a")
    store.append(session_id, said)
    faults.short_writes = True
    faults.fail(
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 2, only="write pwrite", lasting=False
    )
    try:
        store.append(session_id, message("b" * 500))
    except StorageError:
        pass
    else:
        return ["a write that failed was acknowledged"]
    finally:
        faults.short_writes = False
        faults.heal()
    complaints = []
    try:
        json.loads((root / session_id / "messages.json").read_bytes())
    except ValueError:
        complaints.append("no write is running and the file is no JSON")
    if store.tree(session_id) != [said]:
        complaints.append("what was saved is not there")
    return complaints


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: Patch) -> None:
    monkeypatch.setattr(message_reader.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(locks, "PATIENCE", 0.0)


@pytest.mark.parametrize("whole", [as_it_is, a_reader_by_lines])
def test_nothing_is_wrong_with_an_append(whole: Callable[[Patch], None], appended: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert appended() == []


@pytest.mark.parametrize(
    "broken", [the_comma_last, no_look_at_the_end_of_the_file, acknowledged_before_the_sync]
)
def test_a_broken_append_is_found_out(broken: Callable[[Patch], None], appended: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        broken(patch)
        assert any("saved messages" in each or "not there" in each for each in appended())


def test_a_sync_that_is_tried_again_is_found_out(appended: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        a_failed_sync_tried_again(patch)
        assert any("saved messages" in each for each in appended("fdatasync"))


def test_nothing_is_wrong_with_a_store(cut_off: Any) -> None:
    assert cut_off() == []


@pytest.mark.parametrize(
    ("broken", "wrong"),
    [
        (a_rename_before_the_file_is_synced, "name was lost"),
        (a_rename_whose_folder_is_not_synced, "session is lost"),
        (a_file_replaced_in_place, "name was lost"),
        (a_new_store_whose_folder_is_not_synced, "session is lost"),
        (a_reply_removed_before_it_is_saved, "text that was shown"),
        (an_index_that_is_always_believed, "are listed"),
        (memories_replaced_in_place, "was to be remembered"),
        (memories_whose_folder_is_not_synced, "was to be remembered"),
        (an_attachment_whose_folder_is_not_synced, "what was attached is lost"),
        (an_attachment_that_is_not_synced, "what was attached is lost"),
    ],
)
def test_a_broken_store_is_found_out(
    broken: Callable[[Patch], None], wrong: str, cut_off: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        broken(patch)
        found = cut_off()
    assert any(wrong in each for each in found), found


def test_two_shells_do_not_get_between_each_other(faults: Any, root: Path) -> None:
    acknowledged, found = interleaved_complaints(faults, root)
    assert found == []
    assert acknowledged, "some calls are made before and after the lock is held"


def test_a_store_without_a_lock_is_found_out(faults: Any, root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        no_lock(patch)
        assert interleaved_complaints(faults, root)[1]


def test_two_shells_remember_beside_each_other(faults: Any, root: Path) -> None:
    assert interleaved_memories(faults, root) == []


def test_memories_without_a_lock_are_found_out(faults: Any, root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        no_lock(patch)
        assert interleaved_memories(faults, root)


def test_nothing_is_wrong_after_a_failed_write(faults: Any, root: Path) -> None:
    assert failed_write_complaints(faults, root) == []


def test_a_failed_write_that_is_not_cut_off_is_found_out(faults: Any, root: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        no_truncation_after_a_failed_write(patch)
        found = failed_write_complaints(faults, root)
    assert found == ["no write is running and the file is no JSON"]
