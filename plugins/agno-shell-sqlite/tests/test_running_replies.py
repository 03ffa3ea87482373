"""Replies in work: kept as they grow, rescued when their writer is gone."""

from __future__ import annotations

import os
import signal

import pytest
from agno_shell_sqlite.writers import Writers

from agno_shell.types import Growth, grown, now


@pytest.fixture
def question(store, make_message):
    """The id of a session, and the message in it."""
    session_id = store.create("streaming").session_id
    store.append(session_id, message := make_message("?"))
    return session_id, message


def test_keeping_a_long_reply_costs_what_was_added(store, question, make_message):
    session_id, asked = question
    reply = make_message("", asked, role="assistant", model="m")
    for number in range(30):
        reply = reply._replace(content=reply.content + f"{number} \ud800 words\n", created_at=now())
        store.save_partial(session_id, reply)
        assert store.partials(session_id) == [reply]
    pieces = store._database.read(
        lambda db: [len(piece) for (piece,) in db.execute("SELECT piece FROM running_replies")]
    )
    assert len(pieces) == 30
    assert max(pieces[1:]) < 100


def test_a_growing_reply_is_synced_once_a_second(store, question, make_message, monkeypatch):
    session_id, asked = question
    reply = make_message("", asked, role="assistant")
    levels = []
    for moment in (100.0, 100.5, 100.9, 101.1, 101.2, 102.2):
        monkeypatch.setattr("agno_shell_sqlite.store.time.monotonic", lambda at=moment: at)
        reply = reply._replace(content=reply.content + "x")
        store.save_partial(session_id, reply)
        levels.append(store._database._synchronous)
    assert levels == ["NORMAL", "NORMAL", "NORMAL", "FULL", "NORMAL", "FULL"]


def test_what_was_added_is_synced_when_the_reply_is_kept_next(
    store, question, make_message, monkeypatch
):
    session_id, asked = question
    reply = make_message("", asked, role="assistant")
    monkeypatch.setattr("agno_shell_sqlite.store.time.monotonic", lambda: 100.0)
    store.save_partial(session_id, reply)
    store.extend_partial(session_id, growth := Growth(reply.id, "words"))
    assert store._database._synchronous == "NORMAL"
    monkeypatch.setattr("agno_shell_sqlite.store.time.monotonic", lambda: 101.0)
    written = size_of_log(store)
    # The same as is kept already: a transaction that writes nothing would sync nothing.
    store.save_partial(session_id, grown(reply, [growth]))
    assert store._database._synchronous == "FULL"
    assert size_of_log(store) > written
    assert store.partials(session_id) == [grown(reply, [growth])]


def size_of_log(store):
    return os.stat(f"{store.path}-wal").st_size


def test_adding_to_a_long_reply_costs_what_is_added(store, question, make_message):
    session_id, asked = question
    reply = make_message("x" * 100_000, asked, role="assistant")
    store.save_partial(session_id, reply)
    for number in range(30):
        store.extend_partial(session_id, Growth(reply.id, f"{number} ", "hm", "some"))
    pieces = store._database.read(
        lambda db: [len(piece) for (piece,) in db.execute("SELECT piece FROM running_replies")]
    )
    assert len(pieces) == 61
    assert max(pieces[1:]) < 60


@pytest.mark.parametrize("change", [{"content": "other"}, {"status": "failed"}, {"model": "n"}])
def test_a_reply_that_changes_is_kept_anew(store, question, make_message, change):
    session_id, asked = question
    reply = make_message("a beginning", asked, role="assistant")
    store.save_partial(session_id, reply)
    reply = reply._replace(**change)
    store.save_partial(session_id, reply)
    assert store.partials(session_id) == [reply]


def test_a_reply_in_work_is_seen_in_the_trash_and_goes_on_afterwards(
    open_store, question, make_message
):
    session_id, asked = question
    streaming, other = open_store(), open_store()
    reply = make_message("the beginning", asked, role="assistant")
    streaming.save_partial(session_id, reply)
    trash_id = other.delete(session_id).trash_id
    seen = [asked, reply._replace(status="interrupted")]
    assert other.trashed_messages(trash_id) == seen
    other.restore(trash_id)
    other.open(session_id)
    finished = reply._replace(content="the beginning and the end")
    streaming.append(session_id, finished)
    assert other.tree(session_id) == [asked, finished]


def test_another_reply_takes_the_place_of_the_first(store, question, make_message):
    session_id, asked = question
    for content in ("one", "two"):
        store.save_partial(session_id, reply := make_message(content, asked, role="assistant"))
    assert store.partials(session_id) == [reply]
    store.save_partial(session_id, None)
    assert store.partials(session_id) == []


def test_a_reply_that_was_saved_leaves_nothing(store, question, make_message):
    session_id, asked = question
    reply = make_message("done", asked, role="assistant")
    store.save_partial(session_id, reply)
    store.append(session_id, reply)
    count = "SELECT count(*) FROM running_replies"
    assert store._database.read(lambda db: db.execute(count).fetchone()) == (0,)


def test_what_is_kept_after_the_reply_was_saved_is_not_saved_twice(
    open_store, question, make_message, notices
):
    session_id, asked = question
    late = open_store()
    reply = make_message("done", asked, role="assistant")
    late.append(session_id, reply)
    late.save_partial(session_id, reply._replace(content="do"))
    assert late.partials(session_id) == []
    late.close()
    store = open_store()
    assert store.open(session_id).message_count == 2
    assert store.messages(session_id) == [asked, reply]
    assert notices == []


def test_a_damaged_piece_costs_what_follows_it(open_store, question, make_message):
    session_id, asked = question
    dying = open_store()
    reply = make_message("one ", asked, role="assistant")
    for content in ("one ", "one two ", "one two three "):
        dying.save_partial(session_id, reply._replace(content=content))
    dying._database.write(
        lambda db: db.execute("UPDATE running_replies SET piece = '[1' WHERE piece LIKE '%three%'")
    )
    dying.close()
    store = open_store()
    store.open(session_id)
    assert store.messages(session_id)[-1].content == "one two "


_STREAMING = """
import sys
from agno_shell import Message, StorageOptions
from agno_shell_sqlite.store import SqliteStorage
from agno_shell.types import new_id, now
store = SqliteStorage(StorageOptions(sys.argv[1]))
reply = Message(new_id(), "assistant", "", now(), sys.argv[3])
for word in ("half ", "an ", "answer"):
    reply = reply._replace(content=reply.content + word)
    store.save_partial(sys.argv[2], reply)
print(reply.id, flush=True)
sys.stdin.readline()
store.append(sys.argv[2], reply._replace(content="half an answer and the rest"))
print("saved", flush=True)
"""


def test_a_killed_shell_leaves_what_was_shown(open_store, folder, question, python):
    session_id, asked = question
    shell = python(_STREAMING, folder, session_id, asked.id)
    reply_id = shell.stdout.readline().strip()
    store = open_store()
    assert store.open(session_id).message_count == 1  # its writer lives
    assert [each.content for each in store.partials(session_id)] == ["half an answer"]
    shell.send_signal(signal.SIGKILL)
    shell.wait()
    assert store.open(session_id).message_count == 2
    kept = store.messages(session_id)[-1]
    assert (kept.id, kept.status, kept.content) == (reply_id, "interrupted", "half an answer")
    assert store.partials(session_id) == []
    assert len(store.search("half")) == 1
    assert os.listdir(f"{store.path}-writers") == []


def test_a_shell_that_was_stopped_and_goes_on_saves_its_reply(open_store, folder, question, python):
    session_id, asked = question
    shell = python(_STREAMING, folder, session_id, asked.id)
    shell.stdout.readline()
    shell.send_signal(signal.SIGSTOP)
    store = open_store()
    store.open(session_id)
    shell.send_signal(signal.SIGCONT)
    shell.stdin.write("\n")
    shell.stdin.flush()
    assert shell.stdout.readline() == "saved\n"
    assert [each.content for each in store.messages(session_id)] == [
        "?",
        "half an answer and the rest",
    ]


def test_two_leftovers_of_one_session_are_both_kept(open_store, question, make_message):
    session_id, asked = question
    for content in ("one", "two"):
        dying = open_store()
        dying.save_partial(session_id, make_message(content, asked, role="assistant"))
        dying.close()
    store = open_store()
    assert store.open(session_id).message_count == 3
    assert [each.content for each in store.tree(session_id)] == ["?", "one", "two"]


def test_what_cannot_be_rescued_now_is_kept_for_later(open_store, question, make_message, notices):
    session_id, asked = question
    dying = open_store()
    dying.save_partial(session_id, make_message("kept", asked, role="assistant"))
    dying.close()
    store = open_store()
    store.sessions()
    store._database._connection.execute("PRAGMA query_only = ON")
    for _time in range(2):
        assert store.open(session_id).message_count == 1
    assert notices == [
        f"An interrupted reply is kept in {store.path} for later: it cannot be written."
    ]
    store._database._connection.execute("PRAGMA query_only = OFF")
    assert store.open(session_id).message_count == 2


# Who lives -------------------------------------------------------------------------------


@pytest.fixture
def make_writers(tmp_path):
    made = []

    def make_writers():
        made.append(Writers(str(tmp_path / "db")))
        return made[-1]

    yield make_writers
    for writers in made:
        writers.leave()


def test_a_writer_lives_until_it_leaves(make_writers):
    one, other = make_writers(), make_writers()
    name = one.enter()
    assert one.enter() == name
    assert one.lives(name)
    assert other.lives(name)
    one.leave()
    assert not one.lives(name)
    assert not other.lives(name)


def test_tidying_up_takes_only_what_is_gone(make_writers, tmp_path):
    one = make_writers()
    living = one.enter()
    folder = tmp_path / "db-writers"
    (folder / ("0" * 32)).touch()
    (folder / "notes.txt").touch()
    entered = make_writers().enter()
    assert sorted(path.name for path in folder.iterdir()) == sorted([living, entered, "notes.txt"])


def test_a_lock_file_that_was_taken_away_while_it_was_made_is_made_again(
    make_writers, tmp_path, monkeypatch
):
    from agno_shell_sqlite import writers

    folder, lock = tmp_path / "db-writers", writers._locked
    removed = []

    def lock_late(fd):
        if not removed:
            removed.extend(folder.iterdir())
            removed[0].unlink()
        return lock(fd)

    monkeypatch.setattr(writers, "_locked", lock_late)
    one = make_writers()
    name = one.enter()
    assert [path.name for path in folder.iterdir()] == [name] != [removed[0].name]
    assert make_writers().lives(name)


@pytest.mark.parametrize("name", ["", "..", "../db", "a" * 33, "\u0660" * 32, "0" * 32])
def test_a_name_that_no_writer_has_is_no_path(make_writers, name):
    writers = make_writers()
    writers.enter()
    assert not writers.lives(name)
    writers.forget(name)
