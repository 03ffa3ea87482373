from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.json_storage import layout
from agno_shell.builtin.json_storage.message_reader import lines_backwards
from agno_shell.builtin.json_storage.session_writer import addition
from agno_shell.toolkit import json_records

LINES = [
    json_records.dumps({"id": str(number), "content": f"é{number}\n]\n"}) for number in range(5)
]
OBJECTS = [json.loads(line) for line in LINES]


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


def test_the_bytes() -> None:
    assert layout.whole([]) == b"[\n]\n"
    assert layout.whole([b"{1}"]) == b"[\n{1}\n]\n"
    assert layout.whole([b"{1}", b"{2}", b"{3}"]) == b"[\n{1}\n,{2}\n,{3}\n]\n"


def test_appending_is_the_same_as_writing_the_whole() -> None:
    data = layout.EMPTY
    for number, line in enumerate(LINES):
        data = data[: -len(layout.CLOSING)] + addition(line, first=number == 0)
        assert data == layout.whole(LINES[: number + 1])
        assert layout.count(data) == number + 1
        assert layout.read(data) == layout.FileContents(OBJECTS[: number + 1], "ours")


@pytest.mark.parametrize("filling", [b"", b"\0", b"x", b'{"content":"stale"}\n'])
@pytest.mark.parametrize("held", [0, 1, 3])
def test_an_append_torn_at_any_byte_loses_nothing_that_was_there(held: int, filling: bytes) -> None:
    before = layout.whole(LINES[:held])
    end = len(before) - len(layout.CLOSING)
    added = addition(LINES[held], first=held == 0)
    for cut in range(len(added) + 1):
        torn = added[:cut]
        if filling:
            torn += (filling * len(added))[: len(added) - cut]
        elif cut < len(layout.CLOSING):
            torn += before[end + cut :]
        found = layout.read(before[:end] + torn).objects
        assert found[:held] == OBJECTS[:held]
        if cut > len(added) - len(layout.TAIL):
            assert found[held] == OBJECTS[held]


def test_a_damaged_line_costs_that_line() -> None:
    for lost in range(5):
        lines = [*LINES]
        lines[lost] = lines[lost][:9] + b"\xff\0" + lines[lost][11:-3]
        found = layout.read(layout.whole(lines))
        assert found.form == "damaged"
        assert found.objects == OBJECTS[:lost] + OBJECTS[lost + 1 :]


SPACED = json.dumps(OBJECTS, indent=2, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (SPACED, "foreign"),
        (b"\xef\xbb\xbf" + SPACED, "foreign"),
        (SPACED.replace(b"\n", b"\r\n"), "foreign"),
        (json.dumps(OBJECTS).encode(), "foreign"),
        (SPACED.decode().encode("utf-16"), "foreign"),
        (b"\n".join(LINES) + b"\n", "damaged"),
        (b"\n".join(LINES), "damaged"),
        (layout.whole(LINES[:2]) + layout.whole(LINES[2:]), "damaged"),
        (layout.whole(LINES) + b"\0" * 500, "damaged"),
        (layout.whole(LINES)[:-3], "damaged"),
        (b",".join(LINES), "damaged"),
    ],
)
def test_other_layouts_are_read(data: bytes, form: layout.Form) -> None:
    assert layout.read(data) == layout.FileContents(OBJECTS, form)


@pytest.mark.parametrize("garbage", [b"\0" * 4096, b"\xff" * 100, b"not json", b"5", b'{"a":1}'])
def test_garbage_is_damage(garbage: bytes) -> None:
    assert layout.read(garbage) == layout.FileContents([], "damaged")


def test_no_bytes_at_all() -> None:
    assert layout.read(b"") == layout.FileContents([], "empty")


def test_a_pretty_printed_file_cut_off() -> None:
    cut = SPACED[: SPACED.index(b'"3"')]
    assert layout.read(cut).objects == OBJECTS[:3]


def test_not_a_number_is_read_as_nothing() -> None:
    assert layout.read(b'[{"content":"x","cost":NaN}]').objects == [{"content": "x", "cost": None}]


@pytest.mark.parametrize("filler", ["9" * 5000, "[" * 100_000, '{"a":' * 100_000])
def test_what_python_cannot_read_costs_its_line(filler: str) -> None:
    bad = b'{"id":"b","content":' + filler.encode() + b"}"
    data = layout.whole([LINES[0], bad, LINES[1]])
    assert layout.read(data) == layout.FileContents(OBJECTS[:2], "damaged")


def test_things_that_are_no_objects_are_left_out() -> None:
    assert layout.read(b'[1,{"content":"x"},null]').objects == [{"content": "x"}]


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(data: bytes) -> None:
    layout.read(data)
    layout.read(layout.whole(LINES[:2])[:-2] + data)


@given(st.integers(0, 250), st.binary(min_size=1, max_size=4))
def test_changed_bytes_never_cost_two_lines_before_them(place: int, change: bytes) -> None:
    data = layout.whole(LINES)
    place = min(place, len(data) - len(change))
    found = layout.read(data[:place] + change + data[place + len(change) :]).objects
    before = data[:place].count(b"\n") - 1
    assert found[: max(0, before - 1)] == OBJECTS[: max(0, before - 1)]


# From the end ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100, 5000, 40_000])
@pytest.mark.parametrize("number", [0, 1, 2, 30])
def test_lines_backwards(number: int, size: int) -> None:
    lines = [json_records.dumps({"content": "é" * size, "n": each}) for each in range(number)]
    data = layout.whole(lines)
    assert list(lines_backwards(reader(data), len(data))) == lines[::-1]


def test_only_the_end_is_read() -> None:
    lines = [json_records.dumps({"content": "x" * 100, "n": each}) for each in range(10_000)]
    data = layout.whole(lines)
    asked: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    backwards = lines_backwards(read_at, len(data))
    assert [next(backwards) for _ in range(50)] == lines[:-51:-1]
    assert sum(asked) <= 2 * 16 * 1024


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", SPACED, b"\n".join(LINES), layout.whole(LINES)[:-1], layout.whole(LINES) + b"\n"],
)
def test_other_layouts_are_not_read_backwards(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(lines_backwards(reader(data), len(data)))


@pytest.mark.parametrize("held", [0, 1, 3])
def test_counting_what_was_added(held: int) -> None:
    for added in range(3):
        data = layout.whole(LINES[: held + added])
        end = len(layout.whole(LINES[:held])) - len(layout.CLOSING)
        assert layout.count_added(data[end:], first=held == 0) == added


def test_other_bytes_are_no_additions() -> None:
    for data in (b"", b"x", b"{}\n]\n", b",{}\n]", b",{}\n{}\n]\n"):
        assert layout.count_added(data, first=False) is None


def test_counting_refuses_what_must_be_read() -> None:
    cases: list[Any] = [SPACED, b"", b"\n".join(LINES), layout.whole(LINES)[:-1]]
    assert [layout.count(data) for data in cases] == [None] * len(cases)
