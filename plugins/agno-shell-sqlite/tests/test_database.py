"""The file: born private, never written by reading, refused when it is not ours."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from agno_shell_sqlite import place, problems
from agno_shell_sqlite.database import Database

from agno_shell import SessionNotFoundError, StorageError
from agno_shell.types import new_id


def mode(path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


# Its place -------------------------------------------------------------------------------


def test_the_path_is_a_folder_or_the_file_itself(tmp_path):
    assert place.database_path(f"{tmp_path}/x") == f"{tmp_path}/x/sessions.sqlite3"
    for ending in (".db", ".sqlite", ".sqlite3", ".DB"):
        assert place.database_path(f"{tmp_path}/x{ending}") == f"{tmp_path}/x{ending}"
    (tmp_path / "folder.db").mkdir()
    assert place.database_path(f"{tmp_path}/folder.db") == f"{tmp_path}/folder.db/sessions.sqlite3"


@pytest.mark.parametrize("name", ["a#b", "a?b=c&mode=memory", "a%41b", "a b", "ünï"])
def test_any_path_is_taken_as_it_is(open_store, tmp_path, name):
    path = tmp_path / name / f"{name}.db"
    session = open_store(path).create("here")
    assert path.is_file()
    assert open_store(path).sessions() == [session]


def test_nothing_is_made_by_reading(store, folder):
    assert store.sessions() == store.trash() == []
    assert store.current() is None
    assert store.search("word") == list(store.check()) == []
    for use in (store.open, store.messages, store.delete, store.restore, store.set_current):
        with pytest.raises(SessionNotFoundError):
            use(new_id())
    assert not folder.exists()


def test_a_place_without_tables_is_empty_and_untouched(open_store, folder, database):
    folder.mkdir()
    database.touch()
    assert open_store().sessions() == []
    assert database.stat().st_size == 0
    session = open_store().create("first")
    assert open_store().sessions() == [session]


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_everything_is_private_whatever_the_umask(store, folder, make_message, umask):
    before = os.umask(umask)
    try:
        session_id = store.create("private").session_id
        store.append(session_id, make_message("hello"))
        store.save_partial(session_id, make_message("coming"))
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    found = {path.name: mode(path) for path in folder.iterdir()}
    writers = found.pop("sessions.sqlite3-writers")
    names = ("sessions.sqlite3", "sessions.sqlite3-wal", "sessions.sqlite3-shm")
    assert (writers, found) == (0o700, dict.fromkeys(names, 0o600))
    [lock] = (folder / "sessions.sqlite3-writers").iterdir()
    assert mode(lock) == 0o600


def test_closing_leaves_one_file(store, folder, make_message):
    session_id = store.create("one").session_id
    store.append(session_id, make_message("hello"))
    store.close()
    assert os.listdir(folder) == ["sessions.sqlite3"]


# Not our file ----------------------------------------------------------------------------


def assert_refused(store, database, *words: str) -> None:
    """Reading and writing name the file in one line; so does the check."""
    uses = (store.sessions, lambda: store.create("x"), lambda: store.open(new_id()))
    for use in uses:
        with pytest.raises(StorageError) as raised:
            use()
        for word in (str(database), *words):
            assert word in str(raised.value)
        assert "\n" not in raised.value.sentence()
        assert raised.value.hint
    [finding] = store.check(repair=True)
    assert str(database) in finding.problem + finding.where
    assert not finding.healed


@pytest.mark.parametrize("content", [b"{}", b"SQLite format 3\0" + b"\xff" * 5000, b"x" * 100_000])
def test_what_is_no_database_is_refused_and_untouched(store, folder, database, content):
    folder.mkdir()
    database.write_bytes(content)
    assert_refused(store, database, "it is not an SQLite database")
    assert database.read_bytes() == content
    assert os.listdir(folder) == [database.name]


def test_the_database_of_another_program_is_untouched(store, folder, database):
    folder.mkdir()
    with closing(sqlite3.connect(database)) as other, other:
        other.execute("CREATE TABLE sessions (id)")
    before = database.read_bytes()
    assert_refused(store, database, "a database of another program")
    assert database.read_bytes() == before


def test_a_symbolic_link_is_not_followed(store, folder, database, tmp_path):
    folder.mkdir()
    database.symlink_to(tmp_path / "elsewhere.db")
    assert_refused(store, database, "a symbolic link is not followed")
    assert not (tmp_path / "elsewhere.db").exists()


@pytest.mark.parametrize(
    ("make", "what"), [(os.mkdir, "a folder, not a file"), (os.mkfifo, "not a regular file")]
)
def test_what_is_no_file_is_refused(store, folder, database, make, what):
    folder.mkdir()
    make(database)
    assert_refused(store, database, what)


def test_a_damaged_file_is_named_in_one_line(open_store, database, make_message):
    with closing(open_store()) as store:
        session_id = store.create("damaged").session_id
        for number in range(50):
            store.append(session_id, make_message(f"{number} " + "words " * 200))
    data = bytearray(database.read_bytes())
    data[4096:] = b"\x55" * (len(data) - 4096)
    database.write_bytes(data)
    damaged = open_store()
    with pytest.raises(StorageError) as raised:
        damaged.messages(session_id)
    assert str(raised.value) == f"The sessions could not be read: {database}: it is damaged."
    assert "doctor" in raised.value.hint
    assert any("recover" in finding.advice or finding.advice for finding in damaged.check())
    assert database.read_bytes() == bytes(data)


# Reading only ----------------------------------------------------------------------------

_READ = """
import json, os, sys
from agno_shell import StorageError, StorageOptions, Message
from agno_shell_sqlite.store import SqliteStorage
from agno_shell.types import new_id, now
notices = []
store = SqliteStorage(StorageOptions(sys.argv[1], notice=notices.append))
for _time in range(2):
    [session] = store.sessions()
    texts = [m.content for m in store.messages(session.session_id)]
    store.open(session.session_id)
try:
    store.append(session.session_id, Message(new_id(), "user", "x", now()))
except StorageError as error:
    failure = [str(error), error.hint]
findings = [finding.problem for finding in store.check(repair=True)]
hits = len(store.search("two"))
store.close()
print(json.dumps([texts, failure, notices, findings, hits, sorted(os.listdir(sys.argv[1]))]))
"""


@pytest.mark.parametrize("left", ["nothing", "log", "log and shared memory"])
def test_a_disk_that_cannot_be_written_is_read(
    open_store, folder, database, make_message, read_only_python, left
):
    store = open_store()
    session_id = store.create("kept").session_id
    store.append(session_id, make_message("one"))
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.append(session_id, make_message("two", store.messages(session_id)[-1]))
    store.save_partial(session_id, make_message("half a rep", role="assistant"))
    if left == "nothing":
        store.close()
    else:
        # As a crash leaves them: nobody has closed anything.
        names = ["", "-wal"] if left == "log" else ["", "-wal", "-shm"]
        copies = {name: (folder / (database.name + name)).read_bytes() for name in names}
        store.close()
        for name, data in copies.items():
            (folder / (database.name + name)).write_bytes(data)
    before = sorted(os.listdir(folder))
    texts, failure, notices, findings, hits, names = json.loads(read_only_python(_READ))
    assert texts == ["one", "two"]
    assert hits == 1
    assert failure[0] == f"The message was not saved: {database}: it cannot be written."
    assert "[storage] path" in failure[1]
    assert findings == []
    assert notices == [
        f"An interrupted reply is kept in {database} for later: it cannot be written."
    ]
    assert names == before == sorted(os.listdir(folder))


# Writing that fails ----------------------------------------------------------------------


def test_a_full_disk_takes_nothing_and_the_message_can_be_tried_again(store, make_message):
    session_id = store.create("full").session_id
    store.append(session_id, first := make_message("first"))
    before = store.open(session_id)
    connection = store._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    large = make_message("large " * 100_000, first)
    with pytest.raises(StorageError) as raised:
        store.append(session_id, large)
    assert str(raised.value) == (
        f"The message was not saved: {store.path}: there is no space left."
    )
    assert raised.value.hint == "Free some space on the disk and try again."
    assert store.open(session_id) == before
    assert store.messages(session_id) == [first]
    assert store.search("large") == list(store.check()) == []
    connection.execute("PRAGMA max_page_count = 100000")
    store.append(session_id, large)
    assert store.messages(session_id) == [first, large]
    assert len(store.search("large")) == 1


def test_a_lock_that_stays_is_one_clear_line(open_store, database, make_message, monkeypatch):
    monkeypatch.setattr(problems, "PATIENCE", 0.05)
    store = open_store()
    session_id = store.create("locked").session_id
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="have been locked by another program") as raised:
            store.append(session_id, make_message("x"))
        assert str(database) in str(raised.value)
        assert "try again" in raised.value.hint
        assert store.messages(session_id) == []  # reading waits for nobody
    store.append(session_id, make_message("x"))


def test_patience_is_five_seconds(store):
    store.create("x")
    assert store._database._connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_a_commit_reaches_the_disk(store, make_message):
    session_id = store.create("x").session_id
    store.save_partial(session_id, reply := make_message("x"))
    store.save_partial(session_id, reply._replace(content="xy"))
    store.append(session_id, make_message("x"))
    connection = store._database._connection
    settings = ("journal_mode", "synchronous", "fullfsync", "secure_delete")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in settings]
    assert found == ["wal", 2, 1, 1]


# The file changes under an open handle ---------------------------------------------------


def test_a_file_that_was_replaced_is_seen(open_store, folder, database, make_message, tmp_path):
    with closing(open_store(tmp_path / "other")) as other:
        session = other.create("the other one")
    store = open_store()
    lost = store.create("first")
    os.replace(tmp_path / "other" / "sessions.sqlite3", database)
    for name in ("-wal", "-shm"):
        os.unlink(f"{database}{name}")
    with pytest.raises(SessionNotFoundError):
        store.append(lost.session_id, make_message("into the void"))
    store.append(session.session_id, make_message("x"))
    assert len(open_store().messages(session.session_id)) == 1


def test_a_file_that_was_removed_is_never_written_into(store, database, make_message):
    session_id = store.create("removed").session_id
    for name in ("", "-wal", "-shm"):
        os.unlink(f"{database}{name}")
    with pytest.raises(SessionNotFoundError):
        store.append(session_id, make_message("x"))
    assert store.sessions() == []


# Threads ---------------------------------------------------------------------------------


def test_closing_ends_what_another_thread_is_doing(database, folder):
    folder.mkdir()
    one = Database(str(database))
    one.write(lambda db: None, create=True)
    started, outcome = threading.Event(), []

    def take_long(db):
        started.set()
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000000)"
            " SELECT max(i) FROM n"
        ).fetchone()

    def search():
        try:
            one.read(take_long)
        except StorageError as error:
            outcome.append(str(error))

    thread = threading.Thread(target=search)
    thread.start()
    started.wait(10)
    one.close()
    thread.join(10)
    assert outcome == ["The storage was closed."]
    with pytest.raises(StorageError, match="was closed"):
        one.read(lambda db: None)


def test_a_handle_may_be_used_in_another_thread(store):
    session = store.create("elsewhere")
    found = []
    thread = threading.Thread(target=lambda: found.extend(store.sessions()))
    thread.start()
    thread.join()
    assert found == [session]


def test_what_is_read_in_one_go_is_of_one_moment(open_store, make_message):
    reader, writer = open_store(), open_store()
    session_id = reader.create("moment").session_id

    def work(db):
        count = "SELECT count(*) FROM messages"
        before = db.execute(count).fetchone()
        writer.append(session_id, make_message("meanwhile"))
        return before == db.execute(count).fetchone()

    assert reader._database.read(work)
    assert len(reader.tree(session_id)) == 1


def test_a_text_that_is_no_utf_8_costs_that_text(open_store, make_message):
    store = open_store()
    session_id = store.create("damaged text").session_id
    messages = [make_message("before")]
    messages += [make_message("torn", messages[0])]
    for message in messages:
        store.append(session_id, message)
    store._database.write(
        lambda db: db.execute(
            "UPDATE messages SET content = CAST(x'746fff' AS TEXT) WHERE content = 'torn'"
        )
    )
    assert [each.content for each in store.messages(session_id)] == ["before", "to\udcff"]
    [finding] = store.check()
    assert finding.where == f"session {session_id}"
    assert "text that cannot be read" in finding.problem


# A log that is removed while it is in use -------------------------------------------------

_GO_ON = """
import sys
from agno_shell import StorageOptions
from agno_shell.types import Message, new_id, now
from agno_shell_sqlite.store import SqliteStorage

store = SqliteStorage(StorageOptions(sys.argv[1]))
for line in sys.stdin:
    try:
        store.append(sys.argv[2], Message(new_id(), "user", line.strip(), now(), None))
        print("saved", flush=True)
    except Exception as error:
        print(error, flush=True)
"""


def _tell(process, text):
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed")
@pytest.mark.parametrize("removed", [["-wal"], ["-wal", "-shm"]])
def test_what_shells_save_after_the_log_was_removed_outlives_them(
    database, folder, open_store, python, removed
):
    store = open_store()
    session_id = store.create("by hand").session_id
    store.close()
    shells = [python(_GO_ON, folder, session_id) for _ in range(2)]
    texts = ["before 0", "before 1"]
    assert [_tell(*each) for each in zip(shells, texts, strict=True)] == ["saved"] * 2
    for ending in removed:
        Path(f"{database}{ending}").unlink()
    for number in range(3):
        for shell in shells:
            texts.append(f"after {number} {shells.index(shell)}")
            assert _tell(shell, texts[-1]) == "saved"
    for shell in shells:
        shell.kill()
        shell.wait()
    store = open_store()
    assert [each.content for each in store.tree(session_id)] == texts
    assert list(store.check()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed")
def test_a_shell_whose_log_was_removed_does_not_write_over_a_new_one(
    database, folder, open_store, python
):
    store = open_store()
    session_id = store.create("by hand").session_id
    store.close()
    idle, busy = (python(_GO_ON, folder, session_id) for _ in range(2))
    assert _tell(idle, "lost with its log") == "saved"
    for ending in ("-wal", "-shm"):
        Path(f"{database}{ending}").unlink()
    assert _tell(busy, "in a new log") == "saved"
    assert _tell(idle, "in the same log") == "saved"
    assert _tell(busy, "seen by both") == "saved"
    for shell in (idle, busy):
        shell.kill()
        shell.wait()
    store = open_store()
    found = [each.content for each in store.tree(session_id)]
    assert found == ["in a new log", "in the same log", "seen by both"]
    assert list(store.check()) == []
