"""Damaged ``session.json`` and ``sessions.json``: the one is found in the index, the other
in the folders, and what an editor has saved is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import say

Opened = Callable[[], Storage]


WRECKED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "zeros at the end": lambda data: data + bytes(512),
    "truncated": lambda data: data[:-20],
    "twice": lambda data: data + data,
    "a list": lambda data: b"[]",
    "in a list": lambda data: b"[" + data + b"]",
    "a comma too few": lambda data: data.replace(b',"', b'"').replace(b",\n", b"\n"),
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "no UTF-8": lambda data: data.replace(b"damaged", b"\xff\xfe"),
    "a number of 5,000 digits": lambda data: data.replace(b"{", b'{"n":' + b"9" * 5000 + b",", 1),
    "nesting of 100,000": lambda data: data.replace(b"{", b'{"n":' + b"[" * 100_000, 1),
    "not a number": lambda data: data.replace(b"{", b'{"n":NaN,', 1),
    "no JSON": lambda data: b"<!doctype html>",
}
"""What makes one JSON object unreadable."""

REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "pretty-printed": lambda data: json.dumps(json.loads(data), indent=8).encode(),
    "on one line": lambda data: json.dumps(json.loads(data)).encode(),
    "byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "the same key twice": lambda data: data.replace(b"{", b'{"name":"before",', 1),
    "nothing but unknown keys more": lambda data: data.replace(b"{", b'{"x":[1,{}],', 1),
}
"""What an editor may make of it."""


@pytest.mark.parametrize("name", WRECKED)
def test_a_damaged_session_file_costs_nothing_the_index_knows(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    path = root / session_id / "session.json"
    damage = WRECKED[name](path.read_bytes())
    path.write_bytes(damage)
    store = open_store()
    assert store.open(session_id).name == "damaged"
    assert [each.content for each in store.messages(session_id)] == ["a", "b", "c"]
    assert {each.name for each in store.sessions()} == {"damaged", "bystander"}
    assert path.read_bytes() == damage
    assert store.update(session_id, description="mended").name == "damaged"
    assert json.loads(path.read_bytes())["name"] == "damaged"
    (copy,) = path.parent.glob("session.json.before-*")
    assert copy.read_bytes() == damage
    assert [str(copy) in line for line in notices] == [True]


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_session_file_that_an_editor_has_saved(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    path = root / session_id / "session.json"
    data = path.read_bytes().replace(b"damaged", b"by hand")
    path.write_bytes(REWRITTEN[name](data))
    store = open_store()
    assert store.open(session_id).name == "by hand"
    assert store.update(session_id, description="more").name == "by hand"
    assert json.loads(path.read_bytes())["description"] == "more"
    assert notices == []


INDEXES = {
    **WRECKED,
    "no list": lambda data: b"{}",
    "a list of numbers": lambda data: (
        b'{"sessions":[1,null,"x",{},{"session_id":5},{"session_id":"../../etc"}]}'
    ),
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_damaged_index_costs_nothing(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    path = root / "sessions.json"
    damage = INDEXES[name](path.read_bytes())  # type: ignore[no-untyped-call]
    path.write_bytes(damage)
    expected = {"damaged": 3, "bystander": 1}
    store = open_store()
    assert {each.name: each.message_count for each in store.sessions()} == expected
    assert store.open(session_id).name == "damaged"
    assert path.read_bytes() == damage
    say(store, session_id, "d")
    assert {each.name: each.message_count for each in open_store().sessions()} == {
        **expected,
        "damaged": 4,
    }
    assert {each["name"] for each in json.loads(path.read_bytes())["sessions"]} == expected.keys()
    copies = list(root.glob("sessions.json.before-*"))
    assert [copy.read_bytes() for copy in copies] == ([damage] if damage else [])
    assert [str(copy) in line for copy, line in zip(copies, notices, strict=True)] == [True] * len(
        copies
    )


@pytest.mark.parametrize("name", REWRITTEN)
def test_an_index_that_an_editor_has_saved(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    path = root / "sessions.json"
    before = REWRITTEN[name](path.read_bytes())
    path.write_bytes(before)
    store = open_store()
    expected = {"damaged": 3, "bystander": 1}
    assert {each.name: each.message_count for each in store.sessions()} == expected
    say(store, session_id, "d")
    assert json.loads(path.read_bytes())["sessions"]
    assert {each.name for each in open_store().sessions()} == expected.keys()
    assert len(notices) == len(list(root.glob("sessions.json.before-*"))) <= 1


def test_a_wrong_count_in_the_index_does_not_tear_the_messages(
    root: Path, session_id: str, open_store: Opened
) -> None:
    """It is only a cache, whoever has written it."""
    path = root / "sessions.json"
    line = path.read_bytes()
    for key in (b"messages_counted", b"message_count"):
        line = line.replace(b'"%s":         3' % key, b'"%s":         0' % key)
    path.write_bytes(line)
    store = open_store()
    assert store.open(session_id).message_count == 0, "the index is believed"
    say(store, session_id, "d")
    written = json.loads((root / session_id / "messages.json").read_bytes())
    assert [each["content"] for each in written] == ["a", "b", "c", "d"]


def test_an_old_index_that_names_a_session_twice(
    root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / "sessions.json"
    index = json.loads(path.read_bytes())
    (mine,) = [each for each in index["sessions"] if each["session_id"] == session_id]
    index["sessions"].append({**mine, "name": "the later one", "message_count": 77})
    path.write_text(json.dumps(index, indent=1))
    (root / session_id / "session.json").unlink()
    store = open_store()
    found = [(each.name, each.message_count) for each in store.sessions()]
    assert sorted(found) == [("bystander", 1), ("the later one", 3)]
    assert store.open(session_id).name == "the later one"
    say(store, session_id, "d")
    listed = json.loads(path.read_bytes())["sessions"]
    assert sorted((each["name"], each["message_count"]) for each in listed) == [
        ("bystander", 1),
        ("the later one", 4),
    ]


def test_a_session_that_is_only_messages(root: Path, session_id: str, open_store: Opened) -> None:
    """Neither a session file nor an index: the messages are still a conversation."""
    (root / session_id / "session.json").unlink()
    (root / "sessions.json").unlink()
    store = open_store()
    session = store.open(session_id)
    said = store.messages(session_id)
    assert [each.content for each in said] == ["a", "b", "c"]
    assert session.created_at == said[0].created_at
    assert session.name.startswith("Session 20")
    assert session in store.sessions()
