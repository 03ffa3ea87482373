"""The whole of a store, while other shells work in it and the disk fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import locks
from agno_shell.builtin.json_storage.check import session
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


def test_a_session_that_is_in_use_is_left_alone(
    held: Lock, root: Path, session_id: str, folder: Path, open_store: Opened
) -> None:
    other = next(each.session_id for each in open_store().sessions() if each.name == "bystander")
    for damaged in (folder, root / other):
        (damaged / "messages.json").write_bytes(b"[")
    with held(session_id):
        found = {each.where: each for each in check(open_store(), repair=True)}
    in_use = found[str(folder / "messages.json")]
    assert is_wrong(in_use)
    assert "in use" in in_use.advice
    assert (folder / "messages.json").read_bytes() == b"["
    assert found[str(root / other / "messages.json")].healed, "the others are mended"


def test_what_is_mended_is_read_again_under_the_lock(
    session_id: str, folder: Path, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and mending another shell has put the file right."""
    path = folder / "messages.json"
    sound = path.read_bytes()
    path.write_bytes(sound[:-10])
    lock = locks.Locks.session

    def put_right(self: locks.Locks, name: str) -> Any:
        path.write_bytes(sound)
        return lock(self, name)

    monkeypatch.setattr(locks.Locks, "session", put_right)
    found = check(open_store(), repair=True)
    assert str(path) not in [each.where for each in found]
    assert path.read_bytes() == sound
    assert list(folder.glob("*.before-*")) == []


@pytest.mark.parametrize("repaired_before_append", [1, 3])
def test_a_shell_that_has_the_session_open_goes_on(
    repaired_before_append: int, session_id: str, folder: Path, open_store: Opened
) -> None:
    writer, doctor = open_store(), open_store()
    said = writer.messages(session_id)
    said += say(writer, session_id, "d")
    for number in range(repaired_before_append):
        rewrite(folder / "messages.json", list, indent=number)
        assert [each for each in check(doctor, repair=True) if is_wrong(each)] == []
        said += say(writer, session_id, f"after {number}")
    contents = [each.content for each in open_store().tree(session_id)]
    assert contents == [each.content for each in said]
    assert check(open_store()) == [] or all(each.note for each in check(open_store()))
    assert writer.open(session_id).message_count == len(said)


def test_a_session_that_is_deleted_meanwhile_is_no_finding(
    session_id: str, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_store()
    look = session.look
    gone = iter([lambda: other.delete(session_id)])

    def look_late(path: str, ident: str, *known: Any) -> Any:
        if ident == session_id:
            next(gone, lambda: None)()
        return look(path, ident, *known)

    monkeypatch.setattr(session, "look", look_late)
    assert check(open_store(), repair=True) == []


def test_closing_ends_the_look(root: Path, session_id: str, open_store: Opened) -> None:
    kept = open_store()
    for path in root.glob("*-*"):
        (path / "messages.json").write_bytes(b"[")
    findings = kept.check()
    assert "damaged" in next(findings).problem
    kept.close()
    assert [each for each in findings if "damaged" in each.problem] == []


def test_the_storage_is_usable_in_the_middle_of_a_look(session_id: str, open_store: Opened) -> None:
    """No lock is held between two findings."""
    kept = open_store()
    (folder_of(kept, session_id) / "messages.json").write_bytes(b"")
    for _finding in kept.check(repair=True):
        say(open_store(), session_id, "x")


def folder_of(kept: Storage, session_id: str) -> Path:
    return Path(kept._root) / session_id


def test_a_disk_without_locks_is_named(
    session_id: str, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_lock(_fd: int, *, blocking: bool) -> bool:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks, "lock_descriptor", no_lock)
    (found,) = wrong(open_store())
    assert "knows no locks" in found.problem


@pytest.fixture
def sick(root: Path, folder: Path) -> Path:
    """A store with something of everything that can be mended."""
    for path in root.rglob("messages.json"):
        rewrite(path, lambda raw: [{**each, "content": f"said {each['content']}"} for each in raw])
    path = folder / "messages.json"
    path.write_bytes(path.read_bytes()[:-30] + b'{"content": "said torn')
    rewrite(
        folder / "session.json", lambda raw: {**raw, "description": "said before", "pinned": [1]}
    )
    temporary = folder / "messages.json.0123456789ab.tmp"
    temporary.write_bytes(b'[\n{"content":"said in flight"}\n')
    (folder / "session.json.0123456789ab.tmp").write_bytes(b'{\n  "name": "said half')
    (root / "sessions.json.0123456789ab.tmp").write_bytes(b"{")
    (root / "sessions.json").write_bytes(b"{")
    return root


def words(root: Path) -> set[str]:
    """Every word that stands anywhere in a store, also in what is kept of damaged files."""
    return {
        word
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
        for word in path.read_bytes().decode("utf-8", "replace").split('"')
        if word.startswith("said ")
    }


def test_no_word_is_lost_and_nothing_is_found_the_second_time(
    looks: Looks, sick: Path, open_store: Opened
) -> None:
    before = words(sick)
    assert len(before) >= 7
    sick.chmod(0o755)  # whatever the umask
    found = check(open_store(), repair=True)
    assert [each for each in found if is_wrong(each)] == []
    assert sum(each.healed for each in found) >= 7
    assert words(sick) >= before
    after = looks(sick)
    assert [each for each in check(open_store(), repair=True) if not each.note] == []
    assert looks(sick) == after


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize(
    "step", [9, pytest.param(1, marks=pytest.mark.slow)], ids=["a sample", "all"]
)
def test_a_disk_that_fails_at_any_call_loses_no_word(
    step: int, lasting: bool, sick: Path, tmp_path: Path, open_store: Opened, faults: Any
) -> None:

    before = words(sick)
    shutil.copytree(sick, tmp_path / "again")
    for number in range(1, 400, step):
        faults.fail(OSError(28, "No space left on device"), at=number, lasting=lasting)
        check(open_store(), repair=True)
        failed = len(faults.calls) >= number
        faults.heal()
        assert words(sick) >= before, f"call {number}"
        check(open_store(), repair=True)
        assert [each for each in check(open_store()) if is_wrong(each)] == [], f"call {number}"
        shutil.rmtree(sick)
        shutil.copytree(tmp_path / "again", sick)
        if not failed:
            break
    assert 20 < number < 399


def test_a_store_that_cannot_be_read_at_all_is_one_finding(root: Path, open_store: Opened) -> None:
    root.write_bytes(b"")
    (found,) = check(open_store(), repair=True)
    assert "no folder" in found.problem
