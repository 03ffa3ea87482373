from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell.cli.commands import trace
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, Session, Timing, Usage

Do = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def storage() -> Storage:
    return MemoryStorage()


@pytest.fixture
def session(storage: Storage) -> Session:
    """The current one, with three turns: questions q000…, q001…, q002…."""
    session = storage.create("Tax\x1b[2J")
    storage.set_current(session.session_id)
    ask(storage, session, 3)
    return session


def ask(storage: Storage, session: Session, turns: int) -> None:
    parent = None
    for number in range(turns):
        at = BEGIN + timedelta(minutes=number)
        question = Message(f"q{number:03}-0000", "user", f"Why {number}?\x9b", at, parent)
        reply = Message(
            f"r{number:03}-0000",
            "assistant",
            "So.",
            at + timedelta(seconds=1),
            question.id,
            model="openai/\u202em",
            usage=Usage(1000, 20, cost=0.25),
            timing=Timing(1.0, 2.0),
        )
        storage.append(session.session_id, question)
        storage.append(session.session_id, reply)
        parent = reply.id


@pytest.fixture
def do(storage: Storage, run: Run) -> Do:
    def do(action: str, turn: str = "", **options: Any) -> str:
        status, out, err = run(trace, {action: turn, **options}, storage)
        assert (status, err) == (0, "")
        return out

    return do


def test_the_list_has_the_newest_first(do: Do, session: Session) -> None:
    heading, newest, *rest = do("list").splitlines()
    titles = ["Turn", "When", "Model", "Status", "Took", "Tokens", "Cost", "Question"]
    assert heading.split() == titles
    assert newest.split()[0] == "q002-000"
    for part in ("openai/‹U+202E›m", "complete", "2.0 s", "1,000+20", "$0.2500", "Why 2?‹U+009B›"):
        assert part in newest
    assert len(rest) == 2
    assert len(do("list", limit=1).splitlines()) == 2


def test_the_list_reads_no_more_than_it_shows(
    storage: Storage, session: Session, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(storage, session, 200)
    read = []
    messages = storage.messages

    def counted(session_id: str, last: int | None = None) -> list[Message]:
        found = messages(session_id, last)
        read.append(len(found))
        return found

    monkeypatch.setattr(storage, "messages", counted)
    assert len(do("list", limit=5).splitlines()) == 6
    assert read == [20]


def test_a_turn_near_the_end_is_found_without_reading_all(
    storage: Storage, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = storage.create("Long")
    ask(storage, session, 200)
    read = []
    messages = storage.messages

    def counted(session_id: str, last: int | None = None) -> list[Message]:
        found = messages(session_id, last)
        read.append(len(found))
        return found

    monkeypatch.setattr(storage, "messages", counted)
    assert "Why 190?" in do("show", session="Long", turn="q190-000")
    assert read == [100]
    assert "Why 3?" in do("show", session="Long", turn="r003-000")
    assert read == [100, 100, 400]
    with pytest.raises(UsageError, match=r"10 turns of Long begin with q19\."):
        do("show", session="Long", turn="q19")


def test_many_tools_in_the_last_turn_take_another_reading(
    storage: Storage, session: Session, do: Do
) -> None:
    parent = "r002-0000"
    for number in range(30):
        result = Message(f"t{number}", "tool", "x", BEGIN, parent, tool_call_id="c")
        storage.append(session.session_id, result)
        parent = result.id
    assert len(do("list", limit=3).splitlines()) == 4


def test_one_turn_as_a_tree(do: Do, session: Session) -> None:
    heading, *tree = do("show", turn="q001").splitlines()
    assert heading.startswith("q001-000  ")
    assert heading.endswith("  Why 1?‹U+009B›")
    assert "request" in tree[1]
    assert "1,000 tokens in · 20 out · $0.2500" in tree[3]
    assert "Why 2?" in do("show")
    assert json.loads(do("show", json=True))["turn"] == "q002-0000"


def test_a_turn_goes_by_its_reply_too(do: Do, session: Session) -> None:
    assert "Why 1?" in do("show", turn="r001")


def test_the_export(do: Do, session: Session, tmp_path: Path) -> None:
    record = json.loads(do("export", turn="q000"))
    assert record["took"] == 2.0
    assert record["usage"]["cost"] == 0.25
    assert record["replies"][0]["timing"] == {"first_token": 1.0, "total": 2.0}
    assert record["trace"]["steps"][0]["name"] == "request"
    text = do("export")
    assert text.isascii()
    assert [each["turn"][:4] for each in json.loads(text)] == ["q000", "q001", "q002"]
    path = tmp_path / "turns.json"
    assert str(path) in do("export", output=str(path))
    assert path.read_text() == text


@pytest.mark.parametrize("form", ["markdown", "text"])
def test_the_export_as_a_document_acts_on_nothing(do: Do, session: Session, form: str) -> None:
    text = do("export", format=form)
    assert text.startswith("# Tax" if form == "markdown" else "Tax")
    assert text.count("request") == 3
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)


def test_another_session(storage: Storage, session: Session, do: Do) -> None:
    storage.create("Empty")
    assert do("list", session="Empty") == "Nothing was asked in Empty yet.\n"
    assert json.loads(do("list", session="Empty", json=True)) == []
    assert json.loads(do("export", session="Empty")) == []
    with pytest.raises(SessionNotFoundError):
        do("list", session="None")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"turn": "q00"}, "3 turns of Tax␛[2J begin with q00. Give more of the id."),
        ({"turn": "x"}, "No turn of Tax␛[2J begins with x."),
        ({"session": "Empty"}, "Nothing was asked in Empty yet."),
    ],
)
def test_a_turn_that_is_not_there(
    storage: Storage, session: Session, do: Do, options: dict[str, Any], complaint: str
) -> None:
    storage.create("Empty")
    with pytest.raises(UsageError) as caught:
        do("show", **options)
    assert complaint in caught.value.sentence()


def test_no_session_is_current(do: Do) -> None:
    with pytest.raises(UsageError, match="No session is current"):
        do("list")
