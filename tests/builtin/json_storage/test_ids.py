from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agno_shell.builtin.json_storage import ids
from agno_shell.testing.storage_contract import HOSTILE_IDS
from agno_shell.types import new_id


def test_a_new_id_is_one() -> None:
    assert ids.is_session_id(new_id())


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
def test_nothing_else_is(hostile: str) -> None:
    assert not ids.is_session_id(hostile)
    assert ids.split_trash_id(hostile) is None


@pytest.mark.parametrize("other", [None, 5, [], b"x", "ABCDEF01-0000-4000-8000-000000000000"])
def test_other_kinds_are_not(other: object) -> None:
    assert not ids.is_session_id(other)


def test_a_trash_id_goes_both_ways() -> None:
    session_id, when = new_id(), datetime(2026, 7, 20, 10, 30, 1, 23, UTC)
    assert ids.split_trash_id(ids.trash_id(session_id, when)) == (session_id, when)


def test_a_trash_id_with_an_impossible_day_is_none() -> None:
    assert ids.split_trash_id(f"{new_id()}-20260231T000000000000Z") is None
