"""Calls of tools, as servers really send them."""

from __future__ import annotations

import pytest

from agno_shell.builtin.model_services.wires.framing import DamagedError
from agno_shell.builtin.model_services.wires.reading import Calls

Piece = tuple[int | None, str | None, str | None, object]


def put_together(*pieces: Piece) -> list[tuple[str, str]]:
    calls = Calls()
    for piece in pieces:
        calls.piece(*piece)
    made = list(calls.events())
    assert len({call.id for call in made}) == len(made)
    assert all(call.id for call in made)
    return [(call.name, call.arguments) for call in made]


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, "a", "add", ""), (0, None, None, '{"a"'), (0, None, None, ": 1}")],
        [(None, "a", "add", '{"a"'), (None, None, None, ": 1}")],
        [(None, "a", "add", '{"a"'), (None, "a", None, ": 1}")],
        [(None, None, "add", '{"a": 1}')],
        [(0, "a", "add", {"a": 1})],
        [(0, "a", "", ""), (0, "", "add", '{"a": 1}')],
    ],
)
def test_one_call(pieces: list[Piece]) -> None:
    assert put_together(*pieces) == [("add", '{"a": 1}')]


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, "a", "add", "{}"), (1, "b", "sub", "{}")],
        [(0, "a", "add", "{}"), (0, "b", "sub", "{}")],
        [(None, "a", "add", "{}"), (None, "b", "sub", "{}")],
        [(None, None, "add", "{}"), (None, None, "sub", "{}")],
        [(0, "a", "add", "{"), (1, "b", "sub", "{"), (0, None, None, "}"), (1, None, None, "}")],
        [(0, "a", "add", "{"), (1, "b", "sub", "{"), (1, None, None, "}"), (0, None, None, "}")],
    ],
)
def test_two_calls(pieces: list[Piece]) -> None:
    assert put_together(*pieces) == [("add", "{}"), ("sub", "{}")]


@pytest.mark.parametrize("arguments", [5, [1], True])
def test_arguments_of_no_form_are_damage(arguments: object) -> None:
    with pytest.raises(DamagedError):
        put_together((0, "a", "add", arguments))


def test_a_character_that_is_cut_in_two_is_whole_in_the_arguments() -> None:
    calls = Calls()
    for index, piece in ((0, '{"sign": "\ud83c'), (None, '\udf89", "half": "\ud83c"}')):
        calls.piece(index, "call_1", "show", piece)
    (call,) = calls.events()
    assert call.arguments == '{"sign": "🎉", "half": "\ud83c"}'
