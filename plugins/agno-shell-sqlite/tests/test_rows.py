"""Records to rows and back: whatever is in them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from agno_shell_sqlite import rows
from hypothesis import given
from hypothesis import strategies as st

from agno_shell import (
    Attachment,
    Memory,
    Message,
    ProviderTool,
    Session,
    Timing,
    ToolCall,
    Usage,
)
from agno_shell.toolkit.json_records import EPOCH
from agno_shell.types import NOTHING

texts = st.text(st.characters(), max_size=20)  # lone surrogates and NUL among them
counts = st.none() | st.integers(0, 10**30)
seconds = st.none() | st.floats(0, 1e9, allow_nan=False)
moments = st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 1, 1),
    timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5))),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.just(NOTHING) | st.dictionaries(texts, values, min_size=1, max_size=3)
statuses = st.sampled_from(("complete", "interrupted", "incomplete", "failed"))
messages = st.builds(
    Message,
    id=texts,
    role=st.sampled_from(("user", "assistant", "system", "tool", "summary")),
    content=texts,
    created_at=moments,
    parent=st.none() | texts,
    status=statuses,
    model=st.none() | texts,
    usage=st.none() | st.builds(Usage, counts, counts, counts, counts, seconds),
    timing=st.none() | st.builds(Timing, seconds, seconds),
    attachments=st.lists(
        st.builds(Attachment, texts, texts, texts, st.integers(0)), max_size=2
    ).map(tuple),
    provider_data=objects,
    tool_calls=st.lists(st.builds(ToolCall, texts, texts, texts), max_size=2).map(tuple),
    tool_call_id=st.none() | texts,
    speaker=st.none() | texts,
    provider_tools=st.lists(
        st.builds(ProviderTool, texts, texts, texts, texts, statuses, seconds, st.integers()),
        max_size=2,
    ).map(tuple),
    covers=st.none() | texts,
    extra=objects,
)
memories = st.builds(Memory, id=texts, text=texts, created_at=moments, extra=objects)
sessions = st.builds(
    Session,
    session_id=texts,
    name=texts,
    created_at=moments,
    updated_at=moments,
    description=texts,
    message_count=st.integers(0, 2**62),
    head=st.none() | texts,
    model=st.none() | texts,
    api_base=st.none() | texts,
    agent=st.none() | texts,
    tags=st.lists(texts, max_size=2).map(tuple),
    pinned=st.lists(texts, max_size=2).map(tuple),
    reasoning=st.sampled_from((None, "off", "low", "medium", "high")),
    extra=objects,
)


@pytest.fixture(scope="module")
def through_sqlite():
    """What SQLite gives back of a row."""
    connection = sqlite3.connect(":memory:")
    yield lambda row: connection.execute(f"SELECT {', '.join('?' * len(row))}", row).fetchone()
    connection.close()


@given(message=messages)
def test_every_message_comes_back(through_sqlite, message):
    assert rows.message_of(through_sqlite(rows.message_row(message))) == message


@given(session=sessions)
def test_every_session_comes_back(through_sqlite, session):
    assert rows.session_of(through_sqlite(rows.session_row(session))) == session


@given(memory=memories)
def test_every_memory_comes_back(through_sqlite, memory):
    assert rows.memory_of(through_sqlite(rows.memory_row(memory))) == memory


def test_a_plain_message_has_nothing_more():
    row = rows.message_row(Message("a", "user", "hello", EPOCH, "b"))
    assert row == ("a", "b", "user", "1970-01-01T00:00:00.000000+00:00", "hello", None)


def test_what_is_not_known_here_shadows_nothing():
    message = Message("a", "user", "shown", EPOCH, extra={"content": ["a", "list"], "role": "x"})
    assert rows.message_of(rows.message_row(message)) == message


@pytest.mark.parametrize(
    "more", ["{", "[1]", b"\xff", 7, '{"usage": 1, "status": []}', "[" * 100_000]
)
def test_damage_costs_what_has_no_column(more):
    row = ("a", None, "assistant", "2026-07-20T10:30:00+00:00", "said", more)
    message = rows.message_of(row)
    assert (message.content, message.role, message.status) == ("said", "assistant", "complete")


def test_a_row_that_a_hand_has_written_is_read():
    message = rows.message_of((1, None, b"me", "yesterday", b"caf\xe9", None))
    assert message[:5] == Message("1", "user", "caf\ufffd", EPOCH)[:5]
    assert message.extra == {"role": "me", "created_at": "yesterday"}


def test_the_same_text_is_always_stored_alike():
    assert rows.stored("é") == "é"
    assert rows.stored("\ud800") == rows.stored("\ud800") == b"\xed\xa0\x80"
    assert rows.is_damaged(b"\xff")
    assert not rows.is_damaged(rows.stored("\ud800"))


def test_the_size_is_that_of_the_texts():
    assert rows.size_of(("é", b"ab", None, 7, "")) == 4
