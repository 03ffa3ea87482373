"""A search through a million messages, and making the index for it, against bare FTS5."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from figures import Figure, middle, ratio

from agno_shell.builtin.json_storage import layout
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.toolkit import full_text, json_records
from agno_shell.types import Message

SESSIONS = 1_000
MESSAGES = 1_000
"""In each session."""
RARE, COMMON = "serendipity", "nevertheless"
"""In one of a thousand messages, and in every second one."""
LIMIT = 20
RUNS = 9
BUILDS = 3


def a_million_messages(folder: Path) -> list[Figure]:
    """The figures for a store of a thousand sessions with a thousand messages each."""
    texts = list(_texts(random.Random(1)))
    sessions = folder / "sessions"
    _write(sessions, texts)
    bare, built = [], []
    for number in range(BUILDS):
        (folder / "bare.sqlite3").unlink(missing_ok=True)
        bare.append(_build_bare(folder / "bare.sqlite3", texts))
        storage = _open(sessions, folder / f"cache{number}")
        built.append(_timed(storage, RARE))
        storage.close()
    figures = [ratio("building the search index, 1,000,000 messages", built, bare, 1.5, "ms")]
    storage = _open(sessions, folder / f"cache{BUILDS - 1}")
    (index,) = (folder / f"cache{BUILDS - 1}").glob("search/*.sqlite3")
    figures += _search_figures(storage, sessions, index)
    storage.close()
    return figures


def _search_figures(storage: Storage, sessions: Path, index: Path) -> list[Figure]:
    """Searches one behind the other, the files being looked at once a second; and such that
    look at every file before, as those of a person do, for comparison."""
    million = f"{SESSIONS * MESSAGES:,} messages"
    rare, bare_rare = _searches(storage, index, RARE, 4 * RUNS)
    common, bare_common = _searches(storage, index, COMMON, RUNS)
    after_pause, bare_again = _searches(storage, index, RARE, 4 * RUNS, touched=sessions)
    return [
        ratio(f"search for a rare word, {million}", rare, bare_rare, 1.3, "ms"),
        ratio("the same after a look at every file", after_pause, bare_again, None, "ms"),
        ratio(f"search for every second message, {million}", common, bare_common, 1.3, "ms"),
        middle("the same in milliseconds", common, "ms", 1000.0),
    ]


def _searches(
    storage: Storage, index: Path, word: str, runs: int, *, touched: Path | None = None
) -> tuple[list[float], list[float]]:
    """Milliseconds of a search, and of the query alone on the same table, in turns."""
    database = sqlite3.connect(index)
    ours, floor = [], []
    for number in range(runs + 1):
        if touched is not None:
            os.utime(touched)  # as if something had been deleted
        mine, least = _timed(storage, word), _timed_bare(database, word)
        if number:
            ours.append(mine)
            floor.append(least)
    database.close()
    return ours, floor


def _timed(storage: Storage, word: str) -> float:
    begun = time.perf_counter()
    hits = storage.search(word, limit=LIMIT)
    taken = (time.perf_counter() - begun) * 1e3
    assert len(hits) == LIMIT
    return taken


def _timed_bare(database: sqlite3.Connection, word: str) -> float:
    begun = time.perf_counter()
    rows = database.execute(
        "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (word, LIMIT)
    ).fetchall()
    taken = (time.perf_counter() - begun) * 1e3
    assert len(rows) == LIMIT
    return taken


def _build_bare(path: Path, texts: list[str]) -> float:
    """Milliseconds that FTS5 takes for the same rows when they are in memory already."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(
        f"CREATE VIRTUAL TABLE words USING fts5(text, content='', {full_text.TOKENIZE})"
    )
    begun = time.perf_counter()
    database.execute("BEGIN")
    database.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", enumerate(texts, 1))
    database.execute("COMMIT")
    taken = (time.perf_counter() - begun) * 1e3
    database.close()
    return taken


def _open(sessions: Path, cache: Path) -> Storage:
    return open_storage(StorageOptions(str(sessions), cache_path=str(cache)))


def _texts(chance: random.Random) -> Iterator[str]:
    """Messages of 14 to 28 words, some words frequent and most of them rare, as in speech."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))
    for number in range(SESSIONS * MESSAGES):
        said = chance.choices(words, cum_weights=weights, k=chance.randint(14, 28))
        if number % 1000 == 0:
            said[3] = RARE
        if number % 2 == 0:
            said[5] = COMMON
        yield " ".join(said)


def _write(sessions: Path, texts: list[str]) -> None:
    """The folders as the store writes them, without a sync for each."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(SESSIONS):
        lines = []
        parent = None
        for place in range(MESSAGES):
            ident = str(UUID(int=number << 64 | place + 1))
            role = "assistant" if place % 2 else "user"
            at += timedelta(seconds=5)
            text = texts[number * MESSAGES + place]
            lines.append(json_records.message_line(Message(ident, role, text, at, parent)))
            parent = ident
        folder = sessions / str(UUID(int=number))
        folder.mkdir(parents=True)
        (folder / "messages.json").write_bytes(layout.whole(lines))
    storage = open_storage(StorageOptions(str(sessions)))
    storage.set_current(str(UUID(int=0)))  # makes the list of sessions
    storage.close()
