"""The check of what belongs to a session beside its messages."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import folder as folder_
from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import message
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import Attachment, Finding

Opened = Callable[[], Storage]
Looks = Callable[[Path], object]
DATA = b"content " * 100
DIGEST = hashlib.sha256(DATA).hexdigest()


def wrong(store: Storage, *, repair: bool = False) -> list[Finding]:
    return [each for each in store.check(repair=repair) if is_wrong(each) or each.healed]


@pytest.fixture
def place(open_store: Opened, session_id: str, folder: Path) -> Path:
    """The attachments of a session that has one, and remembers three things."""
    store = open_store()
    store.attach(session_id, DATA)
    file = Attachment("a.txt", "text/plain", DIGEST, len(DATA))
    store.append(session_id, message("see", attachments=(file,)))
    for text in ("a", "b", "c"):
        store.remember(session_id, text)
    return folder / "attachments"


def test_a_sound_session_stays_as_it_is(
    open_store: Opened, place: Path, root: Path, looks: Looks
) -> None:
    before = looks(root)
    for repair in (False, True):
        assert list(open_store().check(repair=repair)) == []
    assert looks(root) == before


@pytest.mark.parametrize("written", ['["a"]', '[\n{"text":"a"}\n]\n', ""])
def test_what_a_hand_has_written_is_not_wrong(
    written: str, open_store: Opened, place: Path, folder: Path
) -> None:
    (folder / "memory.json").write_text(written)
    for repair in (False, True):
        assert list(open_store().check(repair=repair)) == []
    assert (folder / "memory.json").read_text() == written


def test_a_damaged_file_is_written_anew_and_kept(
    open_store: Opened, session_id: str, place: Path, folder: Path
) -> None:
    path = folder / "memory.json"
    damaged = path.read_bytes()[:-10]
    path.write_bytes(damaged)
    (found,) = wrong(open_store())
    assert (found.where, found.healed) == (str(path), False)
    assert found.problem == "It is damaged; 2 things to remember can be read."
    (mended,) = wrong(open_store(), repair=True)
    assert mended.healed
    (kept,) = folder.glob("memory.json.before-*")
    assert kept.name in mended.advice
    assert kept.read_bytes() == damaged
    assert [each.text for each in open_store().memories(session_id)] == ["a", "b"]
    assert wrong(open_store()) == []


@pytest.mark.parametrize("deleted", [False, True])
def test_a_content_that_is_another_one_is_put_aside(
    deleted: bool, open_store: Opened, session_id: str, place: Path, root: Path
) -> None:
    (place / DIGEST).write_bytes(b"something else")
    if deleted:
        trash_id = open_store().delete(session_id).trash_id
        place = root / "trash" / trash_id / "attachments"
    (found,) = wrong(open_store())
    assert found.where == str(place / DIGEST)
    assert found.problem == "It is not what it was when it was attached."
    (mended,) = wrong(open_store(), repair=True)
    assert mended.healed
    (aside,) = place.iterdir()
    assert aside.name.startswith(f"{DIGEST}.damaged-")
    assert aside.read_bytes() == b"something else"
    assert aside.name in mended.advice
    (missing,) = wrong(open_store(), repair=True)
    assert missing.where == str(place)
    notes = [each.problem for each in open_store().check() if each.note]
    assert any(aside.name in each for each in notes), "what was kept is told"


def test_contents_that_are_not_there_are_named(
    open_store: Opened, session_id: str, place: Path
) -> None:
    (place / DIGEST).unlink()
    for repair in (False, True):
        (found,) = wrong(open_store(), repair=repair)
        assert found == Finding(
            str(place),
            f"1 attached file that messages name cannot be found: {DIGEST}.",
            "Attaching the same file again brings it back; the messages are whole.",
        )
    open_store().attach(session_id, DATA)
    assert wrong(open_store()) == []


def test_a_folder_that_is_not_there_is_no_worse(open_store: Opened, place: Path) -> None:
    (place / DIGEST).unlink()
    place.rmdir()
    (found,) = wrong(open_store())
    assert "cannot be found" in found.problem


@pytest.mark.parametrize(
    ("left", "there", "done"),
    [
        (DATA, False, "It was whole, and is in its place now."),
        (DATA, True, "It was removed; it held nothing that is not saved."),
        (DATA[:50], True, "It was removed; it held nothing that is not saved."),
        (b"", False, "It was removed; it held nothing that is not saved."),
        (b"\0" * 50, False, "It was removed; it held nothing that is not saved."),
        (DATA[:50], False, "It holds what stands nowhere else and is kept as "),
        (DATA[3:50], True, "It holds what stands nowhere else and is kept as "),
    ],
)
def test_what_a_program_left_that_was_ended_while_it_kept_a_file(
    left: bytes, there: bool, done: str, open_store: Opened, session_id: str, place: Path
) -> None:
    leftover = place / f"{DIGEST}.0123456789ab.tmp"
    leftover.write_bytes(left)
    leftover.chmod(0o600)
    if not there:
        (place / DIGEST).unlink()
    found = [each for each in wrong(open_store()) if each.where == str(leftover)]
    assert len(found) == 1
    (mended,) = [each for each in wrong(open_store(), repair=True) if each.healed]
    assert mended.advice.startswith(done)
    assert not leftover.exists()
    kept = [each.read_bytes() for each in place.glob("*.unfinished-*")]
    assert kept == ([left] if "kept as" in done else [])
    if there or left == DATA:
        assert open_store().attachment(session_id, DIGEST) == DATA
        assert wrong(open_store()) == []


def test_what_is_no_file_and_what_is_not_ours(
    open_store: Opened, place: Path, folder: Path
) -> None:
    os.mkfifo(place / ("0" * 64), 0o600)
    (place / "holiday.jpg").touch(0o600)
    (found,) = wrong(open_store(), repair=True)
    assert (found.where, found.problem) == (str(place / ("0" * 64)), "It is not a file.")
    notes = [each.problem for each in open_store().check() if each.note]
    assert any("attachments/holiday.jpg" in each for each in notes)


def test_a_file_where_the_folder_should_be(open_store: Opened, folder: Path) -> None:
    (folder / "attachments").touch(0o600)
    (found,) = wrong(open_store(), repair=True)
    assert found.problem == "It is a file, not a folder."


def test_rights_are_set_within(open_store: Opened, place: Path) -> None:
    place.chmod(0o755)
    (place / DIGEST).chmod(0o644)
    (found,) = wrong(open_store())
    assert "Others may read or change 2 files and folders" in found.problem
    assert wrong(open_store(), repair=True)[0].healed
    assert ((place / DIGEST).stat().st_mode & 0o777, place.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("more", ["memory", "attachment", "nothing"])
def test_an_interrupted_import_is_removed_only_if_all_of_it_is_there(
    more: str, open_store: Opened, session_id: str, place: Path, folder: Path, root: Path
) -> None:
    aside = Path(folder_.place_aside(str(folder)))
    aside.mkdir(0o700)
    for name in ("messages.json", "session.json", "memory.json"):
        (aside / name).write_bytes((folder / name).read_bytes())
    if more == "memory":
        (aside / "memory.json").write_text('[\n{"text":"nowhere else"}\n]\n')
    if more == "attachment":
        (aside / "attachments").mkdir()
        (aside / "attachments" / ("0" * 64)).write_bytes(b"nowhere else")
    trashed = len(open_store().trash())
    wrong(open_store(), repair=True)
    assert not aside.exists()
    assert len(open_store().trash()) == trashed + (more != "nothing")
