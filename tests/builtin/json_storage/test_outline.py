"""The outline of a session's file says the same as the file, whatever happens to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.builtin.json_storage import disk, outline
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.types import Message, Stretch, new_id, now


@pytest.fixture
def cache(tmp_path: Path) -> Any:
    return tmp_path / "cache"


@pytest.fixture
def open_store(root: Any, cache: Any) -> Iterator[Any]:
    opened = []

    def open_one() -> Any:
        opened.append(open_storage(StorageOptions(str(root), cache_path=str(cache))))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a large one, of many blocks."""
    monkeypatch.setattr(outline, "LARGE", 1)
    monkeypatch.setattr(outline, "_BLOCK", 700)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """How many bytes were read at each place of a message file."""
    made = []
    real = disk.read_at

    def read_at(fd: Any, offset: Any, length: Any) -> Any:
        made.append(length)
        return real(fd, offset, length)

    monkeypatch.setattr(disk, "read_at", read_at)
    return made


def say(store: Any, session_id: str, *backs: Any, content: Any = "text", **fields: Any) -> Any:
    """Appends messages, each after the one so many places before; 0: after none."""
    said = store.tree(session_id)
    for back in backs:
        parent = said[-back].id if back else None
        said.append(Message(new_id(), "user", content, now(), parent, **fields))
        store.append(session_id, said[-1])
    return said


def agrees(store: Any, session_id: str) -> None:
    """The outline is what reading everything gives."""
    said = store.tree(session_id)
    assert store.outline(session_id) == Storage.outline(store, session_id)
    for start, stop in ((0, len(said)), (0, 1), (len(said) - 1, len(said) + 9), (3, 8), (5, 5)):
        assert store.part(session_id, start, stop) == said[start:stop]
    ids = [each.id for each in said] + [new_id(), 'no"id']
    assert store.locate(session_id, ids) == {each.id: n for n, each in enumerate(said)}


def of_file(root: Any, session_id: str) -> Any:
    return outline.of(str(root / session_id / "messages.json"), "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.booleans())
def test_it_says_what_the_file_says(
    open_store: Callable[..., Any], root: Any, backs: Any, odd: Any
) -> None:
    store = open_store()
    session_id = store.create("any").session_id
    nested = {"a": "b", "created_at": "2026-01-01T12:00:00.000000+00:00", "parent": "c"}
    fields = {"extra": {"later": nested}} if odd else {}
    made = [min(back, number) for number, back in enumerate(backs)]
    say(store, session_id, *made, content='","created_at":"\\"\n,{"id":"é', **fields)
    agrees(store, session_id)
    of_file(root, session_id)  # it was no fallback
    say(store, session_id, 1, 2)
    agrees(store, session_id)
    agrees(open_store(), session_id)


def test_an_empty_session_and_one_that_is_gone(open_store: Callable[..., Any]) -> None:
    store = open_store()
    session_id = store.create("empty").session_id
    assert store.outline(session_id) == store.part(session_id, 0, 9) == []
    assert store.locate(session_id, [new_id()]) == {}


def test_only_what_was_added_is_read(open_store: Callable[..., Any], root: Any, reads: Any) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    say(store, session_id, 0, *[1] * 200)
    size = (root / session_id / "messages.json").stat().st_size
    reads.clear()
    store.outline(session_id)
    assert sum(reads) > size
    for other in (store, open_store()):
        say(store, session_id, 1)
        reads.clear()
        assert other.outline(session_id) == [Stretch(0, 202 if other is store else 203, None)]
        assert sum(reads) < 1500
    reads.clear()
    assert len(store.part(session_id, 100, 103)) == 3
    assert sum(reads) < 3000


def test_without_a_cache_folder_nothing_is_written(root: Any, tmp_path: Path) -> None:
    store = open_storage(StorageOptions(str(root)))
    session_id = store.create("long").session_id
    say(store, session_id, 0, 1, 1)
    before = sorted(tmp_path.rglob("*"))
    agrees(store, session_id)
    assert sorted(tmp_path.rglob("*")) == before
    store.close()


def test_what_is_kept_is_for_the_owner_alone(open_store: Callable[..., Any], cache: Any) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    say(store, session_id, 0, 1)
    before = os.umask(0)
    try:
        store.outline(session_id)
    finally:
        os.umask(before)
    (path,) = cache.rglob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "text" not in path.read_text()


@pytest.mark.parametrize(
    "kept", ["", "{}", "[]", "null", '{"version":1}', '{"version":0}', "\0", None]
)
def test_what_is_kept_may_be_anything(
    open_store: Callable[..., Any], cache: Any, kept: Any
) -> None:
    store = open_store()
    session_id = store.create("long").session_id
    say(store, session_id, 0, 1, 2)
    store.outline(session_id)
    (path,) = cache.rglob("*.json")
    if kept is None:
        path.unlink()
        path.mkdir()
    else:
        path.write_text(kept)
    agrees(open_store(), session_id)


def lines_of(path: Path) -> list[dict]:
    return json.loads(path.read_bytes())


def write(path: Path, objects: list[dict]) -> None:
    body = "\n,".join(json.dumps(each, separators=(",", ":")) for each in objects)
    path.write_text(f"[\n{body}\n]\n")


@pytest.mark.parametrize("known", ["in memory", "in the cache"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda said: said[:-1],
        lambda said: [*said[:3], *said[4:]],
        lambda said: [*said, {**said[0], "id": new_id(), "parent": said[1]["id"]}],
        lambda said: [*said[:2], {**said[2], "content": "longer than it was"}, *said[3:]],
        lambda said: [{**each, "id": each["id"][::-1]} for each in said],
        lambda said: [said[0], *said],
        lambda said: [{key: each[key] for key in reversed(each)} for each in said],
        lambda said: [{k: v for k, v in each.items() if k != "id"} for each in said],
        lambda said: [{k: v for k, v in each.items() if k != "created_at"} for each in said],
        lambda said: [said[1], said[0], *said[2:]],
    ],
)
def test_an_edit_by_hand_is_seen(
    open_store: Callable[..., Any], root: Any, edit: Any, known: Any
) -> None:
    store = open_store()
    session_id = store.create("edited").session_id
    say(store, session_id, 0, 1, 1, 2, 1, 1, 1)
    agrees(store, session_id)
    path = root / session_id / "messages.json"
    write(path, edit(lines_of(path)))
    agrees(store if known == "in memory" else open_store(), session_id)


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 400])
def test_a_damaged_file_is_read_as_a_whole(
    open_store: Callable[..., Any], root: Any, cut: Any
) -> None:
    store = open_store()
    session_id = store.create("torn").session_id
    say(store, session_id, 0, *[1] * 9)
    store.outline(session_id)
    path = root / session_id / "messages.json"
    path.write_bytes(path.read_bytes()[:-cut])
    agrees(store, session_id)
    path.write_text(json.dumps([{"role": "user", "content": "old"}] * 2, indent=2))
    agrees(store, session_id)


def test_what_another_shell_says_is_seen(open_store: Callable[..., Any]) -> None:
    one, two = open_store(), open_store()
    session_id = one.create("two shells").session_id
    say(one, session_id, 0, 1)
    for number in range(6):
        say(two if number % 2 else one, session_id, 1 + number % 3)
        agrees(one, session_id)
        agrees(two, session_id)
