from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from agno_shell.builtin.commands import wording
from agno_shell.types import Session, now


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3 * 3600, "3 hours ago"),
        (86400, "1 day ago"),
        (45 * 86400, "1 month ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_age(seconds, words, monkeypatch):
    moment = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)
    monkeypatch.setattr(wording, "now", lambda: moment + timedelta(seconds=seconds))
    assert wording.age(moment) == words


@pytest.fixture
def in_zone(monkeypatch):
    """Sets the local time zone, in POSIX words, where UTC-02 lies two hours east."""

    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_local_time_is_that_of_the_time_zone(in_zone):
    in_zone("UTC-02")
    assert wording.local_time(datetime(2026, 7, 20, 10, 30, tzinfo=UTC)) == "2026-07-20 12:30"


@pytest.mark.parametrize(
    ("zone", "moment", "words"),
    [
        ("UTC+02", datetime.min, "0001-01-01 00:00+00:00"),
        ("UTC-02", datetime.max, "9999-12-31 23:59+00:00"),
    ],
)
def test_a_time_that_has_no_local_form_is_said_in_utc(in_zone, zone, moment, words):
    in_zone(zone)
    assert wording.local_time(moment.replace(tzinfo=UTC)) == words


def test_the_default_name_is_the_time(monkeypatch):
    moment = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)
    monkeypatch.setattr(wording, "now", lambda: moment)
    assert wording.default_name() == f"Session {wording.local_time(moment)}"


def test_a_label_is_one_clean_line():
    session = Session("1a2b3c4d-0000-4000-8000-000000000000", "a\nb\x1b", now(), now())
    label = wording.label(session)
    assert label.endswith("(1a2b3c4d)")
    assert not {"\n", "\x1b"} & set(label)


def test_counts():
    assert [wording.count(n, "message") for n in (0, 1, 2000)] == [
        "0 messages",
        "1 message",
        "2,000 messages",
    ]
