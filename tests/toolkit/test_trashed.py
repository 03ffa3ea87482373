from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agno_shell.errors import SessionNotFoundError
from agno_shell.toolkit import trashed
from agno_shell.types import Session, TrashedSession, local_time

MOMENT = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)


def deleted(number: int, name: str, *, hours: int = 0, size: int = 1234) -> TrashedSession:
    session_id = f"{number:08x}-0000-4000-8000-000000000000"
    when = MOMENT + timedelta(hours=hours)
    session = Session(session_id, name, MOMENT, MOMENT, message_count=number)
    return TrashedSession(f"{session_id}-{when:%Y%m%dT%H%M%SZ}", session, when, size)


TAX, GARDEN, AGAIN, OLD = TRASH = [
    deleted(0xABC12345, "Tax"),
    deleted(2, "Garden"),
    deleted(2, "Garden", hours=1),
    deleted(3, "garden old"),
]


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        (TAX.trash_id, TAX),
        (GARDEN.trash_id, GARDEN),
        (TAX.session.session_id.upper(), TAX),
        ("Tax", TAX),
        (" tAX ", TAX),
        ("abc1", TAX),
        ("ABC1", TAX),
        (AGAIN.trash_id[:-5].lower(), AGAIN),
        ("00000003", OLD),
    ],
)
def test_a_deleted_session_is_named_in_many_ways(reference: str, meant: TrashedSession) -> None:
    assert trashed.resolve(reference, TRASH) is meant


def test_a_name_goes_before_the_beginning_of_an_id() -> None:
    named = deleted(9, "abc1")
    assert trashed.resolve("abc1", [*TRASH, named]) is named


@pytest.mark.parametrize("reference", ["Garden", GARDEN.session.session_id, "00000002"])
def test_of_several_all_are_listed_by_their_ids_in_the_trash(reference: str) -> None:
    with pytest.raises(SessionNotFoundError, match="2 deleted sessions answer to") as caught:
        trashed.resolve(reference, TRASH)
    assert caught.value.candidates == tuple(
        f"{each.trash_id}  Garden  (deleted {local_time(each.deleted_at)})"
        for each in (GARDEN, AGAIN)
    )


@pytest.mark.parametrize(("reference", "near"), [("Gardn", 3), ("old", 1), ("zzzzzz", 4)])
def test_an_unknown_name_lists_the_nearest(reference: str, near: int) -> None:
    with pytest.raises(SessionNotFoundError, match="No deleted session") as caught:
        trashed.resolve(reference, TRASH)
    assert len(caught.value.candidates) == near
    assert caught.value.hint == ("The trash holds:" if near == 4 else "The nearest are:")


@pytest.mark.parametrize("reference", ["", "  "])
def test_nothing_names_nothing(reference: str) -> None:
    with pytest.raises(SessionNotFoundError, match="An empty text"):
        trashed.resolve(reference, TRASH)


def test_an_empty_trash_is_named() -> None:
    with pytest.raises(SessionNotFoundError) as caught:
        trashed.resolve("x", [])
    assert caught.value.hint == "The trash is empty."


def test_of_many_candidates_the_rest_is_counted() -> None:
    many = [deleted(7, "Same", hours=hour) for hour in range(30)]
    with pytest.raises(SessionNotFoundError) as caught:
        trashed.resolve("Same", many)
    assert len(caught.value.candidates) == trashed.CANDIDATES + 1
    assert caught.value.candidates[-1] == "and 20 more"


def test_what_a_row_shows_as_the_id_names_the_session() -> None:
    rows = trashed.rows(TRASH)
    assert rows[0] == ("abc12345", "Tax", "2881561413", local_time(TAX.deleted_at), "1.2 kB")
    assert [row[0] for row in rows[1:3]] == [GARDEN.trash_id, AGAIN.trash_id]
    for row, each in zip(rows, TRASH, strict=True):
        assert trashed.resolve(row[0], TRASH) is each


def test_names_are_shown_and_not_obeyed() -> None:
    evil = deleted(1, "a\x1b[2J\nb", size=5)
    assert trashed.rows([evil])[0][1] == "a␛[2J b"
    assert trashed.describe(evil) == "'a␛[2J b' (00000001), 1 message, 5 B"
