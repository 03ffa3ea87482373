"""The check: what is wrong is named, and what is derived is mended."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

import pytest
from agno_shell_sqlite import problems
from agno_shell_sqlite.store import SqliteStorage

from agno_shell import Attachment, StorageError, StorageOptions

COUNT = "UPDATE sessions SET message_count = 7"
HEAD = "UPDATE sessions SET head = 'nobody'"
OTHER_CONTENT = "UPDATE attachments SET content = x'00'"
FORGOTTEN = "INSERT INTO words (words, rowid, text) VALUES ('delete', 1, 'one')"
SURPLUS = "INSERT INTO words (rowid, text) VALUES (99, 'phantom')"
TORN = "UPDATE words_data SET block = x'00' WHERE id > 10"


@pytest.fixture
def session_id(store, make_message):
    session_id = store.create("checked").session_id
    first = make_message("one", model="m")
    store.append(session_id, first)
    store.append(session_id, make_message("two", first))
    return session_id


def damage(store, *statements: str) -> None:
    def work(db):
        for statement in statements:
            db.execute(statement)

    store._database.write(work)


def test_a_sound_store(store, session_id):
    assert list(store.check()) == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (COUNT, "It holds 2 messages and says 7."),
        (HEAD, "It stands on a message that it does not have; the newest one is shown."),
        (FORGOTTEN, "1 messages are not in it."),
        (SURPLUS, "1 messages in it are not there any more."),
        (TORN, "It cannot be read: it is damaged."),
    ],
)
def test_what_is_derived_is_mended(open_store, store, session_id, statement, problem):
    before = store.tree(session_id)
    damage(store, statement)
    for _time in range(2):  # looking changes nothing
        [finding] = store.check()
        assert (finding.problem, finding.healed) == (problem, False)
        assert finding.advice == "'agno-shell doctor --repair' mends it."
    [finding] = store.check(repair=True)
    assert (finding.problem, finding.healed) == (problem, True)
    other = open_store()
    assert list(other.check()) == []
    assert other.tree(session_id) == before == other.messages(session_id)
    assert other.open(session_id).message_count == 2
    assert len(other.search("one")) == 1


def test_an_index_that_lacks_rows_is_made_anew(open_store, store, session_id, make_message):
    store._database._connection.execute("PRAGMA writable_schema = ON")
    name = "messages_in_order"
    [(root, sql)] = store._database.read(
        lambda db: db.execute(
            "SELECT rootpage, sql FROM sqlite_master WHERE name = ?", (name,)
        ).fetchall()
    )
    damage(store, f"DELETE FROM sqlite_master WHERE name = '{name}'")
    store.close()
    store = open_store()
    store.append(session_id, make_message("three", store.messages(session_id)[-1]))
    store._database._connection.execute("PRAGMA writable_schema = ON")
    damage(
        store, f"INSERT INTO sqlite_master VALUES ('index', '{name}', 'messages', {root}, '{sql}')"
    )
    store.close()
    store = open_store()
    findings = list(store.check())
    assert findings
    assert all(name in finding.problem for finding in findings)
    assert all(finding.healed for finding in store.check(repair=True))
    assert list(store.check()) == []
    assert [each.content for each in store.messages(session_id)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("more = '{'", "There are fields that cannot be read"),
        ("role = 'king'", "There is no known role"),
        ("created_at = 'yesterday'", "There is no time that can be read"),
        ("content = x'ff'", "There is text that cannot be read"),
    ],
)
def test_a_damaged_message_is_named_and_left_as_it_is(store, session_id, assignment, problem):
    damage(store, f"UPDATE messages SET {assignment} WHERE number = 1")
    for repair in (False, True):
        [finding] = store.check(repair=repair)
        assert finding.where == f"session {session_id}"
        assert finding.problem.startswith(problem)
        assert "row 1" in finding.problem
        assert not finding.healed
    assert len(store.tree(session_id)) == 2


def test_rows_that_belong_to_nothing_are_named(store, session_id):
    store._database._connection.execute("PRAGMA foreign_keys = OFF")
    damage(store, "INSERT INTO running_replies VALUES (5, 99, 'w', 'm', '{}')")
    [finding] = store.check(repair=True)
    assert finding.problem == "Row 5 of running_replies belongs to no row of sessions."


def test_a_file_that_others_can_read_is_named_and_closed(store, session_id, database):
    os.chmod(database, 0o644)
    [finding] = store.check()
    assert finding.problem == "Others than its owner can use it (mode 0644)."
    assert finding.advice == f"Set its rights with: chmod 600 {database}"
    [finding] = store.check(repair=True)
    assert finding.healed
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_what_cannot_be_mended_says_why(store, session_id, database, monkeypatch):
    monkeypatch.setattr(problems, "PATIENCE", 0.05)
    damage(store, COUNT)
    store.close()
    store = SqliteStorage(StorageOptions(str(database)))
    with closing(store), closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        [finding] = store.check(repair=True)
    assert not finding.healed
    assert finding.advice == "It could not be mended: another program has locked it."


def test_other_shells_write_while_one_checks(open_store, store, session_id, make_message):
    findings = open_store().check()
    store.append(session_id, make_message("meanwhile"))
    assert list(findings) == []


# Attached files --------------------------------------------------------------------------


@pytest.fixture
def attached(store, session_id, make_message):
    """The digest of a content that a message names."""
    digest = store.attach(session_id, b"content")
    file = Attachment("a.txt", "text/plain", digest, 7)
    store.append(session_id, make_message("see", attachments=(file,)))
    return digest


def test_a_content_that_is_another_one_is_put_aside(store, session_id, attached):
    damage(store, OTHER_CONTENT)
    for _time in range(2):
        [finding] = store.check()
        assert finding.problem == (
            f"An attached file is not what it was when it was attached: {attached}."
        )
        with pytest.raises(StorageError, match="is not what it was"):
            store.attachment(session_id, attached)
    [finding] = store.check(repair=True)
    assert finding.healed
    [finding] = store.check()
    assert finding.problem.startswith("An attached file that a message names cannot be found: ")
    assert store.attach(session_id, b"content") == attached
    assert list(store.check()) == []
    [kept] = store._database.read(
        lambda db: db.execute(
            "SELECT content FROM attachments WHERE sha256 LIKE '%damaged%'"
        ).fetchall()
    )
    assert kept == (b"\0",)


def test_attaching_again_puts_aside_what_is_another_one(store, session_id, attached):
    damage(store, OTHER_CONTENT)
    assert store.attach(session_id, b"content") == attached
    assert store.attachment(session_id, attached) == b"content"
    assert list(store.check()) == []


def test_a_content_that_is_not_there_is_named(store, session_id, attached):
    damage(store, "DELETE FROM attachments")
    for repair in (False, True):
        [finding] = store.check(repair=repair)
        assert finding.where == f"session {session_id}"
        assert attached in finding.problem
        assert not finding.healed
