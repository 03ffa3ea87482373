"""A number that JSON allows and no float holds costs nobody anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import message, say
from agno_shell.toolkit.json_records import UnwritableError, message_line

HUGE = b'"n":1e999,'


def add_number(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"description"', HUGE + b'"description"', 1))


@pytest.fixture
def said_in(store: Storage) -> str:
    session_id = store.create("numbers").session_id
    say(store, session_id, "one", "two")
    return session_id


def test_in_a_message_of_a_torn_file(store: Storage, root: Path, said_in: str) -> None:
    path = root / said_in / "messages.json"
    path.write_bytes(path.read_bytes().replace(b'"id"', HUGE + b'"id"', 1).removesuffix(b"]\n"))
    say(store, said_in, "three")
    assert [each.content for each in store.tree(said_in)] == ["one", "two", "three"]
    assert json.loads(path.read_bytes())[0]["n"] == "1e999"


def test_in_a_message_of_a_file_in_another_layout(store: Storage, root: Path, said_in: str) -> None:
    path = root / said_in / "messages.json"
    path.write_bytes(b" " + path.read_bytes().replace(b'"id"', HUGE + b'"id"', 1))
    say(store, said_in, "three")
    assert [each.content for each in store.tree(said_in)] == ["one", "two", "three"]


def test_a_session_that_the_list_cannot_hold_is_saved_all_the_same(
    store: Storage, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agno_shell.builtin.json_storage import index_line

    def refuse(entry: object, *, local: bool) -> bytes:
        raise UnwritableError("too deep")

    with monkeypatch.context() as patched:
        patched.setattr(index_line, "line", refuse)
        session_id = store.create("saved").session_id
        trash_id = store.delete(session_id).trash_id
    assert "too deep" in notices[0]
    assert store.restore(trash_id).session_id == session_id


def test_in_session_json(store: Storage, root: Path, said_in: str) -> None:
    add_number(root / said_in / "session.json")
    assert store.update(said_in, name="renamed").extra == {"n": "1e999"}
    say(store, said_in, "three")
    store.restore(store.delete(said_in).trash_id)
    assert store.open(said_in).name == "renamed"


def test_in_another_session_when_the_list_is_lost(
    store: Storage, open_store: Callable[[], Storage], root: Path, said_in: str
) -> None:
    add_number(root / said_in / "session.json")
    (root / "sessions.json").unlink()
    other = open_store().create("another")
    assert {each.session_id for each in store.sessions()} == {said_in, other.session_id}
    assert len(json.loads((root / "sessions.json").read_bytes())["sessions"]) == 2


def test_in_a_reply_that_was_cut_off(store: Storage, root: Path, said_in: str) -> None:
    cut_off = message("half", store.tree(said_in)[-1], role="assistant")
    line = message_line(cut_off).replace(b'"id"', HUGE + b'"id"', 1)
    (root / said_in / "reply-0.jsonl").write_bytes(line + b"\n")
    store.open(said_in)
    assert store.tree(said_in)[-1].content == "half"


def test_a_reply_that_cannot_be_written_leaves_the_session_open(
    store: Storage, root: Path, said_in: str, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nesting may be shallow enough to be read and too deep to be written."""
    from agno_shell.toolkit import json_records

    cut_off = message("half", store.tree(said_in)[-1], role="assistant")
    (root / said_in / "reply-0.jsonl").write_bytes(message_line(cut_off) + b"\n")
    real = json_records.message_line

    def refuse(each: object) -> bytes:
        raise json_records.UnwritableError("too deep")

    with monkeypatch.context() as patched:
        patched.setattr(json_records, "message_line", refuse)
        assert store.open(said_in).message_count == 2
        (found,) = (each for each in store.check(repair=True) if "reply" in each.problem)
    assert "too deep" in notices[0]
    assert "too deep" in found.problem
    assert json_records.message_line is real
    store.open(said_in)
    assert store.tree(said_in)[-1].content == "half"
