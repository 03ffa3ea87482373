from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agno_shell.cli.commands import metrics
from agno_shell.cli.commands.metrics import report
from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError, StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, Timing, Usage, new_id

Do = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def storage() -> Storage:
    kept = MemoryStorage()
    tax = kept.create("=Tax\x1b[2J").session_id
    say(kept, tax, "m1", 0, Usage(1000, 20, cost=0.25), Timing(1.0, 2.0))
    say(kept, tax, "m2", 1, Usage(10, 2), Timing(3.0, 4.0))
    say(kept, kept.create("Other").session_id, "m1", 2, None, None)
    kept.create("Empty")
    return kept


def say(
    kept: Storage, session: str, model: str, day: int, usage: Usage | None, timing: Timing | None
) -> None:
    at = BEGIN + timedelta(days=day)
    question = Message(new_id(), "user", "Why?", at)
    reply = Message(
        new_id(), "assistant", "So.", at, question.id, model=model, usage=usage, timing=timing
    )
    kept.append(session, question)
    kept.append(session, reply)


@pytest.fixture
def do(storage: Storage, run: Run) -> Do:
    def do(**options: Any) -> str:
        status, out, err = run(metrics, options, storage)
        assert (status, err) == (0, "")
        return out

    return do


def test_the_summary(do: Do) -> None:
    text = do()
    total, _blank, *sessions = text.splitlines()
    assert total == (
        "In all: 3 replies · 1,010 tokens in · 22 out · $0.2500 · 2 of unknown cost, in 2 sessions"
    )
    assert "\x1b" not in text
    (tax,) = [line for line in sessions if "=Tax" in line]
    assert tax.split()[1:7] == ["=Tax␛[2J", "2", "1,010", "22", "$0.2500", "2.0"]
    (model,) = [line for line in sessions if line.startswith("m1")]
    assert model.split()[1:4] == ["2", "1,000", "20"]
    assert "Empty" not in text


def test_the_summary_as_json(do: Do) -> None:
    record = json.loads(do(json=True))
    assert record["total"]["replies"] == 3
    assert record["total"]["first_token"] == 2.0
    assert {each["name"]: each["replies"] for each in record["sessions"]} == {
        "=Tax\x1b[2J": 2,
        "Other": 1,
    }
    assert {each["model"]: each["unpriced"] for each in record["models"]} == {"m1": 1, "m2": 1}


def test_one_session_and_since_when(do: Do) -> None:
    assert json.loads(do(json=True, session="Other"))["total"]["replies"] == 1
    since = BEGIN + timedelta(days=1)
    assert json.loads(do(json=True, since=since))["total"]["replies"] == 2
    assert do(session="Empty") == "There are no replies in 1 session.\n"
    with pytest.raises(SessionNotFoundError):
        do(session="none of them")


def test_a_reply_that_a_fork_holds_too_was_paid_once(storage: Storage, do: Do) -> None:
    tax = next(each for each in storage.sessions() if "Tax" in each.name)
    ids = {message.id: new_id() for message in storage.tree(tax.session_id)}
    fork = storage.create("Fork").session_id
    for each in storage.tree(tax.session_id):
        parent = ids.get(each.parent or "")
        storage.append(fork, each._replace(id=ids[each.id], parent=parent))
    record = json.loads(do(json=True))
    assert record["total"]["replies"] == 3
    assert {each["name"]: each["replies"] for each in record["sessions"]}["Fork"] == 2


def test_replies_that_are_alike_in_one_session_are_two(storage: Storage, do: Do) -> None:
    alike = storage.create("Alike").session_id
    for _ in range(2):
        say(storage, alike, "m1", 9, Usage(1, 1), None)
    assert json.loads(do(json=True, session="Alike"))["total"]["replies"] == 2


def test_the_export_as_json(do: Do, tmp_path: Path) -> None:
    text = do(export="json")
    assert text.isascii()
    rows = json.loads(text)
    assert len(rows) == 3
    assert all(tuple(row) == report.FIELDS for row in rows)
    first = next(row for row in rows if row["input_tokens"] == 1000)
    assert first["session_name"] == "=Tax\x1b[2J"
    assert (first["total"], first["tokens_per_second"]) == (2.0, 20.0)
    path = tmp_path / "x.json"
    do(export="json", output=str(path))
    assert path.read_text() == text
    assert json.loads(do(export="json", session="Empty")) == []


def test_the_export_as_csv_is_clean_and_no_formula(do: Do) -> None:
    heading, *rows = csv.reader(io.StringIO(do(export="csv")))
    assert tuple(heading) == report.FIELDS
    assert len(rows) == 3
    row = dict(zip(heading, next(each for each in rows if "1000" in each), strict=True))
    assert row["session_name"] == "'=Tax␛[2J"
    assert (row["cost"], row["cached_tokens"], row["model"]) == ("0.25", "", "m1")


def test_a_session_that_cannot_be_read_is_reported_and_the_others_count(
    storage: Storage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = storage.tree

    def fail(session_id: str) -> list[Message]:
        if session_id == storage.sessions()[0].session_id:
            raise StorageError("A page is missing.\x1b")
        return tree(session_id)

    monkeypatch.setattr(storage, "tree", fail)
    status, out, err = run(metrics, {"json": True}, storage)
    assert status == 1
    assert err == "agno-shell: A page is missing.␛\n"
    assert json.loads(out)["total"]["replies"] >= 1
