"""What the store writes, byte by byte, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import (
    disk,
    message_reader,
    session_catalog,
    session_writer,
)
from agno_shell.builtin.json_storage import store as store_module
from agno_shell.builtin.json_storage.plugin import register_storages
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Message

NOON = datetime(2026, 7, 20, 12, 0, 0, 5, UTC)


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


def look(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_size


def test_the_plugin_registers_it(root: Path) -> None:
    (factory,) = register_storages()
    assert factory.name == "json"
    assert factory.open(StorageOptions(str(root))).sessions() == []


# Bytes -----------------------------------------------------------------------------------


def test_the_bytes_of_a_message_file(root: Path, store: Storage) -> None:
    session_id = store.create("bytes").session_id
    path = root / session_id / "messages.json"
    assert path.read_bytes() == b"[\n]\n"
    store.append(session_id, Message("1", "user", "é", NOON))
    first = (
        '{"id":"1","role":"user","content":"é",'
        '"created_at":"2026-07-20T12:00:00.000005+00:00","parent":null}'
    ).encode()
    assert path.read_bytes() == b"[\n" + first + b"\n]\n"
    store.append(session_id, Message("2", "assistant", "a\nb", NOON, "1", "interrupted", "m"))
    second = (
        b'{"id":"2","role":"assistant","content":"a\\nb",'
        b'"created_at":"2026-07-20T12:00:00.000005+00:00","parent":"1",'
        b'"status":"interrupted","model":"m"}'
    )
    assert path.read_bytes() == b"[\n" + first + b"\n," + second + b"\n]\n"


def test_the_bytes_of_a_session_file(root: Path, store: Storage) -> None:
    session = store.create("né", "words", model="m")
    assert json.loads((root / session.session_id / "session.json").read_bytes()) == {
        "session_id": session.session_id,
        "name": "né",
        "description": "words",
        "created_at": session.created_at.isoformat(timespec="microseconds"),
        "updated_at": session.created_at.isoformat(timespec="microseconds"),
        "model": "m",
    }


def test_an_append_changes_no_inode_and_no_other_file(root: Path, store: Storage) -> None:
    session_id = store.create("in place").session_id
    store.create("bystander")
    say(store, session_id, "a")
    index, messages = root / "sessions.json", root / session_id / "messages.json"
    before = look(index), messages.stat().st_ino, messages.read_bytes(), files(root)
    say(store, session_id, "b")
    assert (look(index), messages.stat().st_ino) == before[:2]
    assert messages.read_bytes().startswith(before[2][:-2])
    changed = {name for name, data in files(root).items() if data != before[3].get(name)}
    assert changed == {"sessions.json", f"{session_id}/messages.json"}
    (line,) = [
        each for each in json.loads(index.read_bytes())["sessions"] if each["name"] != "bystander"
    ]
    assert line["message_count"] == 2


def test_setting_the_current_session_is_in_place(root: Path, store: Storage) -> None:
    ids = [store.create(name).session_id for name in "ab"]
    before = look(root / "sessions.json")
    for session_id in ids:
        store.set_current(session_id)
        assert json.loads((root / "sessions.json").read_bytes())["current_session_id"] == session_id
    assert look(root / "sessions.json") == before


@pytest.mark.parametrize("umask", [0o000, 0o777], ids=oct)
def test_everything_is_private(root: Path, open_store: Callable[[], Storage], umask: int) -> None:
    before = os.umask(umask)
    try:
        store = open_store()
        ids = [store.create(name).session_id for name in "ab"]
        (question,) = say(store, ids[0], "?")
        store.save_partial(ids[0], message("…", question))
        store.update(ids[0], name="c", head=question.id)
        store.set_current(ids[0])
        store.delete(ids[1])
    finally:
        os.umask(before)
    modes = {
        (stat.S_ISDIR(path.stat().st_mode), stat.S_IMODE(path.stat().st_mode))
        for path in [root, *root.rglob("*")]
    }
    assert modes == {(True, 0o700), (False, 0o600)}


def test_reading_writes_nothing(root: Path, open_store: Callable[[], Storage]) -> None:
    writer = open_store()
    session_id = writer.create("read").session_id
    say(writer, session_id, "a", "b")
    writer.delete(writer.create("gone").session_id)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    reader = open_store()
    reader.sessions()
    reader.open(session_id)
    reader.messages(session_id)
    reader.messages(session_id, last=1)
    reader.tree(session_id)
    reader.trash()
    reader.current()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_reading_a_store_that_is_not_there_makes_nothing(root: Path, store: Storage) -> None:
    assert (store.sessions(), store.trash(), store.current()) == ([], [], None)
    assert not root.exists()


@pytest.mark.parametrize(
    ("work", "heavy"),
    [
        ("store.sessions()", "asyncio dataclasses inspect logging uuid"),
        # What a shell reads before its prompt stands; saving needs locks, and comes later.
        ("store.messages(session, last=200); store.memories(session)", "asyncio dataclasses"),
    ],
    ids=["listing", "opening"],
)
def test_reading_imports_nothing_heavy(root: Path, store: Storage, work: str, heavy: str) -> None:
    session = store.create("light").session_id
    say(store, session, "a")
    code = (
        "import sys\n"
        "from agno_shell.builtin.json_storage.store import open_storage\n"
        "from agno_shell.contracts import StorageOptions\n"
        "store = open_storage(StorageOptions(sys.argv[1]))\n"
        "session = store.current() or sys.argv[2]\n"
        "assert store.open(session).message_count == 1\n"
        f"{work}\n"
        f"heavy = 'filelock pathlib pluggy {heavy}'\n"
        "print(*(name for name in heavy.split() if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(root), session],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    assert done.stdout.strip() == ""


# The index is a cache --------------------------------------------------------------------


def index_of(root: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((root / "sessions.json").read_bytes())
    return loaded


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: None,
        lambda data: b"",
        lambda data: b"\0" * len(data),
        lambda data: data[:-7],
        lambda data: data[: len(data) // 2],
        lambda data: b"[]",
        lambda data: data.replace(b'"name"', b"name"),
    ],
    ids=["lost", "empty", "zeros", "cut", "halved", "a list", "no JSON"],
)
def test_a_lost_or_damaged_index_costs_nothing(
    root: Path,
    open_store: Callable[[], Storage],
    damage: Callable[[bytes], bytes | None],
) -> None:
    store = open_store()
    ids = [store.create(name, "words", model="m").session_id for name in "abc"]
    for session_id in ids:
        say(store, session_id, "x", "y")
    store.update(ids[0], tags=("t",))
    before = [(each.session_id, each.name, each.message_count) for each in store.sessions()]
    path = root / "sessions.json"
    broken = damage(path.read_bytes())
    if broken is None:
        path.unlink()
    else:
        path.write_bytes(broken)
    again = open_store()
    found = again.sessions()
    assert [(each.session_id, each.name, each.message_count) for each in found] == before
    assert found[0].tags == ("t",)
    assert (path.read_bytes() if path.exists() else None) == broken
    assert again.open(ids[1]).name == "b"
    say(again, ids[1], "z")
    sessions = index_of(root)["sessions"]
    assert isinstance(sessions, list)
    assert {each["session_id"]: each["message_count"] for each in sessions} == {
        ids[0]: 2,
        ids[1]: 3,
        ids[2]: 2,
    }


def test_a_stale_count_is_found(root: Path, open_store: Callable[[], Storage]) -> None:
    store = open_store()
    session_id = store.create("stale").session_id
    say(store, session_id, "a")
    old = (root / "sessions.json").read_bytes()
    say(store, session_id, "b", "c")
    (root / "sessions.json").write_bytes(old)
    again = open_store()
    assert again.sessions()[0].message_count == 3
    assert again.open(session_id).message_count == 3
    assert say(again, session_id, "d")
    assert again.sessions()[0].message_count == 4


def test_folders_that_the_index_does_not_know_are_listed(root: Path, store: Storage) -> None:
    session_id = store.create("copied").session_id
    say(store, session_id, "a")
    copy = "00000000-0000-4000-8000-000000000001"
    for name, data in files(root / session_id).items():
        (root / copy).mkdir(exist_ok=True)
        (root / copy / name).write_bytes(data)
    assert {each.session_id: each.message_count for each in store.sessions()} == {
        session_id: 1,
        copy: 1,
    }
    assert [each.content for each in store.messages(copy)] == ["a"]


def test_folders_that_are_gone_leave_the_index_with_the_next_session(
    root: Path, store: Storage
) -> None:
    gone, kept = (store.create(name).session_id for name in ("gone", "kept"))
    store.set_current(gone)
    shutil.rmtree(root / gone)
    made = store.create("made").session_id
    index = json.loads((root / "sessions.json").read_bytes())
    assert [each["session_id"] for each in index["sessions"]] == [kept, made]
    assert index["current_session_id"] is None


def test_folders_that_are_gone_are_not_listed(root: Path, store: Storage) -> None:
    kept, gone = (store.create(name).session_id for name in ("kept", "gone"))
    store.set_current(gone)
    for path in (root / gone).iterdir():
        path.unlink()
    (root / gone).rmdir()
    assert [each.session_id for each in store.sessions()] == [kept]
    assert store.current() is None
    with pytest.raises(SessionNotFoundError):
        store.open(gone)


def test_other_folders_are_no_sessions(root: Path, store: Storage) -> None:
    store.create("one")
    (root / "notes").mkdir()
    (root / "00000000-0000-4000-8000-000000000002").mkdir()
    (root / "00000000-0000-4000-8000-000000000003").write_bytes(b"")
    assert [each.name for each in store.sessions()] == ["one"]


def test_an_index_that_cannot_be_written_is_told_once(
    root: Path,
    notices: list[str],
    open_store: Callable[[], Storage],
) -> None:
    store = open_store()
    session_id = store.create("index").session_id
    (root / "sessions.json").unlink()
    (root / "sessions.json").mkdir()
    said = say(store, session_id, "a", "b")
    assert store.messages(session_id) == said
    assert open_store().sessions()[0].message_count == 2
    (told,) = notices
    assert "sessions.json" in told


# Time ------------------------------------------------------------------------------------


def test_a_clock_that_jumps_back_changes_no_order(
    root: Path,
    open_store: Callable[[], Storage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = open_store()
    session_id = store.create("clock").session_id
    future = store.open(session_id).updated_at + timedelta(days=1)
    monkeypatch.setattr(session_writer, "now", lambda: future)
    say(store, session_id, "tomorrow")
    monkeypatch.setattr(session_writer, "now", lambda: future - timedelta(days=2))
    (yesterday,) = say(store, session_id, "yesterday")
    assert store.open(session_id).updated_at == future
    assert store.messages(session_id)[-1] == yesterday
    (root / "sessions.json").unlink()
    assert open_store().sessions()[0].updated_at == future
    assert open_store().update(session_id, name="x").updated_at == future


# Hand edits, unknown keys ----------------------------------------------------------------


def test_keys_of_a_later_version_stay(root: Path, store: Storage) -> None:
    session_id = store.create("later").session_id
    path = root / session_id / "session.json"
    path.write_bytes(json.dumps({**json.loads(path.read_bytes()), "colour": ["red"]}).encode())
    assert store.open(session_id).extra == {"colour": ["red"]}
    store.update(session_id, name="renamed")
    assert json.loads(path.read_bytes())["colour"] == ["red"]
    assert store.sessions()[0].extra == {"colour": ["red"]}


def test_a_hand_edit_of_the_name_is_honoured(root: Path, store: Storage) -> None:
    session_id = store.create("before").session_id
    path = root / session_id / "session.json"
    path.write_bytes(path.read_bytes().replace(b"before", b"after"))
    assert store.open(session_id).name == "after"
    say(store, session_id, "a")
    assert store.sessions()[0].name == "after"


def test_a_hand_edit_of_a_message_is_honoured(root: Path, store: Storage) -> None:
    session_id = store.create("edit").session_id
    say(store, session_id, "before", "b")
    path = root / session_id / "messages.json"
    path.write_bytes(path.read_bytes().replace(b"before", b"after!"))
    say(store, session_id, "c")
    assert [each.content for each in store.messages(session_id)] == ["after!", "b", "c"]


def test_a_head_is_over_once_there_is_a_newer_message(
    root: Path, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the shell dies before it can say so in ``session.json``."""
    store = open_store()
    session_id = store.create("head").session_id
    said = say(store, session_id, "a", "b")
    store.update(session_id, head=said[0].id)
    monkeypatch.setattr(session_writer.SessionWriter, "_follow_up", lambda *_, **__: None)
    answer = message("b2", said[0])
    store.append(session_id, answer)
    assert json.loads((root / session_id / "session.json").read_bytes())["head"] == said[0].id
    again = open_store()
    assert again.open(session_id).head is None
    assert again.sessions()[0].head is None
    assert again.messages(session_id) == again.messages(session_id, last=5) == [said[0], answer]


def test_a_head_must_be_a_message(store: Storage) -> None:
    session_id = store.create("head").session_id
    say(store, session_id, "a")
    with pytest.raises(StorageError, match="no message"):
        store.update(session_id, head="00000000-0000-4000-8000-000000000009")


# What is not read ------------------------------------------------------------------------


def test_the_last_messages_are_read_from_the_end(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = store.create("long").session_id
    said = say(store, session_id, *(f"{number} {'x' * 200}" for number in range(300)))

    def whole_file(_path: str) -> None:
        raise AssertionError("the whole file was read")

    monkeypatch.setattr(message_reader, "load", whole_file)
    assert store.messages(session_id, last=50) == said[-50:]
    store.update(session_id, head=said[-3].id)
    assert store.messages(session_id, last=2) == said[-4:-2]


def test_a_first_append_does_not_read_the_messages(
    open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    say(store, session_id, "a", "b")

    def whole_file(_path: str) -> None:
        raise AssertionError("the whole file was read")

    for reading in ("load", "count_sound", "count"):
        monkeypatch.setattr(message_reader, reading, whole_file)
    assert open_store().append(session_id, message("c")).message_count == 3


def test_listing_reads_no_session(
    open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    for name in "abc":
        say(store, store.create(name).session_id, "x")

    def survey(*_: object) -> None:
        raise AssertionError("a session's folder was read")

    monkeypatch.setattr(session_catalog.folder, "survey", survey)
    opened: list[str] = []
    real = disk._open_regular
    monkeypatch.setattr(
        disk, "_open_regular", lambda path, flags: (opened.append(path), real(path, flags))[1]
    )
    assert len(open_store().sessions()) == 3
    assert [path.rpartition("/")[2] for path in opened] == ["sessions.json"]


# Errors ----------------------------------------------------------------------------------


def test_what_json_cannot_say_is_not_saved(store: Storage) -> None:
    session_id = store.create("odd").session_id
    with pytest.raises(StorageError, match=r"was not saved: .*messages\.json"):
        store.append(session_id, message("x", provider_data={"a": object()}))
    assert store.messages(session_id) == []


def test_a_session_deleted_by_another_shell(open_store: Callable[[], Storage]) -> None:
    one, two = open_store(), open_store()
    session_id = one.create("shared").session_id
    say(one, session_id, "a")
    trashed = two.delete(session_id)
    with pytest.raises(SessionNotFoundError):
        one.append(session_id, message("b"))
    two.restore(trashed.trash_id)
    assert one.append(session_id, message("b")).message_count == 2


def test_restoring_over_a_session_is_refused(root: Path, store: Storage) -> None:
    session_id = store.create("twice").session_id
    trashed = store.delete(session_id)
    (root / session_id).mkdir()
    with pytest.raises(StorageError, match="exists"):
        store.restore(trashed.trash_id)
    assert store.trash() == [trashed]


def test_the_store_may_not_be_a_file(root: Path, store: Storage) -> None:
    root.write_bytes(b"")
    with pytest.raises(StorageError):
        store.sessions()
    with pytest.raises(StorageError, match="was not saved"):
        store.create("x")


def test_relative_paths_mean_where_the_shell_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = store_module.open_storage(StorageOptions("here"))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    store.create("x")
    assert (tmp_path / "here" / "sessions.json").exists()
