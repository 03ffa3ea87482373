"""A folder that agno-cli uses as well, and one that is another program's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage import index_line, session_writer
from agno_shell.builtin.json_storage.folder import Entry
from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.toolkit.findings import is_wrong
from agno_shell.types import new_id, new_session

Opened = Callable[[], Storage]


class TheirManager:
    """What agno-cli does with a folder of sessions: an entry in the list and an empty folder
    for each, local times without an offset, sorted as they are read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "sessions.json"
        self.current: str | None = None
        self.sessions: dict[str, dict[str, Any]] = {}
        root.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            raw = json.loads(self.path.read_text())
            for each in raw.get("sessions", []):
                times = {key: datetime.fromisoformat(each[key]) for key in TIMES}
                count, words = each.get("message_count", 0), each.get("description", "")
                known = {"session_id": each["session_id"], "name": each["name"], **times}
                self.sessions[each["session_id"]] = known | {
                    "message_count": count,
                    "description": words,
                }
            self.current = raw.get("current_session_id")

    def create(self, name: str, description: str = "") -> str:
        session_id, moment = new_id(), datetime.now()
        self.sessions[session_id] = {
            "session_id": session_id,
            "name": name,
            "created_at": moment,
            "updated_at": moment,
            "message_count": 0,
            "description": description,
        }
        self.current = session_id
        self.save()
        (self.root / session_id).mkdir(mode=0o755)
        return session_id

    def say(self, session_id: str) -> None:
        self.sessions[session_id]["message_count"] += 1
        self.sessions[session_id]["updated_at"] = datetime.now()
        self.save()

    def save(self) -> None:
        listed = [
            each | {key: each[key].isoformat() for key in TIMES} for each in self.sessions.values()
        ]
        raw = {"current_session_id": self.current, "sessions": listed}
        self.path.write_text(json.dumps(raw, indent=2))

    def names(self) -> list[str]:
        """The newest first; comparing a time with an offset to one without is an error."""
        found = sorted(self.sessions.values(), key=lambda each: each["updated_at"], reverse=True)
        return [each["name"] for each in found]


TIMES = ("created_at", "updated_at")


@pytest.fixture
def theirs(root: Path) -> Path:
    """Three sessions of which nothing but the list knows the names."""
    manager = TheirManager(root)
    for name in ("Alpha", "Beta", "Gamma"):
        manager.create(name, f"about {name}")
    for _ in range(5):
        manager.say(next(iter(manager.sessions)))
    return root


@pytest.fixture(params=["Europe/Berlin", "UTC", "America/St_Johns"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def summary(kept: Storage) -> dict[str, tuple[str, int]]:
    return {each.name: (each.description, each.message_count) for each in kept.sessions()}


ALL = {"Alpha": ("about Alpha", 5), "Beta": ("about Beta", 0), "Gamma": ("about Gamma", 0)}


def test_a_check_finds_nothing_wrong_and_a_repair_keeps_every_session(
    theirs: Path, open_store: Opened
) -> None:
    listed = (theirs / "sessions.json").read_bytes()
    modes = {path: path.stat().st_mode for path in theirs.rglob("*")}
    assert [each for each in open_store().check() if is_wrong(each)] == []
    found = list(open_store().check(repair=True))
    assert [each for each in found if is_wrong(each)] == []
    assert summary(open_store()) == ALL
    records = [json.loads(path.read_bytes()) for path in theirs.glob("*/session.json")]
    assert {each["name"]: each["description"] for each in records} == {
        name: words for name, (words, _count) in ALL.items()
    }
    assert (theirs / "sessions.json").read_bytes() == listed
    assert {path: path.stat().st_mode for path in modes} == modes
    assert [each for each in open_store().check(repair=True) if each.healed] == []
    assert TheirManager(theirs).names() == ["Alpha", "Gamma", "Beta"]


@pytest.mark.usefixtures("zone")
def test_both_programs_list_what_each_of_them_has_made(theirs: Path, open_store: Opened) -> None:
    ident = {each.name: each.session_id for each in open_store().sessions()}
    say(open_store(), ident["Beta"], "hello", "hi")
    assert TheirManager(theirs).names() == ["Beta", "Alpha", "Gamma"]
    open_store().create("Ours")
    manager = TheirManager(theirs)
    manager.create("Delta")
    manager.say(ident["Gamma"])
    assert TheirManager(theirs).names() == ["Gamma", "Delta", "Ours", "Beta", "Alpha"]
    said = open_store()
    say(said, ident["Alpha"], "more")
    say(said, ident["Alpha"], "in place")
    assert TheirManager(theirs).names() == ["Alpha", "Gamma", "Delta", "Ours", "Beta"]
    assert [each.name for each in open_store().sessions()] == TheirManager(theirs).names()
    assert [each for each in open_store().check() if is_wrong(each)] == []
    raw = json.loads((theirs / "sessions.json").read_bytes())["sessions"]
    assert {datetime.fromisoformat(each[key]).tzinfo for each in raw for key in TIMES} == {None}


def test_their_list_is_kept_once_and_again_where_it_says_more(
    theirs: Path, open_store: Opened, notices: list[str]
) -> None:
    ident = {each.name: each.session_id for each in open_store().sessions()}
    for number in range(3):
        say(open_store(), ident["Beta"], f"number {number}")
        TheirManager(theirs).say(ident["Gamma"])
    assert len(list(theirs.glob("sessions.json.before-*"))) == len(notices) == 1
    manager = TheirManager(theirs)
    manager.sessions[ident["Beta"]]["name"] = "called otherwise"
    manager.save()
    say(open_store(), ident["Alpha"], "more")
    assert len(list(theirs.glob("sessions.json.before-*"))) == len(notices) == 2
    kept = b"".join(path.read_bytes() for path in theirs.glob("sessions.json.before-*"))
    assert b"called otherwise" in kept


def test_another_name_in_their_list_is_kept_where_a_record_says_otherwise(
    theirs: Path, open_store: Opened
) -> None:
    ident = {each.name: each.session_id for each in open_store().sessions()}
    say(open_store(), ident["Beta"], "hello")
    manager = TheirManager(theirs)
    manager.sessions[ident["Beta"]]["name"] = "called otherwise"
    manager.save()
    say(open_store(), ident["Gamma"], "more")
    assert summary(open_store())["Beta"] == ("about Beta", 1)
    kept = b"".join(path.read_bytes() for path in theirs.glob("sessions.json*"))
    assert b"called otherwise" in kept
    list(open_store().mend())
    kept = b"".join(path.read_bytes() for path in theirs.glob("sessions.json*"))
    assert b"called otherwise" in kept
    assert [each for each in open_store().check() if is_wrong(each)] == []


def test_a_folder_of_our_own_has_times_with_an_offset(root: Path, open_store: Opened) -> None:
    kept = open_store()
    say(kept, kept.create("ours").session_id, "x")
    (raw,) = json.loads((root / "sessions.json").read_bytes())["sessions"]
    assert {datetime.fromisoformat(raw[key]).tzinfo for key in TIMES} == {UTC}


def test_a_time_does_not_go_back_in_the_hour_that_comes_twice(
    theirs: Path, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    # 02:50 for the first time, and 02:10 for the second time, twenty minutes later.
    moments = [datetime(2030, 10, 27, 0, 50, tzinfo=UTC), datetime(2030, 10, 27, 1, 10, tzinfo=UTC)]
    kept = open_store()
    ident = kept.sessions()[0].session_id
    written = []
    for moment in moments:
        monkeypatch.setattr(session_writer, "now", lambda moment=moment: moment)
        kept.append(ident, message("x", None)._replace(created_at=moment))
        (raw,) = [
            each
            for each in json.loads((theirs / "sessions.json").read_bytes())["sessions"]
            if each["session_id"] == ident
        ]
        written.append(raw["updated_at"])
    assert written == sorted(written)
    assert [each for each in open_store().check() if is_wrong(each)] == []
    monkeypatch.undo()
    time.tzset()


def test_a_session_only_in_their_list_gets_its_folder_when_the_list_is_laid_anew(
    theirs: Path, open_store: Opened
) -> None:
    """That program was ended before it made the folder."""
    ident = {each.name: each.session_id for each in open_store().sessions()}
    (theirs / ident["Gamma"]).rmdir()
    say(open_store(), ident["Beta"], "hello")
    assert summary(open_store())["Gamma"] == ("about Gamma", 0)


def test_a_session_that_was_deleted_here_does_not_come_back(
    theirs: Path, open_store: Opened
) -> None:
    ident = {each.name: each.session_id for each in open_store().sessions()}
    open_store().delete(ident["Gamma"])
    assert "Gamma" not in summary(open_store())
    assert TheirManager(theirs).names() == ["Alpha", "Beta"]


@pytest.mark.parametrize("cut", [1, 100, 210, 215, 300, 500])
def test_names_in_their_damaged_list_are_still_known(
    cut: int, theirs: Path, open_store: Opened
) -> None:
    path = theirs / "sessions.json"
    path.write_bytes(path.read_bytes()[:-cut])
    readable = {name for name in ALL if f'"name": "{name}"' in path.read_text()}
    assert {each.name for each in open_store().sessions()} == readable != set()
    folders = {each.name for each in theirs.iterdir() if each.is_dir()}
    for _ in range(2):
        list(open_store().check(repair=True))
    assert {each.name for each in open_store().sessions()} == readable
    assert {each.name for each in theirs.iterdir()} >= folders, "nobody knows what they were"


# Not a list of sessions ------------------------------------------------------------------

FOREIGN: dict[str, Any] = {
    "texts": ["one", "two"],
    "a list of chats": [{"sessionId": "x", "title": "A", "dateCreated": "1"}],
    "chats": {"version": 2, "chats": [{"id": 1, "title": "A"}]},
    "sessions of another kind": {"sessions": [{"id": "1", "title": "A"}], "version": 1},
    "an object of sessions": {"sessions": {"a": {"name": "A"}}},
    "ids that are none": {"current_session_id": "a", "sessions": [{"session_id": "a"}]},
    "nothing in a list": [],
    "nothing": {},
    "a text": "hello",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_the_list_of_another_program_is_refused_and_never_replaced(
    name: str, root: Path, open_store: Opened
) -> None:
    root.mkdir(mode=0o755)
    path = root / "sessions.json"
    path.write_text(json.dumps(FOREIGN[name], indent=1))
    path.chmod(0o644)
    (root / new_id()).mkdir()
    (root / "notes.txt").write_text("theirs")
    before = look(root)
    session = new_session("from elsewhere")
    for call in (
        lambda kept: kept.sessions(),
        lambda kept: kept.current(),
        lambda kept: kept.create("ours"),
        lambda kept: kept.import_session(session, []),
    ):
        with pytest.raises(StorageError) as error:
            call(open_store())  # type: ignore[no-untyped-call]
        assert str(path) in str(error.value)
        assert "another program" in str(error.value)
        assert "[storage] path" in error.value.hint
    for repair in (False, True):
        (found,) = open_store().check(repair=repair)
        assert is_wrong(found)
        assert "another program" in found.problem
    assert look(root) == before


def look(root: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [root, *root.rglob("*")]
    }


def test_what_is_said_is_saved_although_the_list_became_another_programs(
    root: Path, open_store: Opened, notices: list[str]
) -> None:
    kept = open_store()
    ident = kept.create("ours").session_id
    os.rename(root / ident / "session.json", root / ident / "session.jsonx")
    (root / "sessions.json").write_text('{"chats": []}')
    say(kept, ident, "still saved")
    assert b"still saved" in (root / ident / "messages.json").read_bytes()


@pytest.mark.parametrize("damage", [b"[]", b"{}", b'{"chats": []}'])
def test_in_a_folder_of_our_own_it_is_damage(damage: bytes, root: Path, open_store: Opened) -> None:
    kept = open_store()
    say(kept, kept.create("ours").session_id, "x")
    (root / "sessions.json").write_bytes(damage)
    assert [each.name for each in open_store().sessions()] == ["ours"]
    open_store().create("another")
    assert {each.name for each in open_store().sessions()} == {"ours", "another"}
    (copy,) = root.glob("sessions.json.before-*")
    assert copy.read_bytes() == damage


# Sessions that do not say when ------------------------------------------------------------


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("has_messages", [True, False])
def test_a_session_without_times_takes_those_of_its_files(
    listed: bool, has_messages: bool, root: Path, open_store: Opened
) -> None:
    ident = new_id()
    folder = root / ident
    folder.mkdir(parents=True)
    if has_messages:
        (folder / "messages.json").write_text('[{"role": "user", "content": "hello"}]')
    else:
        (folder / "memory.json").write_text("[]")
    entry = {"session_id": ident, "name": "N"}
    if listed:
        (root / "sessions.json").write_text(
            json.dumps({"current_session_id": None, "sessions": [entry]})
        )
    moment = datetime(2020, 5, 4, 3, 2, 1, tzinfo=UTC)
    for path in (*folder.iterdir(), folder):
        os.utime(path, (moment.timestamp(), moment.timestamp()))
    for _ in range(2):
        (session,) = open_store().sessions()
        assert session.created_at == session.updated_at == moment
        assert open_store().open(ident).created_at == moment
    assert [each.created_at for each in open_store().messages(ident)] == [moment] * has_messages
    assert session.name == ("N" if listed else session.name)
    assert "1970" not in session.name
    say(open_store(), ident, "now")
    assert open_store().open(ident).created_at == moment
    assert open_store().sessions()[0].updated_at - moment > timedelta(days=365)


def test_a_record_without_times_takes_them_too(root: Path, open_store: Opened) -> None:
    ident = new_id()
    folder = root / ident
    folder.mkdir(parents=True)
    record = folder / "session.json"
    record.write_text(json.dumps({"session_id": ident, "description": "words"}))
    moment = datetime(2020, 5, 4, 3, 2, 1, tzinfo=UTC)
    os.utime(record, (moment.timestamp(), moment.timestamp()))
    (session,) = open_store().sessions()
    assert (session.created_at, session.description) == (moment, "words")
    assert "2020-05-04" in session.name
    list(open_store().check(repair=True))
    (session,) = open_store().sessions()
    assert (session.created_at, session.description) == (moment, "words")


def test_a_line_has_one_width_whatever_its_times() -> None:
    entry = Entry(new_session("n"))
    tails = [index_line.tail(entry, local=local) for local in (True, False)]
    assert {len(tail) for tail in tails} == {index_line.TAIL_WIDTH}
    assert [index_line.is_local_tail(tail) for tail in tails] == [True, False]
    assert [index_line.tail_updated_at(tail) for tail in tails] == [entry.session.updated_at] * 2
