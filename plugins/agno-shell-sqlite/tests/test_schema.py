"""The form of the file: made once, refused when it is too new, led on when it is old."""

from __future__ import annotations

import gzip
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from agno_shell_sqlite import schema

from agno_shell import StorageError


def execute(database, *statements: str) -> list[tuple]:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchone() for statement in statements]


@pytest.fixture
def version_1(database, folder):
    """A file as version 1 leaves it, with one session of one message."""
    folder.mkdir()
    session_id, message_id = f"{1:08}-0000-4000-8000-{1:012}", f"{2:08}-0000-4000-8000-{2:012}"
    moment = "2026-07-20T10:30:00.000000+00:00"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        for statement in schema.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO sessions VALUES (1, ?, 'old', '', ?, ?, 1, 5, NULL, NULL, 0, NULL, NULL)",
            (session_id, moment, moment),
        )
        connection.execute(
            "INSERT INTO messages VALUES (1, 1, ?, NULL, 'user', ?, 'hello', NULL)",
            (message_id, moment),
        )
        connection.execute("INSERT INTO words (rowid, text) VALUES (1, 'hello')")
        connection.execute("PRAGMA application_id = 1634169704")
        connection.execute("PRAGMA user_version = 1")
    database.chmod(0o600)
    return session_id


def test_a_file_of_version_1_is_read(store, version_1):
    [session] = store.sessions()
    assert (session.session_id, session.name, session.message_count) == (version_1, "old", 1)
    [message] = store.messages(version_1)
    assert (message.role, message.content) == ("user", "hello")
    assert [hit.message for hit in store.search("hello")] == [message]
    assert list(store.check()) == []


def test_a_file_of_version_1_is_not_written_by_reading(store, version_1, database):
    before = database.read_bytes()
    assert store.memories(version_1) == []
    with pytest.raises(StorageError, match="is not there"):
        store.attachment(version_1, "0" * 64)
    assert list(store.check()) == []
    assert store.open(version_1).reasoning is None
    store.close()
    assert database.read_bytes() == before
    assert execute(database, "PRAGMA user_version") == [(1,)]


def test_a_file_of_version_1_is_led_on_by_the_first_writing(open_store, version_1, database):
    reader, store = open_store(), open_store()
    assert reader.memories(version_1) == []
    memory = store.remember(version_1, "blue")
    digest = store.attach(version_1, b"content")
    assert execute(database, "PRAGMA user_version") == [(2,)]
    for handle in (reader, store, open_store()):
        assert handle.memories(version_1) == [memory]
        assert handle.attachment(version_1, digest) == b"content"
        assert [each.content for each in handle.messages(version_1)] == ["hello"]
    assert list(store.check()) == []


def test_a_file_of_version_1_is_read_on_a_disk_that_cannot_be_written(version_1, read_only_python):
    output = read_only_python(
        "import sys; from agno_shell import StorageOptions;"
        "from agno_shell_sqlite.store import SqliteStorage;"
        "store = SqliteStorage(StorageOptions(sys.argv[1]));"
        f"print(store.messages({version_1!r})[0].content, store.memories({version_1!r}))"
    )
    assert output == "hello []\n"


@pytest.fixture
def written_by_version_1(database, folder):
    """A file that version 1 of this plugin has written: two sessions, one of them deleted."""
    folder.mkdir()
    packed = Path(__file__).with_name("version-1.sqlite3.gz")
    database.write_bytes(gzip.decompress(packed.read_bytes()))
    database.chmod(0o600)


@pytest.mark.usefixtures("written_by_version_1")
def test_what_version_1_has_written_is_all_there_and_goes_on(open_store, database):
    def held(store):
        [session] = store.sessions()
        [gone] = store.trash()
        found = [hit.message.content for hit in store.search("green")]
        tree = store.tree(session.session_id)
        return session, tree, gone, store.trashed_messages(gone.trash_id), found

    assert execute(database, "PRAGMA user_version") == [(1,)]
    before = held(open_store())
    session, tree, gone, thrown_away, found = before
    assert (session.name, session.agent, session.reasoning) == ("Cups", "poet", None)
    assert [each.content for each in tree] == ["Which cups?", "Blue é \ud800", "Green"]
    assert (session.head, session.pinned) == (tree[1].id, (tree[0].id,))
    assert tree[1].extra == {"later": 1}
    assert [each.content for each in thrown_away] == ["thrown away"]
    assert found == ["Green"]
    store = open_store()
    memory = store.remember(session.session_id, "blue")
    assert execute(database, "PRAGMA user_version") == [(2,)]
    assert held(open_store()) == before
    assert store.memories(session.session_id) == [memory]
    assert store.trashed_memories(gone.trash_id) == []
    store.purge(gone.trash_id)
    assert store.current() == session.session_id


def test_a_new_file_says_what_it_is(store, database):
    store.create("new")
    store.close()
    found = execute(database, "PRAGMA application_id", "PRAGMA user_version")
    assert found == [(0x61677368,), (2,)]


def test_a_later_version_is_refused_and_untouched(store, version_1, database):
    execute(database, "PRAGMA user_version = 7")
    before = database.read_bytes()
    for use in (store.sessions, lambda: store.create("x")):
        with pytest.raises(StorageError) as raised:
            use()
        assert str(raised.value) == (
            f"{database} was written by a later version of agno-shell-sqlite: its schema is"
            " version 7, and this one knows 2."
        )
        assert raised.value.hint == "Upgrade it: pip install -U agno-shell-sqlite."
    assert database.read_bytes() == before


def test_a_version_that_arrives_while_the_file_is_open_is_refused(store, database):
    session = store.create("x")
    execute(database, "PRAGMA user_version = 7")
    with pytest.raises(StorageError, match="a later version"):
        store.update(session.session_id, name="y")


STEP = ("ALTER TABLE sessions ADD COLUMN colour TEXT", "UPDATE sessions SET colour = 'blue'")


def test_an_older_version_is_led_on(open_store, version_1, database, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, STEP))
    assert [each.name for each in open_store().sessions()] == ["old"]
    assert execute(database, "PRAGMA user_version") == [(1,)]
    open_store().set_current(version_1)
    found = execute(database, "PRAGMA user_version", "SELECT colour FROM sessions")
    assert found == [(3,), ("blue",)]


def test_a_step_that_fails_leaves_the_file_as_it_was(open_store, version_1, database, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, (*STEP, "no SQL")))
    with pytest.raises(StorageError, match="was not saved"):
        open_store().set_current(version_1)
    monkeypatch.undo()
    columns = "SELECT count(*) FROM pragma_table_info('sessions') WHERE name = 'colour'"
    assert execute(database, "PRAGMA user_version", columns) == [(1,), (0,)]
    assert len(open_store().messages(version_1)) == 1


def test_a_whole_chain_begins_with_an_empty_file(open_store, database, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, STEP))
    open_store().create("new")
    assert execute(database, "PRAGMA user_version", "SELECT colour FROM sessions")[0] == (3,)


_RACE = """
import sys
from agno_shell import StorageOptions
from agno_shell_sqlite.store import SqliteStorage
sys.stdin.readline()
for number in range(8):
    store = SqliteStorage(StorageOptions(f"{sys.argv[1]}/{number}"))
    store.create(sys.argv[2])
    store.close()
"""


def test_several_shells_make_the_same_file_at_once(open_store, folder, python):
    shells = [python(_RACE, folder, name) for name in "abc"]
    for shell in shells:
        shell.stdin.write("\n")
        shell.stdin.flush()
    assert [shell.wait(60) for shell in shells] == [0, 0, 0]
    for number in range(8):
        found = open_store(folder / str(number)).sessions()
        assert sorted(each.name for each in found) == ["a", "b", "c"]


def test_a_shell_that_is_making_the_file_is_waited_for(store, folder, database):
    folder.mkdir()
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        done.start()
        session = store.create("after the other one")
        done.join()
    assert store.sessions() == [session]
