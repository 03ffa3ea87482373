"""What is wrong in the files of a session is found and mended, and nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import message
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import Finding, now

Opened = Callable[[], Storage]
Looks = Callable[[Path], object]
Lock = Callable[[str], AbstractContextManager[Callable[[], None]]]


def check(kept: Storage, *, repair: bool = False) -> list[Finding]:
    return list(kept.check(repair=repair))


def wrong(kept: Storage) -> list[Finding]:
    return [finding for finding in kept.check() if is_wrong(finding)]


def rewrite(path: Path, change: Callable[[Any], Any], **form: Any) -> None:
    """Edit a file as a person would: it is laid out in another way afterwards."""
    path.write_text(json.dumps(change(json.loads(path.read_bytes())), **form))


def relined(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the messages and keep the store's own layout."""
    lines = [
        json.dumps(each, separators=(",", ":")) for each in change(json.loads(path.read_bytes()))
    ]
    path.write_text("[\n" + "\n,".join(lines) + "\n]\n")


@pytest.mark.parametrize("repair", [False, True])
def test_nothing_changes_where_nothing_is_wrong(
    looks: Looks, repair: bool, root: Path, session_id: str, open_store: Opened
) -> None:
    before = looks(root)
    assert check(open_store(), repair=repair) == []
    assert looks(root) == before


def test_a_store_that_was_never_used_is_well_and_is_not_made(root: Path, store: Storage) -> None:
    assert check(store, repair=True) == []
    assert not root.exists()


def test_looking_changes_nothing_however_much_is_wrong(
    looks: Looks, root: Path, folder: Path, open_store: Opened
) -> None:
    (folder / "messages.json").write_bytes(b"[\n{")
    (folder / "session.json").unlink()
    (folder / "messages.json.0123456789ab.tmp").write_bytes(b"x")
    (root / "sessions.json").write_bytes(b"{")
    folder.chmod(0o755)
    before = looks(root)
    assert len(wrong(open_store())) == 5
    assert looks(root) == before


def drop(*keys: str) -> Callable[[Any], Any]:
    return lambda raw: [
        {key: value for key, value in each.items() if key not in keys} for each in raw
    ]


def no_parent(raw: Any) -> Any:
    raw[1]["parent"] = "00000000-0000-4000-8000-000000000000"
    return raw


def same_id(raw: Any) -> Any:
    raw[2]["id"] = raw[0]["id"]
    return raw


MESSAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged; 2 messages"),
    "not JSON": (lambda path: path.write_bytes(b"said something"), "damaged; 0 messages"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "missing": (lambda path: path.unlink(), "is missing"),
    "same id": (lambda path: relined(path, same_id), "1 message with the id of another"),
    "a parent that is not there": (lambda path: relined(path, no_parent), "1 message following"),
}

PECULIAR: dict[str, tuple[Callable[[Path], object], str]] = {
    "pretty": (lambda path: rewrite(path, list, indent=2), "another layout"),
    "no ids": (lambda path: relined(path, drop("id")), "3 messages without an id"),
    "no parents": (lambda path: relined(path, drop("parent")), "3 messages without an id"),
    "no role": (lambda path: relined(path, drop("role")), "3 messages without role"),
    "no content": (lambda path: relined(path, drop("content")), "3 messages without role"),
    "no time": (lambda path: relined(path, drop("created_at")), "3 messages without role"),
}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("place", ["store", "trash"])
def test_a_message_file_that_is_wrong(
    looks: Looks, place: str, name: str, root: Path, session_id: str, open_store: Opened
) -> None:
    kept = open_store()
    trashed = kept.delete(session_id) if place == "trash" else None
    path = (root / "trash" / trashed.trash_id if trashed else root / session_id) / "messages.json"
    damage, problem = MESSAGES[name]
    damage(path)
    before = path.read_bytes() if path.exists() else b""
    (found,) = [each for each in wrong(kept) if each.where == str(path)]
    assert problem in found.problem
    readable = kept.trashed_messages(trashed.trash_id) if trashed else kept.tree(session_id)

    mended = check(kept, repair=True)
    assert [each for each in mended if not each.healed and not each.note] == []
    copies = list(path.parent.glob("messages.json.before-*"))
    assert [copy.read_bytes() for copy in copies] == ([before] if before else [])
    assert all(copy.name in str(mended) for copy in copies), "it is said where the copy is"
    after = looks(root)
    assert [each for each in check(kept, repair=True) if not each.note] == []
    assert looks(root) == after, "what was mended is not mended again"
    again = kept.trashed_messages(trashed.trash_id) if trashed else kept.tree(session_id)
    assert again == readable


@pytest.mark.parametrize("name", PECULIAR)
@pytest.mark.parametrize("place", ["store", "trash"])
def test_a_message_file_as_editors_and_other_programs_leave_it_is_noted_and_stays(
    place: str, name: str, root: Path, session_id: str, open_store: Opened
) -> None:
    kept = open_store()
    trashed = kept.delete(session_id) if place == "trash" else None
    path = (root / "trash" / trashed.trash_id if trashed else root / session_id) / "messages.json"
    damage, problem = PECULIAR[name]
    damage(path)
    before = path.read_bytes()
    for repair in (False, True):
        (found,) = [each for each in check(kept, repair=repair) if each.where == str(path)]
        assert (found.note, problem in found.problem) == (True, True), found
    assert path.read_bytes() == before
    assert wrong(kept) == []


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_how_much_a_lost_message_file_held_is_told_and_kept(
    name: str, root: Path, folder: Path, open_store: Opened
) -> None:
    listed = (root / "sessions.json").read_bytes()
    MESSAGES[name][0](folder / "messages.json")
    (found,) = [each for each in wrong(open_store()) if each.where.startswith(str(folder))]
    assert "the list counted 3 messages" in found.problem
    mended = check(open_store(), repair=True)
    (copy,) = root.glob("sessions.json.before-*")
    assert copy.read_bytes() == listed
    assert copy.name in str([each.advice for each in mended if each.healed])


def named(**changes: Any) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda raw: {**raw, **changes})


RECORDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "is missing"),
    "damaged": (lambda path: path.write_bytes(b'{"name": "sa'), "is damaged"),
    "no object": (lambda path: path.write_bytes(b"[]"), "is damaged"),
    "another session": (named(session_id="x"), "does not name the session"),
    "no name": (named(name=" "), "has no name"),
    "no time": (named(created_at="yesterday"), "does not say when"),
    "no such head": (named(head="x"), "is to stand on is not there"),
    "a head that is no text": (named(head=[1]), "is to stand on is not there"),
    "no such pin": (named(pinned=["x", 5]), "2 pinned messages cannot be found"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_session_file_that_is_wrong(
    name: str, root: Path, folder: Path, open_store: Opened
) -> None:
    kept = open_store()
    path = folder / "session.json"
    damage, problem = RECORDS[name]
    damage(path)
    before = path.read_bytes() if path.exists() else None
    (found,) = [each for each in wrong(kept) if each.where == str(path)]
    assert problem in found.problem

    check(kept, repair=True)
    copies = [copy.read_bytes() for copy in folder.glob("session.json.before-*")]
    assert copies == ([before] if before is not None else [])
    assert [each for each in check(kept) if not each.note] == []
    session = kept.open(folder.name)
    assert session.name == "patient", "the list knows it, where the file does not"
    assert (session.head, session.pinned) == (None, ())
    assert session.created_at.year == now().year


def test_mending_keeps_what_was_right_in_a_session_file(
    session_id: str, folder: Path, open_store: Opened
) -> None:
    kept = open_store()
    said = kept.messages(session_id)
    kept.update(session_id, head=said[1].id, pinned=(said[0].id,), tags=("tax",))
    rewrite(
        folder / "session.json", lambda raw: {**raw, "pinned": [*raw["pinned"], "x"], "mine": 5}
    )
    check(kept, repair=True)
    session = open_store().open(session_id)
    assert (session.head, session.pinned, session.tags) == (said[1].id, (said[0].id,), ("tax",))
    assert session.extra == {"mine": 5}
    say_after = message("d", said[1])
    kept.append(session_id, say_after)
    assert kept.messages(session_id)[-1] == say_after, "the head is over with the next message"
    assert kept.open(session_id).head is None


def test_a_head_that_is_over_is_not_brought_back(
    session_id: str, folder: Path, open_store: Opened
) -> None:
    kept = open_store()
    said = kept.messages(session_id)
    stale = {"head": said[0].id, "head_after": said[1].id, "pinned": ["x"]}
    rewrite(folder / "session.json", lambda raw: {**raw, **stale})
    check(kept, repair=True)
    assert open_store().messages(session_id) == said


def test_what_another_program_calls_things_is_noted_and_stays(
    folder: Path, open_store: Opened
) -> None:
    def developer(raw: Any) -> Any:
        raw[0]["role"] = "developer"
        raw[1]["content"] = [{"type": "text", "text": "parts"}]
        return raw

    relined(folder / "messages.json", developer)
    check(open_store(), repair=True)  # the list has an old count
    before = (folder / "messages.json").read_bytes()
    (note,) = check(open_store(), repair=True)
    assert note.note
    assert "2 messages whose role" in note.problem
    assert (folder / "messages.json").read_bytes() == before
