from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agno_shell.builtin.json_storage import index_format
from agno_shell.builtin.json_storage.index_format import Entry
from agno_shell.types import Session, new_id

NOON = datetime(2026, 7, 20, 12, 0, 0, 5, UTC)


def entry(number: int) -> Entry:
    session = Session(
        f"abcdef0{number}-0000-4000-8000-000000000000",
        f'né {number}\n",',
        NOON,
        NOON,
        "d" * number,
        number,
        tags=("t",),
    )
    return Entry(session, 100 + number, 1_700_000_000_000_000_000 + number, number % 2 == 0)


ENTRIES = [entry(number) for number in range(4)]
IDS = [each.session.session_id for each in ENTRIES]
LINES = [index_format.line(each, local=False) for each in ENTRIES]


def test_the_bytes() -> None:
    session = Session("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "n", NOON, NOON, "d", 7)
    assert index_format.whole(None, [index_format.line(Entry(session, 12, 34), local=False)]) == (
        b'{"current_session_id":null                                  ,"sessions":[\n'
        b'{"session_id":"00000000-0000-0000-0000-000000000000","name":"n","description":"d",'
        b'"created_at":"2026-07-20T12:00:00.000005+00:00",'
        b'"messages_counted":         7,'
        b'"messages_size":          12,"messages_mtime_ns":                  34,'
        b'"messages_checked":false,'
        b'"updated_at":"2026-07-20T12:00:00.000005+00:00","message_count":         7}\n'
        b"]}\n"
    )
    assert index_format.whole(None, []).endswith(b'"sessions":[\n]}\n')


@pytest.mark.parametrize("current", [None, IDS[0]])
@pytest.mark.parametrize("number", range(4))
def test_an_index_comes_back(number: int, current: str | None) -> None:
    data = index_format.whole(current, LINES[:number])
    assert json.loads(data)["current_session_id"] == current
    assert index_format.read(data) == index_format.Contents(current, ENTRIES[:number])
    assert index_format.read_heading(data) == current
    assert index_format.lines(data) == dict(zip(IDS[:number], LINES[:number], strict=True))


def test_the_end_of_a_line_has_one_width() -> None:
    small = ENTRIES[0]
    large = Entry(
        small.session._replace(message_count=10**9, updated_at=datetime(9999, 1, 1, tzinfo=UTC)),
        10**11,
        10**18,
    )
    assert (
        len(index_format.tail(small, local=False))
        == len(index_format.tail(large, local=False))
        == index_format.TAIL_WIDTH
    )
    assert len(index_format.heading(None)) == len(index_format.heading(IDS[0]))
    assert len(index_format.heading(None)) == index_format.HEADING_WIDTH
    assert index_format.tail_updated_at(index_format.tail(small, local=False)) == NOON


def test_a_line_is_found_without_decoding() -> None:
    data = index_format.whole(None, LINES)
    for ident, line in zip(IDS, LINES, strict=True):
        place = index_format.find_line(data, ident)
        assert place is not None
        assert data[place[0] : sum(place)] == line
    assert index_format.find_line(data, new_id()) is None


def test_an_id_inside_a_text_is_not_a_line() -> None:
    ident = new_id()
    session = ENTRIES[0].session._replace(name=f'\n,{{"session_id":"{ident}",')
    data = index_format.whole(None, [index_format.line(Entry(session), local=False)])
    assert index_format.find_line(data, ident) is None


def test_what_this_version_does_not_know_stays() -> None:
    session = ENTRIES[0].session._replace(extra={"colour": {"a": 1}, "messages_size": 5})
    line = index_format.line(Entry(session, 1, 2), local=False)
    assert index_format.read_line(line) == Entry(session, 1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 300,
        b"[]",
        b"{}",
        b'{"sessions":5}',
        index_format.whole(None, LINES)[:-5],
        index_format.whole(None, LINES).replace(b'"d"', b"d"),
    ],
)
def test_a_damaged_index_is_none(data: bytes) -> None:
    assert index_format.read(data) is None


@pytest.mark.parametrize("ident", ["../../etc", "", None, 5, IDS[0].upper(), IDS[0] + "\n"])
def test_ids_from_the_file_are_checked(ident: object) -> None:
    data = json.dumps({"current_session_id": ident, "sessions": [{"session_id": ident}, 5]})
    assert index_format.read(data.encode()) is None
    mixed = json.dumps({"sessions": [{"session_id": ident}, {"session_id": IDS[1]}, 5]})
    contents = index_format.read(mixed.encode())
    assert contents is not None
    assert [each.session.session_id for each in contents.entries] == [IDS[1]]
    assert index_format.lines(data.encode()) is None


def plain() -> dict[str, object]:
    session = Session(IDS[0], "n", NOON, NOON, "d", 7)
    found: dict[str, object] = json.loads(
        index_format.line(Entry(session, 12, 34, checked=True), local=False)
    )
    return found


@pytest.mark.parametrize(
    "odd",
    [{}, {"message_count": -1, "messages_counted": -1}]
    + [{key: value} for key in plain() for value in (None, 5, -1, True, "", " ", [1], {"a": 1})]
    + [{"updated_at": "2020-01-01T00:00:00+00:00"}, {"created_at": "2020-01-01T00:00:00"}],
)
def test_a_usual_line_is_read_as_any_other(odd: dict[str, object]) -> None:
    """The order of the keys says nothing, but a line as it is written is read faster."""
    fields = plain() | odd
    backwards = dict(reversed(fields.items()))
    assert index_format.read_line(json.dumps(fields).encode()) == index_format.read_line(
        json.dumps(backwards).encode()
    )
