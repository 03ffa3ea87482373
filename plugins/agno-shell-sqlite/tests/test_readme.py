"""The commands that the README shows."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from agno_shell import Usage

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_queries_answer(store, database, make_message):
    session_id = store.create("Cups").session_id
    question = make_message("Where are the saucers?")
    store.append(session_id, question)
    reply = make_message("Here.", question, role="assistant", model="m", usage=Usage(cost=0.125))
    store.append(session_id, reply)
    [block] = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = [connection.execute(query).fetchall() for query in block.split(";")[:-1]]
    assert found == [
        [("m", 1, 0.13)],
        [(question.created_at.isoformat(timespec="microseconds"), "Cups", question.content)],
        [("Cups", question.content)],
    ]


def test_the_backup_has_everything(store, database, make_message, open_store, tmp_path):
    session_id = store.create("Cups").session_id
    store.append(session_id, message := make_message("in the log only"))
    [command] = re.findall(r'^sqlite3 sessions.sqlite3 "\.backup \'(.*)\'"$', README, re.MULTILINE)
    copy = tmp_path / command
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)  # what the command does
    assert open_store(copy).messages(session_id) == [message]


def test_the_tables_are_as_they_are_described(store, database):
    store.create("x")
    no_columns = {"rowid", "current_session", "words_form"}
    with closing(sqlite3.connect(database)) as connection:
        described = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", README, re.MULTILINE)
        assert [table for table, _columns in described] == [
            "sessions",
            "messages",
            "memories",
            "attachments",
            "running_replies",
            "words",
            "facts",
        ]
        for table, columns in described:
            known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            assert set(re.findall(r"`(\w+)`", columns)) - no_columns <= known
