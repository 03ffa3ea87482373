"""What a program leaves that is ended is put away, and no word in it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage.check import leftovers, store
from agno_shell.contracts import Storage
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import Finding, Message, now

Opened = Callable[[], Storage]
Looks = Callable[[Path], object]
Lock = Callable[[str], AbstractContextManager[Callable[[], None]]]


def check(kept: Storage, *, repair: bool = False) -> list[Finding]:
    return list(kept.check(repair=repair))


def wrong(kept: Storage) -> list[Finding]:
    return [finding for finding in kept.check() if is_wrong(finding)]


@pytest.fixture
def left(folder: Path) -> Path:
    path = folder / "messages.json.0123456789ab.tmp"
    path.touch(0o600)
    return path


def unfinished(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.glob("*.unfinished-*")]


@pytest.mark.parametrize(
    "part",
    [
        lambda data: b"",
        lambda data: b"\0" * 500,
        lambda data: data[:40],
        lambda data: data[:-3],
        lambda data: data,
    ],
    ids=["nothing", "zeros", "a part", "nearly all", "all"],
)
def test_a_leftover_that_says_nothing_new_is_removed(
    part: Callable[[bytes], bytes], left: Path, folder: Path, open_store: Opened
) -> None:
    left.write_bytes(part((folder / "messages.json").read_bytes()))
    (found,) = wrong(open_store())
    assert found.where == str(left)
    (mended,) = check(open_store(), repair=True)
    assert mended.healed
    assert not left.exists()
    assert unfinished(folder) == []
    assert check(open_store()) == []


@pytest.mark.parametrize("torn", [0, 30])
def test_a_leftover_with_a_word_that_stands_nowhere_else_is_kept(
    torn: int, left: Path, folder: Path, open_store: Opened
) -> None:
    data = (folder / "messages.json").read_bytes()[:-2] + b',{"content":"said nowhere else"}\n]\n'
    data = data[: len(data) - torn]
    left.write_bytes(data)
    (mended,) = [each for each in check(open_store(), repair=True) if not each.note]
    assert mended.healed
    assert unfinished(folder) == [data]
    (note,) = check(open_store(), repair=True)
    assert note.note
    assert "unfinished" in note.problem
    assert unfinished(folder) == [data]


def test_a_leftover_of_a_message_file_that_is_gone_is_kept(
    left: Path, folder: Path, open_store: Opened
) -> None:
    (folder / "messages.json").rename(left)
    check(open_store(), repair=True)
    (kept,) = unfinished(folder)
    assert len(json.loads(kept)) == 3


def test_a_leftover_session_file_with_another_name_in_it_is_kept(
    folder: Path, open_store: Opened
) -> None:
    for number, change in enumerate(({"updated_at": "2001"}, {"name": "said only here"})):
        record = json.loads((folder / "session.json").read_bytes())
        target = folder / f"session.json.00000000000{number}.tmp"
        target.write_text(json.dumps({**record, **change}, indent=2))
        target.chmod(0o600)
    check(open_store(), repair=True)
    (kept,) = unfinished(folder)
    assert json.loads(kept)["name"] == "said only here"


def test_what_another_shell_is_writing_is_no_leftover(
    held: Lock,
    left: Path,
    session_id: str,
    root: Path,
    open_store: Opened,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its file is there as long as its lock is held."""
    monkeypatch.setattr(store, "_PATIENCE", 60)
    with held(session_id) as release:
        monkeypatch.setattr(store.time, "sleep", lambda _seconds: (left.unlink(), release()))
        assert check(open_store()) == []


def test_a_record_that_is_just_being_written_is_no_leftover(
    held: Lock, root: Path, folder: Path, open_store: Opened
) -> None:
    """One that is missing is written under the lock of the list alone."""
    left = folder / "session.json.0123456789ab.tmp"
    left.touch(0o600)
    (folder / "messages.json").write_bytes(b"")
    with held("sessions"):
        found = {each.where: each for each in check(open_store(), repair=True)}
    assert "in use" in found[str(left)].advice
    assert left.exists()
    assert found[str(folder / "messages.json")].healed


@pytest.mark.parametrize("inside", ["nothing", "the same", "more"])
def test_an_import_that_was_interrupted(
    inside: str, root: Path, session_id: str, folder: Path, open_store: Opened
) -> None:
    staging = root / f".import-{session_id}-0123456789ab"
    staging.mkdir(0o700)
    data = (folder / "messages.json").read_bytes()
    if inside == "more":
        data = data.replace(b'"a"', b'"said elsewhere"')
    if inside != "nothing":
        (staging / "messages.json").write_bytes(data)
        (staging / "messages.json").chmod(0o600)
    (found,) = wrong(open_store())
    assert found.where == str(staging)
    before = len(open_store().trash())
    (mended, *_) = check(open_store(), repair=True)
    assert mended.healed
    assert not staging.exists()
    trash = open_store().trash()
    assert len(trash) == before + (inside == "more")
    if inside == "more":
        assert trash[0].trash_id in mended.advice
        assert (
            b"said elsewhere" in (root / "trash" / trash[0].trash_id / "messages.json").read_bytes()
        )


def test_an_empty_folder_that_nobody_names_is_noted_and_stays(
    root: Path, session_id: str, open_store: Opened
) -> None:
    empty = root / "00000000-0000-4000-8000-000000000001"
    empty.mkdir(0o700)
    for repair in (False, True):
        (note,) = check(open_store(), repair=repair)
        assert (note.where, note.note) == (str(empty), True)
    assert empty.is_dir()


def test_a_reply_whose_writer_is_gone_becomes_a_message(
    session_id: str, folder: Path, open_store: Opened
) -> None:
    dead = open_store()
    last = dead.messages(session_id)[-1]
    dead.save_partial(session_id, Message("r", "assistant", "said so f", now(), last.id))
    assert check(open_store(), repair=True) == [], "its writer lives"
    dead.close()
    (found,) = wrong(open_store())
    assert found.where == str(folder / "reply-0.jsonl")
    (mended,) = check(open_store(), repair=True)
    assert mended.healed
    rescued = open_store().messages(session_id)[-1]
    assert (rescued.content, rescued.status) == ("said so f", "interrupted")
    assert check(open_store()) == []


def test_copies_and_the_files_of_others_are_noted_and_left_alone(
    looks: Looks, root: Path, folder: Path, open_store: Opened
) -> None:
    for path in (
        folder / "messages.json.before-20260101T000000000000Z",
        root / "sessions.json.before-20260101T000000000000Z",
        folder / "notes.txt",
        root / "IMPORTANT",
        root / "trash" / "something",
    ):
        path.write_bytes(b"x" * 600)
        path.chmod(0o600)
    before = looks(root)
    for repair in (False, True):
        copies, others = check(open_store(), repair=repair)
        assert copies.note
        assert "1.2 kB in 2 files" in copies.problem
        assert others.note
        assert "IMPORTANT" in others.problem
        assert f"{folder.name}/notes.txt" in others.problem
    assert looks(root) == before


@pytest.mark.parametrize(
    ("present", "left", "expected"),
    [
        (b"[\n1\n,2\n]\n", b"[\n2\n,1\n]\n", True),
        (b"[\n1\n,2\n]\n", b"[\n1\n,3\n]\n", False),
        (b"[\n12\n]\n", b"[\n1", True),
        (b"[\n12\n]\n", b"[\n1\n", False),
        (b"", b"[\n]\n", True),
        (b"", b"x", False),
        (b'{\n  "a": 1,\n  "b": 2\n}\n', b'{\n  "b": 2,\n  "updated_at": "x"\n}\n', True),
        (b'{\n  "a": 1\n}\n', b'{\n  "a": 2\n}\n', False),
    ],
)
def test_whether_a_file_says_all_that_another_says(
    present: bytes, left: bytes, expected: bool
) -> None:
    assert leftovers.holds_all(present, left) is expected
