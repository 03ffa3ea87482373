from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.commands import arguments
from agno_shell.builtin.commands.arguments import (
    clean_name,
    first_word,
    nearest,
    positive_number,
    split_description,
    split_reference,
    switch_word,
    take_flag,
    unquote,
)
from agno_shell.errors import UsageError
from agno_shell.types import Session, now


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("", ("", False)),
        (" --yes ", ("", True)),
        ("--yes  My garden", ("My garden", True)),
        ("My  garden --yes", ("My  garden", True)),
        ("My --yes garden", ("My --yes garden", False)),
        ("--yesterday", ("--yesterday", False)),
        ("not--yes", ("not--yes", False)),
    ],
)
def test_a_flag_stands_at_either_end(text: str, taken: tuple[str, bool]) -> None:
    assert take_flag(text, "--yes") == taken


OPEN = "1a2b3c4d-0000-4000-8000-000000000000"
OTHER = "deadbeef-0000-4000-8000-000000000001"
THIRD = "deadb00f-0000-4000-8000-000000000002"


def session(session_id: str, name: str) -> Session:
    return Session(session_id, name, now(), now())


SESSIONS = [session(OPEN, "Plan"), session(OTHER, "Tax return"), session(THIRD, "Garden")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "")),
        ("one", ("one", "")),
        ("one two  three", ("one", "two  three")),
        ('"one two" three', ("one two", "three")),
        ("'one two' three", ("one two", "three")),
        ('"one two', ('"one', "two")),
        ("don't panic", ("don't", "panic")),
        ('"one"two three', ('"one"two', "three")),
        ('"" rest', ("", "rest")),
    ],
)
def test_first_word(text: str, expected: Any) -> None:
    assert first_word(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (' "a b" ', "a b"),
        ("'a b'", "a b"),
        ('"a" and "b"', '"a" and "b"'),
        ('"a', '"a'),
        ('"', '"'),
        ('""', ""),
        ("plain", "plain"),
    ],
)
def test_unquote(text: str, expected: Any) -> None:
    assert unquote(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "")),
        ("Plan", ("Plan", "")),
        ("Plan -- for June", ("Plan", "for June")),
        ("-- for June", ("", "for June")),
        ("Plan --", ("Plan", "")),
        ("a--b -- c -- d", ("a--b", "c -- d")),
        ("Plan --now", ("Plan --now", "")),
        ('"Plan" -- "for June"', ("Plan", "for June")),
    ],
)
def test_split_description(text: str, expected: Any) -> None:
    assert split_description(text) == expected


def test_a_name_is_one_line() -> None:
    assert clean_name(' "a\nb\t c\u2028d" ') == "a b c d"


@pytest.mark.parametrize("text", ["", "  ", '""', "\n"])
def test_an_empty_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be empty"):
        clean_name(text)


def test_a_name_of_200_characters_is_the_longest() -> None:
    assert clean_name("x" * 200) == "x" * 200
    with pytest.raises(UsageError, match="can have 200 characters; this one has 201"):
        clean_name("x" * 201)


@pytest.mark.parametrize(
    ("text", "session_id", "rest"),
    [
        ('"Plan" B', OPEN, "B"),  # the open session, and meant so
        ("New name", None, "New name"),
        ("Garden", None, "Garden"),  # nothing follows: it is the name
        ("Garden Flowers", THIRD, "Flowers"),
        ("garden Flowers", None, "garden Flowers"),  # not the exact name
        ('"Tax return" Taxes 2026', OTHER, "Taxes 2026"),
        ("Tax return Taxes", None, "Tax return Taxes"),
        ('"Tax return Taxes', None, '"Tax return Taxes'),  # never closed
        ("deadbe Taxes", OTHER, "Taxes"),
        ("DEADBE Taxes", OTHER, "Taxes"),
        ("deadb Taxes", None, "deadb Taxes"),  # of two ids
        ("dea Taxes", None, "dea Taxes"),  # too short
        (f"{OTHER} Taxes", OTHER, "Taxes"),
        ("Plan B", None, "Plan B"),  # the open session's own name
        ("1a2b things", None, "1a2b things"),  # the open session, by too little
        ("1a2b3c4d Things", OPEN, "Things"),
        ("zzzz Taxes", None, "zzzz Taxes"),
    ],
)
def test_split_reference(text: str, session_id: str, rest: Any) -> None:
    found, remaining = split_reference(text, SESSIONS, OPEN)
    assert (found.session_id if found else None, remaining) == (session_id, rest)


def test_a_name_that_two_sessions_have_is_no_reference() -> None:
    sessions = [*SESSIONS, session("00000000-0000-4000-8000-000000000003", "Garden")]
    assert split_reference("Garden Flowers", sessions, OPEN) == (None, "Garden Flowers")


@given(st.text())
def test_nothing_typed_is_lost_when_there_are_no_sessions(text: str) -> None:
    assert split_reference(text, [], OPEN) == (None, text.strip())


@given(st.text(alphabet="ab\"' \n-"))
def test_taking_apart_never_fails(text: str) -> None:
    word, rest = first_word(text)
    assert set(word + rest) <= set(text)
    name, description = split_description(text)
    assert set(name + description) <= set(text)


def test_switch_word() -> None:
    assert switch_word(" ON ", "trace") is True
    assert switch_word("off", "trace") is False
    assert switch_word("", "trace") is None
    with pytest.raises(UsageError, match="/trace takes on or off, not 'maybe'"):
        switch_word("maybe", "trace")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "٣", "1_0", "ten", "9" * 5000])
def test_what_is_no_number_from_1_up(text: str) -> None:
    with pytest.raises(UsageError, match="takes a number from 1 up"):
        positive_number(text, "history", 10)


def test_positive_number() -> None:
    assert positive_number(" 12 ", "history", 10) == 12
    assert positive_number("", "history", 10) == 10


def test_nearest_puts_the_likest_first_and_ignores_case() -> None:
    assert nearest("Switsh", ["sessions", "switch", "new"])[0] == "switch"
    assert nearest("RETURN", ["Tax return", "Garden"]) == ["Tax return"]
    assert nearest("qqq", ["Tax return", "Garden"]) == []
    assert nearest("", ["Tax return"]) == []


def test_prefixes_shown_are_long_enough_to_be_typed() -> None:
    assert arguments.SHOWN_LENGTH >= arguments.PREFIX_LENGTH
