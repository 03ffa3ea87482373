from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pexpect
import pytest

from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.cli.commands import session as command
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.shell.entered import EnteredFile, Entry
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, local_time, new_id, now

Do = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """A stream with a user at the terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def storage() -> Storage:
    return MemoryStorage()


@pytest.fixture
def do(storage: Storage, run: Run) -> Do:
    """Run one action and return what it printed."""

    def do(action: str, out: io.StringIO | None = None, **given: Any) -> str:
        return run(command, asked(action, **given), storage, out=out)[1]

    return do


def asked(action: str, reference: str | None = None, **given: Any) -> dict[str, Any]:
    """What the command is given; to purge without a reference is to purge all."""
    all_ = {"all": True} if action == "purge" and reference is None else {}
    return {action: reference, **all_, **given}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What a user will type."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def throw_away(storage: Storage, name: str, messages: int = 1) -> str:
    session_id = storage.create(name).session_id
    for _ in range(messages):
        storage.append(session_id, Message(new_id(), "user", "Hello", now()))
    storage.delete(session_id)
    return session_id


@pytest.mark.parametrize("action", ["trash", "purge"])
def test_an_empty_trash_is_one_line(do: Do, action: str) -> None:
    assert do(action) == "The trash is empty.\n"


def test_the_trash_is_the_latest_first_with_when_and_how_large(storage: Storage, do: Do) -> None:
    first, second = throw_away(storage, "Garden", 3), throw_away(storage, "Ta\x1bx", 1000)
    heading, latest, earliest = do("trash").splitlines()
    assert heading.split() == ["ID", "Name", "Message", "Count", "Deleted", "Size"]
    when = local_time(storage.trash()[0].deleted_at)
    assert latest == f"{second[:8]}  Ta␛x             1000  {when}  5.0 kB"
    assert earliest.startswith(f"{first[:8]}  Garden              3  ")
    assert earliest.endswith("    15 B")


def test_the_trash_as_json_has_every_field(storage: Storage, do: Do) -> None:
    throw_away(storage, "Garden\u202e")
    (trashed,) = storage.trash()
    shown = do("trash", json=True)
    (row,) = json.loads(shown)
    assert shown.isascii()
    fields = {*trashed.session._fields, "trash_id", "deleted_at", "size"} - {"extra"}
    assert set(row) == fields
    assert (row["trash_id"], row["size"]) == (trashed.trash_id, 5)
    assert datetime.fromisoformat(row["deleted_at"]) == trashed.deleted_at
    assert (row["name"], row["message_count"]) == ("Garden\u202e", 1)
    storage.purge(trashed.trash_id)
    assert json.loads(do("trash", json=True)) == []


def test_a_session_comes_back_and_does_not_become_the_current_one(storage: Storage, do: Do) -> None:
    session_id = throw_away(storage, "Garden", 2)
    storage.set_current(storage.create("Open").session_id)
    assert do("restore", reference="garden") == (
        f"Session {session_id} restored: Garden, 2 messages\n"
        f"agno-shell --session {session_id[:8]} opens it.\n"
    )
    assert storage.open(session_id).message_count == 2
    assert storage.trash() == []
    assert storage.current() != session_id


def test_of_two_deletions_of_one_session_each_can_be_restored(tmp_path: Path, run: Run) -> None:
    storage = JsonStorage(StorageOptions(str(tmp_path)))
    session = storage.create("Garden")
    storage.delete(session.session_id)
    storage.import_session(session._replace(name="Again"), [])
    storage.delete(session.session_id)
    with pytest.raises(SessionNotFoundError) as caught:
        run(command, asked("restore", session.session_id), storage)
    ids = [line.split()[0] for line in caught.value.candidates]
    assert ids == [each.trash_id for each in storage.trash()]
    run(command, asked("restore", ids[1]), storage)
    assert storage.open(session.session_id).name == "Garden"


@pytest.mark.parametrize("action", ["restore", "purge"])
def test_an_unknown_reference_changes_nothing(storage: Storage, do: Do, action: str) -> None:
    throw_away(storage, "Garden")
    with pytest.raises(SessionNotFoundError, match="No deleted session answers to 'Gardn'"):
        do(action, reference="Gardn")
    assert len(storage.trash()) == 1


def test_a_purge_says_what_is_gone(storage: Storage, do: Do) -> None:
    kept, gone = throw_away(storage, "Kept"), throw_away(storage, "Gone", 2)
    assert do("purge", reference="Gone") == (
        f"Purged for good: 'Gone' ({gone[:8]}), 2 messages, 10 B\n"
    )
    assert [each.session.session_id for each in storage.trash()] == [kept]


def test_everything_is_purged(storage: Storage, do: Do) -> None:
    for name in ("a", "b", "c"):
        throw_away(storage, name)
    assert do("purge").count("Purged for good: ") == 3
    assert storage.trash() == []


@pytest.mark.parametrize("typed", ["\n", "n\n", "", "yep\n"])
def test_a_user_is_asked_and_a_no_purges_nothing(
    storage: Storage, do: Do, answer: Callable[[str], None], typed: str
) -> None:
    one = throw_away(storage, "One")
    throw_away(storage, "Two")
    when = local_time(storage.trash()[1].deleted_at)
    answer(typed)
    lines = do("purge", Terminal()).splitlines()
    assert lines[1] == f"  'One' ({one[:8]}), 1 message, 5 B, deleted {when}"
    assert lines[2] == (
        "Delete these 2 sessions for good? There is no way back. [y/N] Nothing was purged."
    )
    assert len(storage.trash()) == 2


@pytest.mark.parametrize("typed", ["y\n", " YES\n"])
def test_a_yes_purges(storage: Storage, do: Do, answer: Callable[[str], None], typed: str) -> None:
    throw_away(storage, "One")
    answer(typed)
    shown = do("purge", Terminal(), reference="One")
    assert "Delete this session for good?" in shown
    assert "Purged for good: 'One'" in shown
    assert storage.trash() == []


def test_what_cannot_be_purged_is_reported_and_the_others_go(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    class Stuck(MemoryStorage):
        def purge(self, trash_id: str) -> None:
            if self._trashed(trash_id)[0].session.name == "Stuck":
                raise StorageError("No permission.", hint="Check the folder.")
            super().purge(trash_id)

    storage, out = Stuck(), io.StringIO()
    for name in ("a", "Stuck", "c"):
        throw_away(storage, name)
    with pytest.raises(
        StorageError, match=r"1 of 3 could not be purged\. No permission\."
    ) as caught:
        run(command, asked("purge"), storage, out=out)
    assert caught.value.hint == "Check the folder."
    assert out.getvalue().count("Purged for good") == 2
    assert [each.session.name for each in storage.trash()] == ["Stuck"]


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "AGNO_SHELL_HOME": str(home), "COLUMNS": "200"}


def test_the_whole_way_on_a_terminal(tmp_path: Path) -> None:
    storage = JsonStorage(StorageOptions(str(tmp_path / "sessions")))
    throw_away(storage, "Garden")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "agno_shell", "session", "--purge", "--all"],
        env=environ(tmp_path),
        encoding="utf-8",
        timeout=20,
    )
    child.expect_exact("for good? There is no way back. [y/N] ")
    assert len(storage.trash()) == 1
    child.sendline("y")
    child.expect_exact("Purged for good: 'Garden'")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert storage.trash() == []


def test_the_whole_way_in_a_script(tmp_path: Path) -> None:
    storage = JsonStorage(StorageOptions(str(tmp_path / "sessions")))
    throw_away(storage, "Garden")
    ran = subprocess.run(
        [sys.executable, "-m", "agno_shell", "session", "--purge", "garden"],
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Purged for good: 'Garden'")
    assert storage.trash() == []


def test_what_was_entered_and_never_sent_is_purged_with_its_session(
    storage: Storage, do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))
    gone, kept = (storage.create(name).session_id for name in ("Gone", "Kept"))
    for session_id in (gone, kept):
        left = EnteredFile(str(tmp_path / "entered"), session_id)
        left.add([Entry("1", "a secret plan", now())])
        left.close()
    storage.delete(gone)
    do("purge", reference="Gone")
    names = [path.name for path in (tmp_path / "entered").iterdir()]
    assert names
    assert all(name.startswith(kept) for name in names)


def test_what_another_session_of_the_same_id_has_entered_stays(
    storage: Storage, do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGNO_SHELL_HOME", str(tmp_path))
    session = storage.create("Twice")
    left = EnteredFile(str(tmp_path / "entered"), session.session_id)
    left.add([Entry("1", "still wanted", now())])
    left.close()
    storage.delete(session.session_id)
    storage.import_session(session, [])
    do("purge", reference="Twice")
    assert list((tmp_path / "entered").iterdir())
