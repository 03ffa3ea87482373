from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unicodedata import normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agno_shell.conversation.references import describe, resolve
from agno_shell.errors import SessionNotFoundError
from agno_shell.toolkit.session_names import loose_key, name_key, session_name
from agno_shell.types import Session

MOMENT = datetime(2026, 7, 20, 10, 30, tzinfo=UTC)


def session(session_id: str, name: str, minutes: int = 0) -> Session:
    return Session(session_id, name, MOMENT, MOMENT + timedelta(minutes=minutes))


TAX = session("1a2b3c4d-0000-4000-8000-000000000001", "Tax questions")
TAX_2026 = session("1a2bffff-0000-4000-8000-000000000002", "Tax 2026")
POEMS = session("9f000000-0000-4000-8000-000000000003", "Poems")
PREFIX = session("77000000-0000-4000-8000-000000000004", "1a2b3")
TWIN = session("88000000-0000-4000-8000-000000000005", "poems")
ALL = [TAX, TAX_2026, POEMS, PREFIX]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (TAX.session_id, TAX),
        (TAX.session_id.upper(), TAX),
        ("1a2b3c", TAX),
        ("9", POEMS),
        ("9F", POEMS),
        ("  Poems ", POEMS),
        ("POEMS", POEMS),
        ("tax 2026", TAX_2026),
        ("1a2b3", PREFIX),  # a whole name goes before the beginning of an id
    ],
)
def test_what_a_reference_means(reference: str, expected: Session) -> None:
    assert resolve(reference, ALL) is expected


def test_the_exact_name_goes_before_one_in_other_letters() -> None:
    assert resolve("poems", [POEMS, TWIN]) is TWIN
    assert resolve("Poems", [POEMS, TWIN]) is POEMS


def test_several_sessions_are_listed() -> None:
    with pytest.raises(SessionNotFoundError, match='"1a2b" means 2 sessions') as caught:
        resolve("1a2b", ALL)
    assert caught.value.candidates == (describe(TAX), describe(TAX_2026))
    with pytest.raises(SessionNotFoundError, match='"POEMS" means 2 sessions') as caught:
        resolve("POEMS", [POEMS, TWIN])
    assert len(caught.value.candidates) == 2


def test_candidates_with_the_same_first_eight_digits_are_told_apart() -> None:
    near = [session(f"1a2b3c4d-{n:04x}-4000-8000-000000000000", "Same") for n in range(3)]
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("Same", near)
    shown = [candidate.split()[0] for candidate in caught.value.candidates]
    for candidate, each in zip(shown, near, strict=True):
        assert resolve(candidate, near) is each


def test_many_candidates_are_cut_short_and_counted() -> None:
    many = [session(f"{n:08x}-0000-4000-8000-000000000000", "Same") for n in range(25)]
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("Same", many)
    assert len(caught.value.candidates) == 11
    assert caught.value.candidates[-1] == "and 15 more"


@pytest.mark.parametrize(
    ("reference", "nearest"), [("Potems", [POEMS]), ("tax", [TAX, TAX_2026]), ("quest", [TAX])]
)
def test_an_unknown_reference_lists_the_nearest(reference: str, nearest: list[Session]) -> None:
    with pytest.raises(SessionNotFoundError, match=f'no session "{reference}"') as caught:
        resolve(reference, ALL)
    assert list(caught.value.candidates) == [describe(each) for each in nearest]


def test_what_is_like_nothing_names_the_next_step() -> None:
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("zzzzzz", ALL)
    assert caught.value.candidates == ()
    assert "session --list" in caught.value.hint
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("x", [])
    assert "no sessions yet" in caught.value.hint


@pytest.mark.parametrize("reference", ["", "  "])
def test_an_empty_reference_is_refused_even_with_a_single_session(reference: str) -> None:
    with pytest.raises(SessionNotFoundError, match="empty"):
        resolve(reference, [TAX])


def test_a_long_reference_is_shortened_in_the_sentence() -> None:
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("x" * 100_000, ALL)
    assert len(str(caught.value)) < 100


@given(st.text(max_size=12), st.lists(st.text(max_size=4), max_size=6))
def test_whatever_is_typed_one_session_or_one_error_comes_out(
    reference: str, names: list[str]
) -> None:
    sessions = [
        session(f"{n:08x}-0000-4000-8000-000000000000", name) for n, name in enumerate(names)
    ]
    try:
        found = resolve(reference, sessions)
    except SessionNotFoundError:
        return
    wanted = reference.strip()
    assert found.session_id.startswith(wanted.lower()) or (
        loose_key(found.name) == loose_key(wanted)
    )


@pytest.mark.parametrize("given", ["Café", "Cafe\u0301"])
@pytest.mark.parametrize("typed", ["Café", "Cafe\u0301", " Café ", "CAFE\u0301"])
def test_a_name_is_found_however_its_letters_are_composed(given: str, typed: str) -> None:
    named = session(POEMS.session_id, given)
    assert resolve(typed, [TAX, named]) is named


@pytest.mark.parametrize("kept", ["  two   words ", "two words", "two\twords"])
def test_blanks_make_no_other_name(kept: str) -> None:
    """Other programs keep them as they were typed."""
    named = session(POEMS.session_id, kept)
    for typed in ("two words", "  two   words ", " two  words"):
        assert resolve(typed, [TAX, named]) is named


def test_names_that_read_the_same_are_candidates_unless_one_is_meant_exactly() -> None:
    first, second = session(TAX.session_id, "a  b"), session(POEMS.session_id, " a b")
    assert resolve("a  b", [first, second]) is first
    assert resolve(" a b", [first, second]) is second
    with pytest.raises(SessionNotFoundError) as caught:
        resolve("a b", [first, second])
    assert len(caught.value.candidates) == 2


@given(st.text(max_size=30), st.text(max_size=12))
def test_what_a_session_was_called_with_is_what_finds_it(given_name: str, other: str) -> None:
    name = session_name(given_name)
    if not name:
        return
    named = session(POEMS.session_id, name)
    assume(name_key(other) != name_key(name) and not TAX.session_id.startswith(name.lower()))
    for typed in (given_name, normalize("NFD", given_name), normalize("NFC", given_name)):
        assert resolve(typed, [session(TAX.session_id, other), named]) is named
