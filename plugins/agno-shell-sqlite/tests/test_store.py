"""What this storage does beyond the contract, and what could go wrong in a database."""

from __future__ import annotations

import random
import signal
import time
from datetime import timedelta

import pytest
from agno_shell_sqlite import messages, sessions, text_index

from agno_shell import StorageError
from agno_shell.toolkit import full_text
from agno_shell.types import now

# Appending -------------------------------------------------------------------------------


def test_a_message_that_is_tried_again_is_saved_once(store, make_message):
    session_id = store.create("again").session_id
    message = make_message("once", model="a/model", extra={"x": [1]})
    first = store.append(session_id, message)
    assert store.append(session_id, message) == first
    assert store.tree(session_id) == [message]
    assert len(store.search("once")) == 1


def test_another_message_of_the_same_id_is_refused(store, make_message):
    session_id = store.create("double").session_id
    message = make_message("the first")
    store.append(session_id, message)
    with pytest.raises(StorageError, match="has another one with the id"):
        store.append(session_id, message._replace(content="the second"))
    assert store.tree(session_id) == [message]
    assert store.search("second") == []


def test_two_sessions_may_hold_the_same_message(store, make_message):
    message = make_message("shared")
    for name in ("a", "b"):
        store.append(store.create(name).session_id, message)
    assert [store.tree(each.session_id) for each in store.sessions()] == [[message], [message]]


@pytest.mark.parametrize("own", [True, False])
def test_a_parent_that_leads_nowhere_ends_the_path(store, make_message, own):
    session_id = store.create("loop").session_id
    message = make_message("alone")
    message = message._replace(parent=message.id if own else "never saved")
    store.append(session_id, message)
    store.append(session_id, after := make_message("after", message))
    assert store.messages(session_id) == [message, after]


def test_a_circle_of_parents_has_an_end(store, make_message):
    session_id = store.create("circle").session_id
    one = make_message("one")
    two = make_message("two", one)
    for message in (one._replace(parent=two.id), two):
        store.append(session_id, message)
    assert [each.content for each in store.messages(session_id)] == ["one", "two"]


def test_the_end_of_a_long_session_is_found_by_the_indexes(store, make_message):
    path = [make_message("0")]
    for number in range(1, 400):
        path.append(make_message(str(number), path[-1]))
    # As many messages on another branch, between the end and what it follows.
    branch = [make_message("other", path[0])]
    for _number in range(400):
        branch.append(make_message("other", branch[-1]))
    last = make_message("400", path[-1])
    session = store.create("first")._replace(session_id=path[0].id)
    store.import_session(session, [*path, *branch, last])
    taken = []

    def count_instructions(db):
        number = sessions.find(db, session.session_id).number
        db.set_progress_handler(lambda: taken.append(1), 10)
        found = messages.path(db, number, None, 3)
        db.set_progress_handler(None, 0)
        return found

    assert store._database.read(count_instructions) == [*path[-2:], last]
    assert 0 < len(taken) < 40  # times ten; a scan takes thousands of instructions


def test_a_clock_that_goes_back_moves_nothing_back(store, make_message, monkeypatch):
    session = store.create("clock")
    monkeypatch.setattr(sessions, "now", lambda: now() - timedelta(days=400))
    after = store.append(session.session_id, make_message("x"))
    assert after.updated_at == session.updated_at
    assert store.update(session.session_id, name="y").updated_at == session.updated_at


# Listing ---------------------------------------------------------------------------------


def test_listing_reads_no_message(store, make_message):
    session_id = store.create("listed").session_id
    store.append(session_id, make_message("x"))
    statements = []
    store._database.read(lambda db: db.set_trace_callback(statements.append))
    store.sessions()
    store.version(session_id)
    store._database.read(lambda db: db.set_trace_callback(None))
    assert len(statements) >= 4
    assert not any("messages" in statement for statement in statements)


# The trash -------------------------------------------------------------------------------


def test_the_size_is_that_of_the_messages(store, make_message):
    session_id = store.create("size").session_id
    store.append(session_id, make_message("x" * 1000))
    store.append(session_id, make_message("é" * 1000))
    trashed = store.delete(session_id)
    assert 3000 < trashed.size < 3500
    assert store.trash() == [trashed]


def test_a_restored_session_that_is_deleted_at_once_is_in_the_trash(store, monkeypatch):
    session_id = store.create("again").session_id
    first = store.delete(session_id)
    monkeypatch.setattr(sessions, "now", lambda: first.deleted_at)
    store.import_session(first.session, [])
    second = store.delete(session_id)
    assert second.trash_id != first.trash_id
    assert store.trash() == [second, first]


def test_what_was_deleted_is_not_found_and_what_was_restored_is(store, make_message):
    session_id = store.create("hidden").session_id
    store.append(session_id, make_message("a needle"))
    trashed = store.delete(session_id)
    assert store.search("needle") == []
    store.restore(trashed.trash_id)
    assert len(store.search("needle")) == 1


@pytest.mark.parametrize("same_words", [True, False])
def test_nothing_of_a_purged_session_is_left_on_the_disk(
    store, folder, make_message, monkeypatch, same_words
):
    ids = [store.create(name).session_id for name in ("kept", "xylophone")]
    with monkeypatch.context() as older:
        if not same_words:
            # The index was made with other tables of Unicode, and so of other words.
            older.setattr(text_index, "form", lambda: "older")
            older.setattr(full_text, "prepared", lambda text: text.replace("bar", "barian"))
        for number in range(40):
            store.append(ids[0], make_message(f"filling {number}"))
            store.append(ids[1], make_message(f"zanzibar {number}"))
    store.append(ids[0], make_message("filling 40"))
    store.purge(store.delete(ids[1]).trash_id)
    on_disk = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert b"filling" in on_disk
    for word in (b"zanzi", b"xylophone"):
        assert word not in on_disk
    assert len(store.search("filling", limit=100)) == 41
    assert list(store.check()) == []


def test_purging_leaves_other_sessions_of_the_same_id(store, make_message):
    session = store.create("twice")
    store.append(session.session_id, message := make_message("the old one"))
    trashed = store.delete(session.session_id)
    store.import_session(session, [message])
    store.purge(trashed.trash_id)
    assert store.tree(session.session_id) == [message]
    assert len(store.search("old")) == 1


# Several processes -----------------------------------------------------------------------

_WRITER = """
import sys
from agno_shell import Message, StorageOptions
from agno_shell_sqlite.store import SqliteStorage
from agno_shell.types import new_id, now
folder, session_id, name, count = sys.argv[1:]
store = SqliteStorage(StorageOptions(folder))
for number in range(int(count)):
    store.append(session_id, Message(new_id(), "user", f"{name} {number}", now()))
    print(number, flush=True)
store.close()
"""


def test_two_processes_append_to_one_session(store, folder, python):
    session_id = store.create("shared").session_id
    shells = [python(_WRITER, folder, session_id, name, 40) for name in "ab"]
    assert [shell.wait(60) for shell in shells] == [0, 0]
    texts = [each.content for each in store.tree(session_id)]
    for name in "ab":
        assert [each for each in texts if each[0] == name] == [f"{name} {n}" for n in range(40)]
    assert store.open(session_id).message_count == len(texts) == 80
    assert list(store.check()) == []


def test_what_was_acknowledged_survives_a_kill(open_store, folder, python):
    store = open_store()
    session_id = store.create("killed").session_id
    for round_ in range(4):
        shell = python(_WRITER, folder, session_id, round_, 100_000)
        shell.stdout.readline()
        time.sleep(random.uniform(0, 0.05))
        shell.send_signal(signal.SIGKILL)
        acknowledged = shell.stdout.read().split()
        texts = [each.content for each in store.tree(session_id)]
        mine = [each for each in texts if each.startswith(f"{round_} ")]
        last = int(acknowledged[-1]) if acknowledged else 0
        assert mine == [f"{round_} {number}" for number in range(len(mine))]
        assert last + 1 <= len(mine) <= last + 2  # one may have been on its way
        assert store.open(session_id).message_count == len(texts)
    assert list(store.check()) == []
