from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from agno_shell.cli import output
from agno_shell.cli.commands import session as command
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, new_id, now

Do = Callable[..., str]


@pytest.fixture
def storage() -> Storage:
    return MemoryStorage()


@pytest.fixture
def do(storage: Storage, run: Callable[..., tuple[int, str, str]]) -> Do:
    """Run one action and return what it printed."""

    def do(action: str, reference: str = "", **given: Any) -> str:
        if action == "create":
            reference = given.pop("name")
        status, out, err = run(command, {action: reference, **given}, storage)
        assert (status, err) == (0, "")
        return out

    return do


def say(storage: Storage, session_id: str) -> None:
    storage.append(session_id, Message(new_id(), "user", "Hello", now()))


def test_a_created_session_is_confirmed_and_becomes_the_current_one(
    storage: Storage, do: Do
) -> None:
    storage.set_current(storage.create("Before").session_id)
    shown = do("create", name="Tax  questions\n", description="2026")
    (created,) = [s for s in storage.sessions() if s.name != "Before"]
    assert shown == (
        f"Created session 'Tax questions' with ID: {created.session_id}\n"
        f"Set current session to: Tax questions ({created.session_id})\n"
    )
    assert (created.name, created.description) == ("Tax questions", "2026")
    assert storage.current() == created.session_id


@pytest.mark.parametrize("name", ["", " "])
def test_a_session_without_a_name_is_called_after_the_time(
    storage: Storage, do: Do, name: str
) -> None:
    do("create", name=name)
    (created,) = storage.sessions()
    named = datetime.strptime(created.name, "Session %Y-%m-%d %H:%M").astimezone()
    assert abs((named - now()).total_seconds()) < 120


def test_the_current_session_is_set_by_any_reference(storage: Storage, do: Do) -> None:
    first, second = storage.create("First"), storage.create("Second")
    assert do("set", reference="First") == f"Set current session to: First ({first.session_id})\n"
    assert storage.current() == first.session_id
    do("set", reference=second.session_id[:13])
    assert storage.current() == second.session_id


@pytest.mark.parametrize(
    ("changes", "confirmation"),
    [
        ({"name": "New\tname"}, "name changed to New name"),
        ({"description": "For\n2026"}, "description changed to For 2026"),
        ({"description": ""}, "description removed"),
        ({"name": "N", "description": "D"}, "name changed to N, description changed to D"),
    ],
)
def test_an_update_is_confirmed(
    storage: Storage, do: Do, changes: dict[str, str], confirmation: str
) -> None:
    before = storage.create("Old", "about")
    shown = do("update", reference="Old", **changes)
    assert shown == f"Session {before.session_id} updated: {confirmation}\n"
    after = storage.open(before.session_id)
    assert after.name == " ".join(changes.get("name", "Old").split())
    assert after.description == changes.get("description", "about")


@pytest.mark.parametrize("action", ["create", "update"])
def test_a_name_is_not_too_long_and_nothing_happens(storage: Storage, do: Do, action: str) -> None:
    storage.create("Old")
    with pytest.raises(UsageError, match="200 characters; this one has 201"):
        do(action, name="x" * 201, reference="Old")
    assert [s.name for s in storage.sessions()] == ["Old"]


def test_a_name_cannot_be_taken_away(storage: Storage, do: Do) -> None:
    storage.create("Old")
    with pytest.raises(UsageError, match="cannot be empty"):
        do("update", reference="Old", name=" \n")


def test_a_deletion_says_which_session_is_current_now(storage: Storage, do: Do) -> None:
    first, second, third = (storage.create(name) for name in ("First", "Second", "Third"))
    for session in (first, third, second):
        say(storage, session.session_id)
    storage.set_current(second.session_id)
    assert do("delete", reference="Second") == (
        f"Session {second.session_id} deleted\nCurrent session: Third ({third.session_id})\n"
    )
    assert do("delete", reference="First").endswith(
        f"Current session: Third ({third.session_id})\n"
    )
    assert do("delete", reference="Third") == (
        f"Session {third.session_id} deleted\nNo session is current now\n"
    )
    assert len(storage.trash()) == 3


@pytest.mark.parametrize("action", ["set", "update", "delete"])
def test_an_unknown_reference_changes_nothing(storage: Storage, do: Do, action: str) -> None:
    storage.create("Tax")
    with pytest.raises(SessionNotFoundError) as caught:
        do(action, reference="Taxx", **({"name": "N"} if action == "update" else {}))
    assert "Tax" in caught.value.candidates[0]
    assert [s.name for s in storage.sessions()] == ["Tax"]


def test_an_empty_store_is_one_helpful_line(do: Do) -> None:
    assert do("list") == (
        "There are no sessions yet. Begin one with agno-shell, or with "
        "agno-shell session --create NAME.\n"
    )
    assert json.loads(do("list", json=True)) == []


def test_the_list_is_newest_first_with_the_current_one_marked(storage: Storage, do: Do) -> None:
    old = storage.create("Old one", "the first")
    new = storage.create("New")
    say(storage, new.session_id)
    say(storage, old.session_id)
    say(storage, old.session_id)
    storage.set_current(new.session_id)
    heading, first, second = do("list").splitlines()
    titles = ["ID", "Name", "Message", "Count", "Last", "Updated", "Description"]
    assert heading.split() == titles
    updated = f"{storage.open(old.session_id).updated_at.astimezone():%Y-%m-%d %H:%M}"
    assert first == f"   {old.session_id[:8]}  Old one              2  {updated}  the first"
    assert second.startswith(f"*  {new.session_id[:8]}  New                  1  ")


def test_foreign_names_cannot_act_on_the_terminal(storage: Storage, do: Do) -> None:
    storage.create("a\x1b[2J\nb\u202e", "c\x9b")
    shown = do("list")
    assert "a␛[2J b‹U+202E›" in shown
    assert "c‹U+009B›" in shown
    assert shown.count("\n") == 2
    assert do("list", json=True).isascii()


def test_the_list_fits_the_terminal(
    storage: Storage, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.create("A name of some length", "a description that goes on and on " * 5)
    monkeypatch.setattr(output, "terminal_width", lambda _out: 80)
    lines = do("list").splitlines()
    assert max(map(len, lines)) == 80
    assert lines[1].endswith("…")
    assert "A name of some length" in lines[1]


def test_json_has_every_field(storage: Storage, do: Do) -> None:
    created = storage.create("Tax", "about", model="m", agent="a")
    storage.update(created.session_id, tags=("x",), pinned=("y",))
    storage.set_current(created.session_id)
    storage.create("Other")
    rows = {row["name"]: row for row in json.loads(do("list", json=True))}
    row, session = rows["Tax"], storage.open(created.session_id)
    assert set(row) == {*session._fields, "current"} - {"extra"}
    assert row["current"] is True
    assert rows["Other"]["current"] is False
    assert datetime.fromisoformat(row["updated_at"]) == session.updated_at
    assert datetime.fromisoformat(row["created_at"]).tzinfo == UTC
    assert (row["tags"], row["pinned"], row["model"], row["agent"]) == (["x"], ["y"], "m", "a")


def test_the_whole_way_of_session_list_imports_nothing_slow(tmp_path: Path) -> None:
    environ = {**os.environ, "AGNO_SHELL_HOME": str(tmp_path)}
    create = [sys.executable, "-m", "agno_shell", "session", "--create", "Tax"]
    created = subprocess.run(create, env=environ, capture_output=True, text=True)
    assert created.stdout.startswith("Created session 'Tax' with ID: "), created.stderr
    listing = [sys.executable, "-X", "importtime", "-m", "agno_shell", "session", "--list"]
    listed = subprocess.run(listing, env=environ, capture_output=True, text=True)
    assert "*  " in listed.stdout, listed.stderr
    imported = {line.rpartition("|")[2].strip() for line in listed.stderr.splitlines()}
    assert "agno_shell.cli.commands.session" in imported
    slow = "asyncio dataclasses inspect logging pluggy uuid platformdirs filelock tomllib wcwidth"
    assert not imported & set(slow.split())


@pytest.mark.parametrize(
    "given",
    [
        "  blanks  around ",
        "two\u00a0 blanks",
        "Cafe\u0301 (NFD)",
        "Caf\u00e9 (NFC)",
        "a\nb",
        "1234",
    ],
)
def test_what_a_session_was_created_with_is_what_sets_it(
    given: str, do: Do, storage: Storage
) -> None:
    do("create", name=given)
    created = storage.current()
    for typed in (given, normalize("NFD", given), normalize("NFC", given)):
        do("create", name="in between")
        do("set", reference=typed)
        assert storage.current() == created


def test_a_configuration_that_others_can_change_is_not_used_without_a_word(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir(0o700)
    config = home / "config.toml"
    config.touch()
    environ = {**os.environ, "AGNO_SHELL_HOME": str(home)}
    errors = []
    for mode in (0o600, 0o606):
        config.chmod(mode)
        command = [sys.executable, "-m", "agno_shell", "session", "--list"]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        errors.append(done.stderr.splitlines())
    nothing, (line,) = errors
    assert nothing == []
    assert line.startswith(f"agno-shell: Others may change {config}")
