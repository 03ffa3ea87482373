from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agno_shell.builtin.json_storage import index_format, index_line
from agno_shell.builtin.json_storage.folder import UNKNOWN, Entry
from agno_shell.builtin.json_storage.index_format import salvage
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
LINES = [index_line.line(each, local=False) for each in ENTRIES]


def test_the_bytes() -> None:
    session = Session("0" * 8 + "-0000" * 3 + "-" + "0" * 12, "n", NOON, NOON, "d", 7)
    assert index_format.whole(None, [index_line.line(Entry(session, 12, 34), local=False)]) == (
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
        len(index_line.tail(small, local=False))
        == len(index_line.tail(large, local=False))
        == index_line.TAIL_WIDTH
    )
    assert len(index_format.heading(None)) == len(index_format.heading(IDS[0]))
    assert len(index_format.heading(None)) == index_line.HEADING_WIDTH
    assert index_line.tail_updated_at(index_line.tail(small, local=False)) == NOON


def test_a_line_is_found_without_decoding() -> None:
    data = index_format.whole(None, LINES)
    for ident, line in zip(IDS, LINES, strict=True):
        place = index_line.find_line(data, ident)
        assert place is not None
        assert data[place[0] : sum(place)] == line
    assert index_line.find_line(data, new_id()) is None


def test_an_id_inside_a_text_is_not_a_line() -> None:
    ident = new_id()
    session = ENTRIES[0].session._replace(name=f'\n,{{"session_id":"{ident}",')
    data = index_format.whole(None, [index_line.line(Entry(session), local=False)])
    assert index_line.find_line(data, ident) is None


def test_what_this_version_does_not_know_stays() -> None:
    session = ENTRIES[0].session._replace(extra={"colour": {"a": 1}, "messages_size": 5})
    line = index_line.line(Entry(session, 1, 2), local=False)
    assert index_line.read_line(line) == Entry(session, 1, 2)


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
        index_line.line(Entry(session, 12, 34, checked=True), local=False)
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
    assert index_line.read_line(json.dumps(fields).encode()) == index_line.read_line(
        json.dumps(backwards).encode()
    )


PRETTY = json.dumps(
    {
        "current_session_id": IDS[1],
        "sessions": [
            {
                "session_id": each.session.session_id,
                "name": each.session.name,
                "created_at": "2026-03-01T10:00:00",
                "updated_at": "2026-03-01T10:01:00.5",
                "message_count": 2,
                "description": "",
            }
            for each in ENTRIES[:3]
        ],
    },
    indent=2,
).encode()
"""As agno-cli writes it."""


def test_a_file_of_local_times_is_known_by_any_of_them() -> None:
    assert index_format.is_local(PRETTY)
    assert index_format.is_local(PRETTY[:300])
    lines = [index_line.line(each, local=True) for each in ENTRIES]
    assert index_format.is_local(index_format.whole(None, lines))
    assert not index_format.is_local(index_format.whole(None, LINES))
    assert not index_format.is_local(PRETTY.replace(b'00"', b'00Z"').replace(b'.5"', b'.5+01:00"'))
    assert not index_format.is_local(b"")


def test_lines_of_local_times_come_back() -> None:
    lines = [index_line.line(each, local=True) for each in ENTRIES]
    assert index_format.read(index_format.whole(None, lines)) == index_format.Contents(
        None, ENTRIES
    )


@pytest.mark.parametrize("current", [IDS[2], IDS[1], None])
def test_naming_another_session_changes_nothing_else(current: str | None) -> None:
    changed = index_format.with_current(PRETTY, current)
    assert changed is not None
    before, after = json.loads(PRETTY), json.loads(changed)
    assert after.pop("current_session_id") == current
    assert before.pop("current_session_id")
    assert after == before
    none = changed.replace(json.dumps(current).encode(), b"null", 1)
    assert index_format.with_current(none, IDS[1]) == PRETTY


@pytest.mark.parametrize(
    "data", [PRETTY[:-4], b"{}", PRETTY.replace(b"current_session_id", b"current", 1)]
)
def test_naming_one_where_that_cannot_be_done_in_place(data: bytes) -> None:
    assert index_format.with_current(data, IDS[0]) is None


@pytest.mark.parametrize("cut", range(1, len(PRETTY), 7))
def test_what_can_be_read_of_a_torn_file(cut: int) -> None:
    """In agno-cli's layout, in one line, and in ours: every name that is there whole."""
    for data in (PRETTY, json.dumps(json.loads(PRETTY)).encode(), index_format.whole(None, LINES)):
        torn = data[:-cut]
        names = [each.session.name for each in salvage(torn).entries]
        whole = [
            each.session.name
            for each in ENTRIES
            if any(
                form.encode() in torn
                for ascii_only in (True, False)
                for space in (" ", "")
                for end in (",", "\n")
                for form in [
                    f'"name":{space}{json.dumps(each.session.name, ensure_ascii=ascii_only)}{end}'
                ]
            )
        ]
        assert names[: len(whole)] == whole


def test_what_a_damaged_file_says_of_messages_does_not_count() -> None:
    torn = index_format.whole(IDS[1], LINES)[:-9]
    found = salvage(torn)
    assert found.current == IDS[1]
    assert {each.mtime_ns for each in found.entries} == {UNKNOWN}
    assert salvage(b"\xff" * 99) == index_format.Contents(None, [])
    assert salvage(b'{"a' * 5000) == index_format.Contents(None, [])


def test_whether_a_file_says_all_that_another_one_did() -> None:
    contents = index_format.read(PRETTY)
    assert contents is not None
    lines = [index_line.line(each, local=True) for each in contents.entries]
    ours = index_format.whole(None, lines)
    assert index_format.says_all(ours, PRETTY)
    assert not index_format.says_all(index_format.whole(None, lines[1:]), PRETTY)
    assert not index_format.says_all(ours, PRETTY[:-3])
    for word, other in (
        (b'"description": ""', b'"description": "x"'),
        (b'"description": ""', b'"description": "", "more": 1'),
        (b'"message_count": 2', b'"message_count": 3'),
        (b"10:01:00", b"10:02:00"),
        (b"10:00:00", b"10:00:01"),
        (b'"sessions"', b'"version": 1, "sessions"'),
        (IDS[1].encode(), IDS[0].encode()),
    ):
        assert not index_format.says_all(ours, PRETTY.replace(word, other)), word
