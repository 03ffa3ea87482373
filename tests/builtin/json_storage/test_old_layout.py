"""The folder of agno-cli, whose sessions are opened as they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import folder
from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import say
from agno_shell.types import Session

SAMPLE = Path(__file__).parents[2] / "data" / "agno_cli_sessions"
PYTHON = "3f2b8c1e-5a47-4d0e-9c3b-7e6f1a2d4b58"
FINANCE = "a81c0d94-27f3-4be6-8f15-0c9d3e7b6a21"
EMPTY = "d4e7f9a2-6b13-4c58-a0d7-92e1b8c35f60"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture(autouse=True)
def old(root: Path) -> None:
    shutil.copytree(SAMPLE, root)


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_it_opens_as_it_is_and_reading_changes_nothing(root: Path, store: Storage) -> None:
    before = files(root)
    assert [(each.session_id, each.name, each.message_count) for each in store.sessions()] == [
        (FINANCE, "Finance", 2),
        (EMPTY, "Session 2025-07-19 16:05", 0),
        (PYTHON, "Python questions", 4),
    ]
    assert store.current() == FINANCE
    session = store.open(PYTHON)
    assert session.description == "Small things about the language"
    assert session.created_at == local("2025-07-18T09:11:50.104467")
    assert session.updated_at == local("2025-07-18T09:13:33.745901")
    assert store.open(EMPTY).description == ""
    assert store.messages(EMPTY) == []
    assert files(root) == before


def test_its_messages_are_a_chain(store: Storage) -> None:
    said = store.messages(PYTHON)
    assert [each.role for each in said] == ["user", "assistant", "user", "assistant"]
    assert said[2].content == "And a string? Grüße 🙂"
    assert said[0].created_at == local("2025-07-18T09:12:04.512334")
    assert [each.parent for each in said] == [None, *(each.id for each in said[:-1])]
    assert len({each.id for each in said}) == 4
    assert store.messages(PYTHON) == said == store.tree(PYTHON)
    assert store.messages(PYTHON, last=3) == said[-3:]
    assert all(each.extra == {} for each in said)


def test_a_wrong_count_in_its_index_is_not_believed(root: Path, store: Storage) -> None:
    path = root / "sessions.json"
    path.write_text(path.read_text().replace('"message_count": 4', '"message_count": 40'))
    assert store.open(PYTHON).message_count == 4
    assert store.sessions()[2].message_count == 4


def test_the_first_message_lays_the_file_anew_and_keeps_the_old_one(
    root: Path, open_store: Callable[[], Storage], notices: list[str]
) -> None:
    store = open_store()
    before = store.messages(PYTHON)
    originals = files(root)
    said = [*before, *say(store, PYTHON, "Thanks", "You are welcome")]
    again = open_store()
    assert again.messages(PYTHON) == said == again.tree(PYTHON)
    assert again.open(PYTHON).message_count == 6
    assert again.open(PYTHON).name == "Python questions"
    assert json.loads((root / PYTHON / "session.json").read_bytes())["name"] == "Python questions"
    (messages,) = (root / PYTHON).glob("messages.json.before-*")
    (index,) = root.glob("sessions.json.before-*")
    assert messages.read_bytes() == originals[f"{PYTHON}/messages.json"]
    assert index.read_bytes() == originals["sessions.json"]
    assert sorted(str(path) in "\n".join(notices) for path in (messages, index)) == [True, True]
    assert len(notices) == 2
    now = files(root)
    for untouched in (
        f"{FINANCE}/messages.json",
        f"{EMPTY}/messages.json",
        f"{PYTHON}/memory.json",
    ):
        assert now[untouched] == originals[untouched]


def test_afterwards_even_a_lost_index_costs_nothing(
    root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    say(store, FINANCE, "more")
    before = [(each.session_id, each.name, each.message_count) for each in store.sessions()]
    (root / "sessions.json").unlink()
    found = [(each.session_id, each.name, each.message_count) for each in open_store().sessions()]
    assert found == before


def test_the_current_session_survives_the_new_index(
    root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    say(store, PYTHON, "x")
    assert open_store().current() == FINANCE
    store.set_current(EMPTY)
    assert open_store().current() == EMPTY


def test_setting_the_current_session_first(
    root: Path, open_store: Callable[[], Storage], notices: list[str]
) -> None:
    store = open_store()
    before = files(root)
    store.set_current(PYTHON)
    now = files(root)
    name = "sessions.json"
    assert now.pop(name) == before.pop(name).replace(FINANCE.encode(), PYTHON.encode(), 1)
    assert {path: data for path, data in now.items() if ".locks" not in path} == before
    assert notices == [], "nothing is laid out anew before something is said"
    assert store.current() == PYTHON
    assert [each.message_count for each in open_store().sessions()] == [2, 0, 4]


def test_delete_and_restore(open_store: Callable[[], Storage]) -> None:
    store = open_store()
    before = store.open(PYTHON)
    said = store.messages(PYTHON)
    trashed = store.delete(PYTHON)
    assert trashed.session == before
    restored = open_store().restore(trashed.trash_id)
    assert (restored.name, restored.message_count) == (before.name, 4)
    assert store.messages(PYTHON) == said


def test_an_index_that_cannot_be_laid_anew_is_not_copied_again_and_again(
    root: Path, store: Storage, notices: list[str], faults: Any
) -> None:
    say(store, PYTHON, "so that its messages are in the new layout")
    (root / "sessions.json").write_bytes((SAMPLE / "sessions.json").read_bytes())
    for copy in root.glob("sessions.json.before-*"):
        copy.unlink()
    notices.clear()
    faults.fail(OSError(28, "full"), only="replace")
    for _ in range(3):
        say(store, PYTHON, "x")
    assert list(root.glob("sessions.json.*")) == []
    assert ["could not be brought up to date" in line for line in notices] == [True]
    faults.heal()
    say(store, PYTHON, "x")
    (copy,) = root.glob("sessions.json.before-*")
    assert copy.read_bytes() == (SAMPLE / "sessions.json").read_bytes()
    assert {each.name for each in store.sessions()} >= {"Finance", "Python questions"}


# What is left for later ---------------------------------------------------------------------


def summary(store: Storage) -> list[tuple[str, str, int, datetime]]:
    return [
        (each.name, each.description, each.message_count, each.created_at)
        for each in store.sessions()
    ]


def lose_the_list(root: Path, *, with_copies: bool) -> None:
    (root / "sessions.json").unlink()
    for copy in root.glob("sessions.json.before-*") if with_copies else ():
        copy.unlink()


def test_the_first_message_writes_its_own_session_and_the_list(root: Path, store: Storage) -> None:
    before = files(root)
    say(store, PYTHON, "Thanks")
    now = {path: data for path, data in files(root).items() if ".locks" not in path}
    changed = {path for path, data in now.items() if before.get(path) != data}
    written = {path for path in changed if ".before-" not in path}
    assert written == {"sessions.json", f"{PYTHON}/messages.json", f"{PYTHON}/session.json"}


def test_the_others_get_their_records_in_the_background(
    root: Path, open_store: Callable[[], Storage]
) -> None:
    store = open_store()
    before = files(root)
    list(store.mend())
    assert files(root) == before, "nothing was said"
    say(store, PYTHON, "Thanks")
    told = summary(store)
    list(open_store().mend())
    for each in (FINANCE, EMPTY):
        assert (root / each / "session.json").exists()
        assert files(root)[f"{each}/messages.json"] == before[f"{each}/messages.json"]
    listed = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert [each["messages_size"] > 0 for each in listed] == [True] * 3
    now = files(root)
    list(open_store().mend())
    assert files(root) == now
    lose_the_list(root, with_copies=True)
    assert summary(open_store()) == told


def test_what_is_said_in_the_background_work_counts(
    root: Path, open_store: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    say(store, PYTHON, "Thanks")
    make_record = folder.make_record

    def said_meanwhile(path: str, session: Session) -> None:
        make_record(path, session)
        if path.endswith(FINANCE):
            say(store, FINANCE, "one", "two", "three")

    monkeypatch.setattr(folder, "make_record", said_meanwhile)
    list(open_store().mend())
    monkeypatch.undo()
    assert {each.name: each.message_count for each in open_store().sessions()}["Finance"] == 5
    listed = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert {each["name"]: each["message_count"] for each in listed}["Finance"] == 5


@pytest.mark.parametrize("repaired", [False, True])
def test_a_list_that_is_lost_before_that_costs_no_name(
    repaired: bool, root: Path, open_store: Callable[[], Storage]
) -> None:
    say(open_store(), PYTHON, "Thanks")
    told = summary(open_store())
    lose_the_list(root, with_copies=False)
    if repaired:
        list(open_store().check(repair=True))
        lose_the_list(root, with_copies=True)
    assert summary(open_store()) == told
    assert open_store().open(FINANCE).name == "Finance"
    say(open_store(), FINANCE, "more")
    assert json.loads((root / FINANCE / "session.json").read_bytes())["name"] == "Finance"
