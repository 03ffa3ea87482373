from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage.store import JsonStorage
from agno_shell.cli.commands.migrate import migration
from agno_shell.cli.commands.migrate.order import MigrationOptions
from agno_shell.contracts import Storage
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import (
    ROOT,
    Attachment,
    Message,
    Session,
    Timing,
    ToolCall,
    Usage,
    new_id,
    now,
)

Move = Callable[..., Any]
OpenJson = Callable[..., JsonStorage]
Say = Callable[..., list[Message]]
Held = Callable[[Storage], dict[str, Any]]
Files = Callable[[Path], dict[str, Any]]
Fill = Callable[[Storage], None]


@pytest.fixture
def fill(say: Say) -> Callable[[Storage], None]:
    """Puts everything into a store that one can hold."""
    return lambda storage: _fill(storage, say)


def _fill(storage: Storage, say: Say) -> None:
    plain = storage.create("Plain", "about this").session_id
    say(storage, plain, "one", "a lone \ud83d surrogate", "NUL \0 and \u2028")
    branched = storage.create("Branched \ud800").session_id
    first, second, _third = say(storage, branched, "a", "b", "c")
    storage.append(branched, Message(new_id(), "assistant", "b2", now(), first.id, model="m"))
    storage.update(
        branched,
        head=second.id,
        tags=("x", "y"),
        pinned=(first.id,),
        model="a/model",
        api_base="http://localhost:1/v1",
        agent="poet",
    )
    storage.create("Empty")
    full = storage.create("Fields").session_id
    say(
        storage,
        full,
        "everything",
        status="incomplete",
        usage=Usage(1, 2, 3, 4, 0.5),
        timing=Timing(0.25, 1.5),
        attachments=(Attachment("a", "b/c", storage.attach(full, b"\0abc"), 4),),
        tool_calls=(ToolCall("1", "look", "{}"),),
        tool_call_id="0",
        covers="0",
        provider_data={"a": {"signature": [1, 1.5, True, None]}},
        extra={"later": {"deep": "é"}},
    )
    moment = datetime(2001, 2, 3, 4, 5, 6, 7, UTC)
    record = Session(
        new_id(), "Old", moment, moment + timedelta(days=1), extra={"colour": ["red", 1]}
    )
    storage.import_session(record, [Message(new_id(), "user", "old", moment)])
    for text in ("blue", "a lone \ud83d surrogate"):
        storage.remember(full, text)
    storage.update(full, reasoning="high", head=ROOT)
    thrown_away = storage.create("Thrown away").session_id
    file = Attachment("a", "b/c", storage.attach(thrown_away, b"thrown away"), 11)
    say(storage, thrown_away, "x", "y", attachments=(file,))
    storage.remember(thrown_away, "gone")
    storage.delete(thrown_away)
    twice = storage.create("Deleted twice")
    earlier = twice._replace(name="Deleted before")
    messages = [Message(new_id(), "user", "z", moment)]
    storage.import_session(earlier, messages, deleted_at=moment)
    storage.delete(twice.session_id)
    storage.set_current(branched)


# Copying ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["memory to json", "json to memory", "json to json"])
def test_everything_is_copied_and_the_source_is_as_it_was(
    way: str, move: Move, open_json: OpenJson, tmp_path: Path, held: Held, files: Files, fill: Fill
) -> None:
    from_json = way.startswith("json")
    source: Storage = open_json("source") if from_json else MemoryStorage()
    target: Storage = open_json("target") if way.endswith("json") else MemoryStorage()
    fill(source)
    source.close()
    if from_json:
        source = open_json("source")
    before, were = held(source), files(tmp_path / "source") if from_json else {}
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert held(target) == before
    assert len(before["sessions"]) == 5
    assert len(before["trash"]) == 3
    assert held(source) == before
    if from_json:
        assert files(tmp_path / "source") == were
    if way.endswith("json"):
        assert held(open_json("target")) == before
    assert ran.out.startswith("8 sessions copied from here to there (12 messages, ")
    assert ", 3 things to remember, 2 attached files; 3 in the trash)" in ran.out
    assert "compared: everything is the same" in ran.out
    assert ran.out.endswith('\n\n[storage]\nplugin = "there"\n')


def test_a_second_run_copies_nothing_and_says_so(move: Move, held: Held, fill: Fill) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    fill(source)
    move(source, target)
    kept = held(target)
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("0 sessions copied from here to there.\n8 sessions there already")
    assert held(target) == kept


def test_an_empty_source(move: Move) -> None:
    ran = move(MemoryStorage(), MemoryStorage())
    assert (ran.status, ran.out) == (0, "There is nothing to copy: here holds no session.\n")


def test_sessions_of_the_target_itself_stay(move: Move) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    own = target.create("Own")
    source.create("Other")
    assert move(source, target).status == 0
    assert {each.name for each in target.sessions()} == {"Own", "Other"}
    assert target.open(own.session_id) == own


def test_a_session_of_many_messages(move: Move, open_json: OpenJson) -> None:
    source, target = MemoryStorage(), open_json()
    session = source.create("Long")
    messages, parent = [], None
    for number in range(20_000):
        messages.append(Message(new_id(), "user", f"word {number}", session.created_at, parent))
        parent = messages[-1].id
    source.store.sessions[session.session_id].messages = messages
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert target.tree(session.session_id) == messages
    assert "(20,000 messages, " in ran.out


def test_where_it_is_goes_into_the_configuration(move: Move) -> None:
    source = MemoryStorage()
    source.create("x")
    ran = move(source, MemoryStorage(), target_path='/new "place"')
    assert ran.out.endswith('[storage]\nplugin = "there"\npath = "/new \\"place\\""\n')


# Replies that had not come to an end -----------------------------------------------------


@pytest.fixture
def cut_off(open_json: OpenJson, say: Say) -> tuple[JsonStorage, str]:
    """A store in which a crash has left a reply, and the session's id."""
    dying = open_json("source")
    session_id = dying.create("Crash").session_id
    (question,) = say(dying, session_id, "?")
    reply = Message(new_id(), "assistant", "half an ans", now(), question.id, model="m")
    dying.save_partial(session_id, reply)
    dying.close()
    return open_json("source"), session_id


def test_what_a_crash_has_left_is_copied_as_opening_would_make_it(
    cut_off: tuple[JsonStorage, str], move: Move, tmp_path: Path, files: Files
) -> None:
    (source, session_id), target = cut_off, MemoryStorage()
    were = files(tmp_path / "source")
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert "1 reply had not come to an end: copied as far as it came" in ran.out
    assert files(tmp_path / "source") == were
    session = target.open(session_id)
    assert (session.message_count, session.head) == (2, None)
    source.open(session_id)  # now it becomes a message there as well
    assert target.tree(session_id) == source.tree(session_id)
    assert target.tree(session_id)[-1].status == "interrupted"


def test_a_reply_that_is_newer_than_the_session(move: Move, open_json: OpenJson, say: Say) -> None:
    source, target = MemoryStorage(), open_json()
    session_id = source.create("Crash").session_id
    (question,) = say(source, session_id, "?")
    later = now() + timedelta(hours=1)
    source.save_partial(session_id, Message(new_id(), "assistant", "half", later, question.id))
    for _ in range(2):
        ran = move(source, target)
        assert (ran.status, ran.err) == (0, "")


def test_a_rescued_reply_does_not_move_the_conversation(move: Move, say: Say) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = source.create("Two shells").session_id
    (question,) = say(source, session_id, "?")
    source.save_partial(session_id, Message(new_id(), "assistant", "cut", now(), question.id))
    messages = [question, *say(source, session_id, "an answer")]
    assert move(source, target).status == 0
    assert target.messages(session_id) == messages
    assert [each.content for each in target.tree(session_id)] == ["?", "an answer", "cut"]


def test_a_reply_that_was_in_work_is_completed_by_the_next_run(move: Move, say: Say) -> None:
    source, target = MemoryStorage(), MemoryStorage()
    session_id = source.create("Streaming").session_id
    (question,) = say(source, session_id, "?")
    reply = Message(new_id(), "assistant", "so f", now(), question.id)
    source.save_partial(session_id, reply)
    assert move(source, target).status == 0
    assert target.messages(session_id)[-1].status == "interrupted"
    source.append(session_id, reply._replace(content="so far, so good"))
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert "1 session brought up to date" in ran.out
    assert target.messages(session_id) == source.messages(session_id)
    assert target.messages(session_id)[-1].content == "so far, so good"


# Run again -------------------------------------------------------------------------------


class InterruptedStorage(MemoryStorage):
    """Ends after a number of imports."""

    left = 2
    error: BaseException = KeyboardInterrupt()

    def import_session(
        self,
        session: Session,
        messages: Sequence[Message],
        *,
        deleted_at: datetime | None = None,
        **more: Any,
    ) -> None:
        if self.left == 0:
            raise self.error
        self.left -= 1
        super().import_session(session, messages, deleted_at=deleted_at, **more)


def test_an_interrupted_copy_goes_on_where_it_was(move: Move, held: Held, fill: Fill) -> None:
    source, target = MemoryStorage(), InterruptedStorage()
    fill(source)
    err = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        migration.migrate(source, target, MigrationOptions("here", "there"), io.StringIO(), err)
    assert err.getvalue() == (
        "agno-shell: Stopped; 2 sessions copied so far. The same command goes on from here.\n"
    )
    assert len(target.sessions()) == 2
    ran = move(source, MemoryStorage(target.store))
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("6 sessions copied from here to there (")
    assert "\n2 sessions there already, and the same.\n" in ran.out
    assert held(target) == held(source)


def test_what_cannot_be_written_costs_that_session_and_the_next_run_has_it(
    move: Move, held: Held, fill: Fill
) -> None:
    source, target = MemoryStorage(), InterruptedStorage()
    fill(source)
    target.left, target.error = 7, StorageError("No space left.", hint="Free some.")
    ran = move(source, target)
    assert ran.status == 1
    assert ran.err.count("\n") == 1
    assert ": it was not copied: No space left. Free some.\n" in ran.err
    assert "Not everything was copied: 1 line above says what and why." in ran.out
    assert "[storage]" not in ran.out
    assert move(source, MemoryStorage(target.store)).status == 0
    assert held(target) == held(source)


def test_a_session_that_has_grown_in_the_source_is_brought_up_to_date(
    move: Move, open_json: OpenJson, say: Say, held: Held
) -> None:
    source, target = MemoryStorage(), open_json()
    session_id = source.create("Growing").session_id
    first, *_ = say(source, session_id, "a", "b")
    source.set_current(session_id)
    move(source, target)
    say(source, session_id, "c")
    source.update(session_id, head=first.id, model="new")
    looked = move(source, target, dry_run=True)
    assert "1 session would be brought up to date" in looked.out
    ran = move(source, target)
    assert (ran.status, ran.err) == (0, "")
    assert "1 session brought up to date; the older copy is in the trash of there." in ran.out
    ours, theirs = held(source), held(open_json())
    assert theirs["sessions"] == ours["sessions"]
    assert theirs["current"] == session_id
    (older,) = target.trash()
    assert [each.content for each in target.trashed_messages(older.trash_id)] == ["a", "b"]
    assert move(source, target).out.count("1 session there already") == 1


def test_when_bringing_up_to_date_fails_the_older_copy_is_back(move: Move, say: Say) -> None:
    source, target = MemoryStorage(), InterruptedStorage()
    target.left, target.error = 1, StorageError("No space left.")
    session_id = source.create("Growing").session_id
    (question,) = say(source, session_id, "a")
    move(source, target)
    say(source, session_id, "b")
    ran = move(source, target)
    assert ran.status == 1
    assert "it was not brought up to date: No space left." in ran.err
    assert target.tree(session_id) == [question]
    assert target.trash() == []


# Only looking ----------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_says_what_would_be_copied(
    move: Move, open_json: OpenJson, tmp_path: Path, files: Files, fill: Fill
) -> None:
    source, target = MemoryStorage(), open_json("target")
    fill(source)
    ran = move(source, target, dry_run=True)
    assert not (tmp_path / "target").exists()
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("8 sessions would be copied from here to there (12 messages, ")
    assert ran.out.endswith("\nNothing was written.\n")
    move(source, target)
    were = files(tmp_path / "target")
    ran = move(source, target, dry_run=True)
    assert "8 sessions there already, and the same." in ran.out
    assert files(tmp_path / "target") == were
