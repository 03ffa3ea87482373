"""Records are the same for every way of splitting a body, and nothing is skipped in silence."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.model_services.wires.framing import (
    DamagedError,
    Framing,
    JsonLines,
    LineTooLongError,
    ServerSentEvents,
    StreamEvent,
    decoded,
)

VALID = (
    "\ufeff: a comment\n"
    "retry: 3000\n\n"
    'data: {"n": 1}\n\n'
    ": ping\n\n"
    "event: named\r\n"
    "id: 7\r\n"
    'data:{"n": 2}\r\n\r\n'
    "data:\n\n"
    'data: {"n":\ndata: 3}\n\n'
    "unknown: field\r"
    'data: "Grüße 🎉"\r\r'
    "data: [DONE]\n\n"
    'data: {"cut": '
).encode()
RECORDS = [
    StreamEvent("", '{"n": 1}'),
    StreamEvent("named", '{"n": 2}'),
    StreamEvent("", '{"n":\n3}'),
    StreamEvent("", '"Grüße 🎉"'),
    StreamEvent("", "[DONE]"),
]


def read(framing: Framing, pieces: list[bytes]) -> list[StreamEvent]:
    return [*(record for piece in pieces for record in framing.feed(piece)), *framing.end()]


def test_every_split_in_two_gives_the_same_events() -> None:
    for at in range(len(VALID) + 1):
        assert read(ServerSentEvents(1000), [VALID[:at], VALID[at:]]) == RECORDS


@given(st.lists(st.integers(0, len(VALID)), max_size=40))
def test_every_split_gives_the_same_events(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(VALID)]
    pieces = [VALID[a:b] for a, b in pairwise(cuts)]
    assert read(ServerSentEvents(1000), pieces) == RECORDS


def test_single_bytes_give_the_same_events() -> None:
    assert read(ServerSentEvents(1000), [bytes([byte]) for byte in VALID]) == RECORDS


LINES = '{"a": 1}\n\r\n{"b": "ü"}\r\n{"c": 3}'.encode()


@pytest.mark.parametrize("at", range(len(LINES) + 1))
def test_json_lines_are_the_same_for_every_split_and_the_last_needs_no_end(at: int) -> None:
    records = read(JsonLines(1000), [LINES[:at], LINES[at:]])
    assert [record.data for record in records] == ['{"a": 1}', '{"b": "ü"}', '{"c": 3}']


@pytest.mark.parametrize("framing", [ServerSentEvents, JsonLines])
def test_a_line_too_long_is_refused_while_it_comes(framing: type[Framing]) -> None:
    reader = framing(100)  # type: ignore[call-arg]
    assert list(reader.feed(b"x" * 60)) == []
    with pytest.raises(LineTooLongError):
        list(reader.feed(b"x" * 60))
    with pytest.raises(LineTooLongError):
        list(framing(100).feed(b"x" * 120 + b"\n"))  # type: ignore[call-arg]


def test_bytes_that_are_no_text_are_damage() -> None:
    with pytest.raises(DamagedError, match="not UTF-8"):
        list(ServerSentEvents(100).feed(b"data: \xff\xfe\n\n"))


@pytest.mark.parametrize("data", ["{not json", "[1]", '"text"', "nul", '{"a": ' * 5000])
def test_what_is_no_object_is_damage(data: str) -> None:
    with pytest.raises(DamagedError):
        decoded(StreamEvent("", data))
