"""Whatever is wrong with the list of sessions, it agrees with the folders afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.builtin.json_storage import index_format, index_line
from agno_shell.builtin.json_storage.check import listing
from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import say
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import Finding

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


def listed(change: Callable[[bytes], bytes]) -> Callable[[Path, str], object]:
    return lambda path, _ident: path.write_bytes(change(path.read_bytes()))


def other_count(data: bytes) -> bytes:
    for key in (b"messages_counted", b"message_count"):
        data = data.replace(b'"%s":         3' % key, b'"%s":         8' % key)
    return data


def twice(path: Path, session_id: str) -> None:
    data = path.read_bytes()
    begin, length = index_line.find_line(data, session_id) or (0, 0)
    path.write_bytes(data[:begin] + data[begin : begin + length] + b"\n," + data[begin:])


def unlisted(path: Path, session_id: str) -> None:
    data = path.read_bytes()
    lines = index_format.lines(data) or {}
    del lines[session_id]
    path.write_bytes(index_format.whole(session_id, lines.values()))


def listed_without_folder(path: Path, session_id: str) -> None:
    lines = index_format.lines(path.read_bytes()) or {}
    line = lines[session_id]
    other = session_id[:-1] + ("0" if session_id[-1] != "0" else "1")
    every = [*lines.values(), line.replace(session_id.encode(), other.encode())]
    path.write_bytes(index_format.whole(other, every))


def later(path: Path, session_id: str) -> None:
    """The session was changed, and the list does not know it."""
    record = path.parent / session_id / "session.json"
    rewrite(record, lambda raw: {**raw, "updated_at": "2099-01-01"})


LISTS: dict[str, tuple[Callable[[Path, str], object], str]] = {
    "missing": (lambda path, _ident: path.unlink(), "is missing"),
    "damaged": (listed(lambda data: data[:-9]), "is damaged"),
    "no list": (listed(lambda data: b"{}"), "is damaged"),
    "another name": (listed(lambda data: data.replace(b"patient", b"doctors")), "otherwise than"),
    "an older time": (
        later,
        "otherwise than",
    ),
    "another count": (listed(other_count), "old count"),
    "twice": (twice, "twice"),
    "unlisted": (unlisted, "does not list session"),
    "no folder": (listed_without_folder, "without a folder, names a session as the last used"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_wrong(
    looks: Looks, name: str, root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / "sessions.json"
    sessions = summary(open_store())
    damage, problem = LISTS[name]
    damage(path, session_id)
    (found,) = wrong(open_store())
    assert (found.where, problem in found.problem) == (str(path), True), found
    (mended, *notes) = check(open_store(), repair=True)
    assert mended.healed
    assert all(note.note for note in notes)
    after = looks(root)
    assert [each for each in check(open_store(), repair=True) if not each.note] == []
    assert looks(root) == after
    assert summary(open_store()) == sessions


def test_a_list_as_another_program_leaves_it_is_noted_and_stays(
    root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / "sessions.json"
    rewrite(path, dict, indent=2)
    before = path.read_bytes()
    for repair in (False, True):
        (note,) = check(open_store(), repair=repair)
        assert (note.note, "another layout" in note.problem) == (True, True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["name", "description"])
def test_what_only_the_list_says_is_kept_when_it_is_put_right(
    key: str, root: Path, session_id: str, open_store: Opened
) -> None:
    open_store().update(session_id, description="before")
    path = root / "sessions.json"
    word = {"name": b'"patient"', "description": b'"before"'}[key]
    path.write_bytes(path.read_bytes().replace(word, b'"said in the list alone"'))
    listed = path.read_bytes()
    check(open_store(), repair=True)
    assert b"alone" not in path.read_bytes()
    (copy,) = root.glob("sessions.json.before-*")
    assert copy.read_bytes() == listed


def test_a_listed_session_without_a_folder_goes_to_the_trash(
    root: Path, folder: Path, session_id: str, open_store: Opened
) -> None:
    shutil.rmtree(folder)
    (mended,) = check(open_store(), repair=True)
    assert f"What it holds of session {session_id} is in the trash." in mended.advice
    assert session_id not in [each.session_id for each in open_store().sessions()]
    (trashed,) = [each for each in open_store().trash() if each.session.session_id == session_id]
    assert trashed.session.name == "patient"
    assert open_store().restore(trashed.trash_id).name == "patient"


def test_one_that_was_being_deleted_goes_there_once(
    root: Path, folder: Path, session_id: str, open_store: Opened
) -> None:
    """The shell was ended between moving the folder and writing the list."""
    listed = (root / "sessions.json").read_bytes()
    open_store().delete(session_id)
    (root / "sessions.json").write_bytes(listed)
    before = open_store().trash()
    check(open_store(), repair=True)
    assert open_store().trash() == before


def summary(kept: Storage) -> set[tuple[str, str, int]]:
    return {(each.session_id, each.name, each.message_count) for each in kept.sessions()}


def test_a_name_that_was_changed_by_hand_is_listed(
    session_id: str, folder: Path, open_store: Opened
) -> None:
    rewrite(folder / "session.json", lambda raw: {**raw, "name": "Better name"})
    check(open_store(), repair=True)
    assert "Better name" in [each.name for each in open_store().sessions()]


def test_a_whole_list_of_strangers_is_put_right_at_once(
    root: Path, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More sessions than are corrected under one holding of the lock."""
    monkeypatch.setattr(listing, "_AT_ONCE", 2)
    kept = open_store()
    for number in range(5):
        say(kept, kept.create(f"s{number}").session_id, "x")
    expected = kept.sessions()
    path = root / "sessions.json"
    path.write_bytes(path.read_bytes().replace(b'"name":"s', b'"name":"t'))
    check(open_store(), repair=True)
    assert open_store().sessions() == expected


def test_a_list_that_is_just_being_brought_up_to_date_is_no_finding(
    root: Path, open_store: Opened, session_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message is saved first and counted then; another shell is in between."""
    path = root / "sessions.json"
    before = path.read_bytes()
    say(open_store(), session_id, "d")
    after = path.read_bytes()
    path.write_bytes(before)
    counted = SimpleNamespace(sleep=lambda _seconds: path.write_bytes(after))
    monkeypatch.setattr(listing, "time", counted)
    assert check(open_store(), repair=True) == []


def test_a_message_that_is_saved_during_the_look_is_no_finding(
    session_id: str, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_store()
    agrees = listing.Listing.agrees

    def agrees_late(self: listing.Listing, ident: str, messages: int | None) -> bool:
        if ident == session_id:
            say(other, session_id, "meanwhile")
        return agrees(self, ident, messages)

    monkeypatch.setattr(listing.Listing, "agrees", agrees_late)
    assert check(open_store(), repair=True) == []
