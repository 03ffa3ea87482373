from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from agno_shell.types import (
    CHANGEABLE,
    Session,
    default_session_name,
    local_time,
    new_id,
    new_session,
    now,
    session_changes,
)


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets the local time zone, in POSIX words, where UTC-02 lies two hours east."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def test_local_time_is_that_of_the_time_zone(in_zone: Any) -> None:
    in_zone("UTC-02")
    assert local_time(datetime(2026, 7, 20, 10, 30, tzinfo=UTC)) == "2026-07-20 12:30"


@pytest.mark.parametrize(
    ("zone", "moment", "words"),
    [
        ("UTC+02", datetime.min, "0001-01-01 00:00+00:00"),
        ("UTC-02", datetime.max, "9999-12-31 23:59+00:00"),
    ],
)
def test_a_time_that_has_no_local_form_is_said_in_utc(
    in_zone: Any, zone: Any, moment: Any, words: Any
) -> None:
    in_zone(zone)
    assert local_time(moment.replace(tzinfo=UTC)) == words


def test_a_session_without_a_name_is_called_by_its_time(in_zone: Any) -> None:
    in_zone("UTC")
    moment = datetime(2026, 7, 20, 10, 30, 59, tzinfo=UTC)
    assert default_session_name(moment) == "Session 2026-07-20 10:30"


def test_ids_are_random_uuids_of_version_4() -> None:
    made = {new_id() for _time in range(100)}
    assert len(made) == 100
    form = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(form.fullmatch(each) for each in made)


def test_now_knows_its_time_zone() -> None:
    assert now().tzinfo is UTC


def test_a_new_session_is_called_by_its_time_unless_it_has_a_name(in_zone: Any) -> None:
    in_zone("UTC")
    moment = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)
    made = new_session(" ", "words", model="m", agent="g", created_at=moment)
    assert (made.name, made.description, made.model, made.agent) == (
        "Session 2026-07-20 10:30",
        "words",
        "m",
        "g",
    )
    assert made.created_at == made.updated_at == moment
    assert new_session("Tax").name == "Tax"
    assert new_session("Tax").session_id != made.session_id


def test_only_some_fields_of_a_session_can_be_changed() -> None:
    given = {"name": "x", "tags": ["a"], "pinned": ["b"]}
    assert session_changes(given) == {"name": "x", "tags": ("a",), "pinned": ("b",)}
    for field in set(Session._fields) - CHANGEABLE:
        with pytest.raises(TypeError, match=field):
            session_changes({field: None})
