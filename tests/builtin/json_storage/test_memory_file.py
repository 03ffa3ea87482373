"""``memory.json``: as it is written, as a hand may have written it, and damaged."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import folder, memory_file
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError

Opened = Callable[[], Storage]
NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)


@pytest.fixture
def path(root: Path, session_id: str) -> Path:
    return root / session_id / "memory.json"


def texts(store: Storage, session_id: str) -> list[str]:
    return [each.text for each in store.memories(session_id)]


def copies(path: Path) -> list[bytes]:
    return [each.read_bytes() for each in sorted(path.parent.glob("memory.json.before-*"))]


def test_it_is_one_object_a_line(store: Storage, session_id: str, path: Path) -> None:
    one, two = (store.remember(session_id, text) for text in ("é\n", "b"))
    written = path.read_bytes().split(b"\n")
    assert (written[0], written[3:]) == (b"[", [b"]", b""])
    assert json.loads(written[1]) == {
        "id": one.id,
        "text": "é\n",
        "created_at": one.created_at.isoformat(timespec="microseconds"),
    }
    assert written[2][:1] == b","
    assert json.loads(written[2][1:])["id"] == two.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_never_remembered_makes_no_file(
    store: Storage, session_id: str, path: Path
) -> None:
    assert store.memories(session_id) == []
    with pytest.raises(StorageError, match=f"{session_id} remembers nothing with the id 'x'"):
        store.forget(session_id, "x")
    assert not path.exists()


def test_what_was_all_forgotten_leaves_an_empty_list(
    store: Storage, session_id: str, path: Path
) -> None:
    store.forget(session_id, store.remember(session_id, "a").id)
    assert path.read_bytes() == b"[\n]\n"
    assert store.memories(session_id) == []


def test_neither_the_list_nor_the_record_is_written(
    root: Path, store: Storage, session_id: str
) -> None:
    files = (root / "sessions.json", root / session_id / "session.json")
    before = [(each.read_bytes(), each.stat().st_mtime_ns) for each in files]
    store.forget(session_id, store.remember(session_id, "a").id)
    assert [(each.read_bytes(), each.stat().st_mtime_ns) for each in files] == before


# By hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b'[{"text": "a"}, {"text": "b"}]', ["a", "b"]),
        (b'[\r\n  {"text": "a"}\r\n]\r\n', ["a"]),
        (b'\xef\xbb\xbf["a", "b"]\n', ["a", "b"]),
        (b'{"memories": [{"text": "a"}, "b"], "colour": "blue"}', ["a", "b"]),
        (b'{"text": "a"}', ["a"]),
        (b'"a"', ["a"]),
        (b"[]", []),
        (b'[{"text": ["typed", "parts"]}, {"colour": "blue"}]', ['["typed","parts"]', ""]),
    ],
)
def test_what_a_hand_has_written_is_read_and_kept(
    written: bytes,
    expected: list[str],
    open_store: Opened,
    session_id: str,
    path: Path,
    notices: list[str],
) -> None:
    path.write_bytes(written)
    store = open_store()
    assert texts(store, session_id) == expected
    assert path.read_bytes() == written
    assert notices == []
    before = store.memories(session_id)
    store.remember(session_id, "more")
    assert store.memories(session_id)[:-1] == before
    json.loads(path.read_bytes())
    assert copies(path) == [written]
    (line,) = notices
    assert f"{path} was in another layout. The file as it was is kept as {path}.before-" in line


def test_a_line_that_a_hand_has_added_needs_only_a_text(
    store: Storage, session_id: str, path: Path, notices: list[str]
) -> None:
    first = store.remember(session_id, "a")
    path.write_bytes(path.read_bytes()[:-2] + b',{"text":"b"}\n,{"text":"c","colour":"blue"}\n]\n')
    os.utime(path, ns=(0, int(NOON.timestamp()) * 10**9))
    found = store.memories(session_id)
    assert [each.text for each in found] == ["a", "b", "c"]
    assert [each.created_at for each in found[1:]] == [NOON, NOON]
    assert found[2].extra == {"colour": "blue"}
    assert store.forget(session_id, found[1].id) == found[1]
    assert store.memories(session_id) == [first, found[2]]
    assert json.loads(path.read_bytes())[1]["colour"] == "blue"
    assert (notices, copies(path)) == ([], []), "nothing was lost that would have to be kept"


def test_each_has_an_id_of_its_own_that_stays(store: Storage, session_id: str, path: Path) -> None:
    given = "00000000-0000-4000-8000-000000000001"
    lines = [{"text": "a", "id": "x"}, {"text": "b"}, {"text": "c", "id": "x"}]
    path.write_text(json.dumps([*lines, {"text": "d", "id": given}, {"text": "e", "id": 5}]))
    found = store.memories(session_id)
    ids = [each.id for each in found]
    assert len(set(ids)) == 5
    assert (ids[0], ids[3]) == ("x", given)
    assert found[4].extra == {}
    store.forget(session_id, ids[1])
    assert [each.id for each in store.memories(session_id)] == [ids[0], *ids[2:]]


# Damaged ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        (lambda data: data[:-10], ["a", "b"]),
        (lambda data: data.replace(b'"text":"b"', b'"text":"b'), ["a", "c"]),
        (lambda data: data.replace(b',{"id"', b'{"id"'), ["a", "b", "c"]),
        (lambda data: data[:-2] + b",5\n]\n", ["a", "b", "c"]),
        (lambda data: b"\0" * len(data), []),
        (lambda data: b"no JSON at all", []),
        (lambda data: b"5", []),
    ],
)
def test_of_a_damaged_file_what_can_be_read_is_kept(
    damage: Callable[[bytes], bytes],
    left: list[str],
    open_store: Opened,
    session_id: str,
    path: Path,
    notices: list[str],
) -> None:
    store = open_store()
    for text in ("a", "b", "c"):
        store.remember(session_id, text)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    for _time in range(2):
        assert texts(store, session_id) == left
    assert path.read_bytes() == damaged, "reading writes nothing"
    (line,) = notices
    assert f"{path} is damaged: {len(left)} thing" in line
    store.remember(session_id, "after")
    assert texts(open_store(), session_id) == [*left, "after"]
    assert len(json.loads(path.read_bytes())) == len(left) + 1
    assert copies(path) == [damaged]
    assert f"is kept as {path}.before-" in notices[-1]
    assert len(notices) == 2


def test_a_file_without_a_byte_is_none(
    store: Storage, session_id: str, path: Path, notices: list[str]
) -> None:
    path.touch()
    assert store.memories(session_id) == []
    store.remember(session_id, "a")
    assert (texts(store, session_id), notices, copies(path)) == (["a"], [], [])


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.write_text('["elsewhere"]')
    path.symlink_to(elsewhere)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("plant", [a_folder, a_link, a_pipe])
def test_what_is_no_file_is_named_and_left_alone(
    plant: Callable[[Path], None], store: Storage, session_id: str, path: Path
) -> None:
    plant(path)
    before = os.lstat(path)
    with pytest.raises(StorageError, match=r"read: .*memory\.json: "):
        store.memories(session_id)
    with pytest.raises(StorageError, match=r"What to remember was not saved: .*memory\.json: "):
        store.remember(session_id, "a")
    store.version(session_id)
    assert len(store.messages(session_id)) == 3
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.parametrize(
    ("home", "name", "remembers"), [(memory_file, "load", True), (folder, "keeps_memories", False)]
)
def test_a_session_that_is_deleted_meanwhile_is_told(
    open_store: Opened,
    session_id: str,
    monkeypatch: pytest.MonkeyPatch,
    home: Any,
    name: str,
    remembers: bool,
) -> None:
    other, store = open_store(), open_store()
    if remembers:
        store.remember(session_id, "a")
    real = getattr(home, name)

    def look(path: str) -> Any:
        monkeypatch.setattr(home, name, real)
        other.delete(session_id)
        return real(path)

    monkeypatch.setattr(home, name, look)
    with pytest.raises(SessionNotFoundError):
        store.memories(session_id)
