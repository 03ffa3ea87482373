"""A table of SQLite FTS5, against which the rest is held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import pytest

from agno_shell.toolkit import full_text

Table = Callable[[Sequence[str]], sqlite3.Connection]


@pytest.fixture
def table() -> Iterator[Table]:
    """Makes an FTS5 table ``words`` of texts, with rows from 0 on."""
    opened = []

    def make(texts: Sequence[str]) -> sqlite3.Connection:
        database = sqlite3.connect(":memory:")
        opened.append(database)
        database.execute(
            f"CREATE VIRTUAL TABLE words USING fts5(text, content='', {full_text.TOKENIZE})"
        )
        database.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, instance)")
        database.executemany(
            "INSERT INTO words(rowid, text) VALUES (?, ?)",
            enumerate(map(full_text.prepared, texts)),
        )
        return database

    yield make
    for database in opened:
        database.close()
