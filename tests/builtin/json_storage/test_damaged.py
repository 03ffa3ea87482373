"""Every damaged ``messages.json`` that is found in the wild opens or is named; nothing is
lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.builtin.json_storage import layout, message_reader
from agno_shell.contracts import Storage
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import Message

Opened = Callable[[], Storage]


def objects(data: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(data)
    return found


def pretty(data: bytes) -> bytes:
    return json.dumps(objects(data), indent=4).encode()


def without(key: str) -> Callable[[bytes], bytes]:
    def remove(data: bytes) -> bytes:
        return json.dumps(
            [{k: v for k, v in o.items() if k != key} for o in objects(data)]
        ).encode()

    return remove


def line_replaced(number: int, line: bytes) -> Callable[[bytes], bytes]:
    def replace(data: bytes) -> bytes:
        lines = data.split(b"\n")
        lines[number] = line
        return b"\n".join(lines)

    return replace


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], list[str], bool]] = {
    # name: (what happens to the file, what can still be read, whether a copy is kept)
    "empty": (lambda data: b"", [], False),
    "zeros": (lambda data: b"\0" * len(data), [], True),
    "zeros at the end": (lambda data: data + b"\0" * 4096, ["a", "b", "c"], True),
    "cut in the last message": (lambda data: data[:-20], ["a", "b"], True),
    "cut before the bracket": (lambda data: data[:-2], ["a", "b", "c"], True),
    "two arrays": (lambda data: data + b"[\n]\n", ["a", "b", "c"], True),
    "the same array twice": (lambda data: data + data, ["a", "b", "c"], True),
    "a line each, no array": (
        lambda data: b"".join(json.dumps(o).encode() + b"\n" for o in objects(data)),
        ["a", "b", "c"],
        True,
    ),
    "pretty-printed": (pretty, ["a", "b", "c"], True),
    "byte order mark": (lambda data: b"\xef\xbb\xbf" + data, ["a", "b", "c"], True),
    "CRLF": (lambda data: data.replace(b"\n", b"\r\n"), ["a", "b", "c"], True),
    "UTF-16": (lambda data: data.decode().encode("utf-16"), ["a", "b", "c"], True),
    "no ids": (without("id"), ["a", "b", "c"], True),
    "no roles": (without("role"), ["a", "b", "c"], True),
    "no parents": (without("parent"), ["a", "b", "c"], True),
    "no times": (without("created_at"), ["a", "b", "c"], True),
    "no content": (without("content"), ["", "", ""], True),
    "the same ids": (
        lambda data: json.dumps([{**o, "id": "1", "parent": None} for o in objects(data)]).encode(),
        ["c"],
        True,
    ),
    "a number of 5,000 digits": (
        line_replaced(2, b',{"n":' + b"9" * 5000 + b"}"),
        ["a", "c"],
        True,
    ),
    "nesting of 100,000": (line_replaced(2, b',{"n":' + b"[" * 100_000), ["a", "c"], True),
    "bytes that are no UTF-8": (line_replaced(2, b",\xff\xfe\xfd"), ["a", "c"], True),
    "a line of another program": (line_replaced(2, b"Traceback (most recent"), ["a", "c"], True),
    "not a number": (
        line_replaced(2, b',{"role":"user","content":"b","n":NaN}'),
        ["a", "b", "c"],
        True,
    ),
    "an object": (lambda data: b'{"messages": 5}', [], True),
    "no JSON": (lambda data: b"<!doctype html>\n<p>", [], True),
    "an object with messages": (
        lambda data: json.dumps({"title": "t", "messages": objects(data)}).encode(),
        ["a", "b", "c"],
        True,
    ),
    "an object with messages and more behind it": (
        lambda data: json.dumps({"messages": objects(data)}).encode() + b"\n]",
        ["a", "b", "c"],
        True,
    ),
    "a list in a list": (lambda data: json.dumps([objects(data)]).encode(), ["a", "b", "c"], True),
    "strings between": (
        lambda data: json.dumps(["x", *objects(data), None, 5]).encode(),
        ["a", "b", "c"],
        True,
    ),
    "a comma too many": (
        lambda data: data.replace(b"}\n]", b"},\n]"),
        ["a", "b", "c"],
        True,
    ),
    "a comma too few": (lambda data: data.replace(b",{", b"{"), ["a", "b", "c"], True),
    "pretty-printed and cut": (lambda data: pretty(data)[:-30], ["a", "b"], True),
    "pretty-printed with CRLF and a mark": (
        lambda data: b"\xef\xbb\xbf" + pretty(data).replace(b"\n", b"\r\n"),
        ["a", "b", "c"],
        True,
    ),
    "another number of 5,000 digits": (
        lambda data: data.replace(b'"b",', b'"b","n":' + b"9" * 5000 + b",").replace(
            b"\n]", b",[\n]"
        ),
        ["a", "c"],
        True,
    ),
    "zeros at the beginning": (lambda data: bytes(4096) + data, ["a", "b", "c"], True),
    "zeros in the middle": (line_replaced(2, bytes(200)), ["a", "c"], True),
    "white space": (lambda data: b" \n\n ", [], True),
    "an opening bracket": (lambda data: b"[", [], True),
    "null": (lambda data: b"null", [], True),
    "a text": (lambda data: b'"messages"', [], True),
    "as Python prints it": (lambda data: repr(objects(data)).encode(), [], True),
}


READABLE_AS_IT_IS = frozenset(
    ("empty", "pretty-printed", "byte order mark", "CRLF", "UTF-16", "an object with messages")
) | {"no ids", "no parents", "no roles", "no times", "no content", "the same ids"}
READABLE_AS_IT_IS |= {"pretty-printed with CRLF and a mark"}
"""Another layout is no damage, and nobody is told of it before it is written anew."""

TORN = frozenset(("zeros at the end", "cut in the last message", "cut before the bracket"))
"""An append that was cut off is mended as soon as the session is opened."""

COUNTED_BY_LINES = frozenset(("a number of 5,000 digits", "nesting of 100,000"))
"""A line that looks like a message is counted until the file is read as a whole."""


@pytest.mark.parametrize("name", DAMAGE)
def test_opening_a_damaged_message_file_says_so(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    """Whoever reads the end of a session alone must not take it for an empty one."""
    path = root / session_id / "messages.json"
    path.write_bytes(DAMAGE[name][0](path.read_bytes()))
    store = open_store()
    store.messages(session_id, last=2)
    lost = len(DAMAGE[name][1]) < 3 and name not in READABLE_AS_IT_IS
    assert bool(notices) or not lost, "a loss is said"


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_message_file(
    name: str, root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    damage, readable, kept = DAMAGE[name]
    path = root / session_id / "messages.json"
    broken = damage(path.read_bytes())
    path.write_bytes(broken)

    store = open_store()
    assert [each.content for each in store.messages(session_id)] == readable
    assert len(notices) == (name not in READABLE_AS_IT_IS), "one line, or none"
    assert all(str(path) in line and "\n" not in line for line in notices)
    assert [each.content for each in store.messages(session_id, last=2)] == readable[-2:]
    count = len(store.tree(session_id))
    assert count == (3 if name == "the same ids" else len(readable)), "nothing is doubled"
    lines = 3 if name in COUNTED_BY_LINES else count
    listed = {each.name: each.message_count for each in store.sessions()}
    assert listed == {"damaged": lines, "bystander": 1}
    assert path.read_bytes() == broken, "reading must not write"
    notices.clear()
    assert store.open(session_id).message_count == lines
    if name in TORN:
        assert [each.get("content") for each in objects(path.read_bytes())] == readable
    else:
        assert path.read_bytes() == broken, "nor must opening what is not merely torn"

    before = store.tree(session_id)
    new = message("new", before[-1] if before else None)
    assert store.append(session_id, new).message_count == count + 1
    again = open_store()
    assert [each.content for each in again.messages(session_id)] == [*readable, "new"]
    assert again.tree(session_id) == [*before, new], "what was read is what is written"
    assert len(objects(path.read_bytes())) == count + 1
    assert path.read_bytes().count(b"\n") == count + 3, "it is in the store's own layout"
    copies = list(path.parent.glob("messages.json.before-*"))
    assert [copy.read_bytes() for copy in copies] == ([broken] if kept else [])
    assert [line for line in notices if str(path) in line and "kept as" in line] == notices
    assert len(notices) == len(copies)


def test_each_line_of_a_broken_file_is_decoded_once(
    root: Path, session_id: str, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is found again and again in what follows it, unless only lines are looked
    at: a file of a few megabytes took minutes."""
    path = root / session_id / "messages.json"
    broken = repr(objects(path.read_bytes())[0]).encode() + b"\n,"
    path.write_bytes(b"[\n" + broken * 2000 + path.read_bytes()[2:])
    looked_at = 0
    scan = layout.json_records.scan

    def counted(text: str, position: int) -> object:
        nonlocal looked_at
        looked_at += len(text) - position
        return scan(text, position)

    monkeypatch.setattr(layout.json_records, "scan", counted)
    assert [each.content for each in open_store().messages(session_id)] == ["a", "b", "c"]
    assert looked_at < 10 * path.stat().st_size


def test_a_reader_in_the_middle_of_an_append_sees_what_was_saved(
    root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / session_id / "messages.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + b',{"id":"x","role":"us')
    store = open_store()
    assert [each.content for each in store.messages(session_id)] == ["a", "b", "c"]
    assert [each.content for each in store.messages(session_id, last=2)] == ["b", "c"]


def test_a_file_that_looks_damaged_is_looked_at_again(
    root: Path,
    session_id: str,
    open_store: Opened,
    monkeypatch: pytest.MonkeyPatch,
    notices: list[str],
) -> None:
    """Another shell was in the middle of an append, and finishes it."""
    path = root / session_id / "messages.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + b',{"id":"x","role":"us')
    monkeypatch.setattr(message_reader.time, "sleep", lambda _: path.write_bytes(whole))
    store = open_store()
    assert [each.content for each in store.messages(session_id)] == ["a", "b", "c"]
    assert notices == []


def same_look(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change bytes under the store, leaving size and time as they were."""
    before = path.stat()
    data = change(path.read_bytes())
    path.write_bytes(data)
    assert len(data) == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_the_end_of_a_file_is_looked_at_before_every_append(root: Path, open_store: Opened) -> None:
    store = open_store()
    session_id = store.create("rotten").session_id
    said = say(store, session_id, "a", "b")
    path = root / session_id / "messages.json"
    same_look(path, lambda data: data[:-3] + b"xxx")
    store.append(session_id, message("c", said[-1]))
    assert [each["content"] for each in objects(path.read_bytes())] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"role":"user"', b'"role":"user ', 1),
        lambda data: data[:-2] + b",{no message}\n]\n",
        lambda data: data[:-2] + b'{"content":"no comma"}\n]\n',
    ],
    ids=["same size", "garbage added", "no comma"],
)
def test_what_another_program_did_between_two_appends_is_noticed(
    change: Callable[[bytes], bytes], root: Path, open_store: Opened
) -> None:
    store = open_store()
    session_id = store.create("meddled with").session_id
    say(store, session_id, "a", "b")
    path = root / session_id / "messages.json"
    broken = change(path.read_bytes())
    path.write_bytes(broken)
    readable = [each.content for each in store.tree(session_id)]
    after = store.append(session_id, message("c"))
    written = [each["content"] for each in objects(path.read_bytes())]
    assert written == [*readable, "c"]
    assert after.message_count == len(written)
    (copy,) = path.parent.glob("messages.json.before-*")
    assert copy.read_bytes() == broken


def test_a_damaged_file_is_named_once_when_it_is_read(
    root: Path, session_id: str, open_store: Opened, notices: list[str]
) -> None:
    path = root / session_id / "messages.json"
    path.write_bytes(path.read_bytes()[:-20])
    store = open_store()
    for _ in range(3):
        store.messages(session_id)
    (told,) = notices
    assert str(path) in told
    assert "2 messages" in told


def test_a_lost_message_file_is_an_empty_conversation(
    root: Path, session_id: str, open_store: Opened
) -> None:
    (root / session_id / "messages.json").unlink()
    store = open_store()
    assert store.messages(session_id) == []
    assert store.open(session_id).message_count == 0
    new: list[Message] = say(store, session_id, "again")
    assert store.messages(session_id) == new


def test_an_index_made_from_lines_does_not_make_a_file_sound(
    root: Path, session_id: str, open_store: Opened
) -> None:
    path = root / session_id / "messages.json"
    path.write_bytes(line_replaced(2, b',{"n":' + b"9" * 5000 + b"}")(path.read_bytes()))
    (root / "sessions.json").unlink()
    open_store().create("makes a new index")
    say(open_store(), session_id, "new")
    assert [each["content"] for each in objects(path.read_bytes())] == ["a", "c", "new"]
    assert list(path.parent.glob("messages.json.before-*"))


@pytest.mark.parametrize("appends", [1, 3])
def test_appends_in_the_middle_of_a_long_read_are_no_damage(
    root: Path,
    session_id: str,
    open_store: Opened,
    monkeypatch: pytest.MonkeyPatch,
    notices: list[str],
    appends: int,
) -> None:
    """Between the look at the size and the end of the reading, another shell appends."""
    writer, store = open_store(), open_store()
    left = appends
    read_at = message_reader.disk.read_at

    def slow_read(fd: int, offset: int, length: int) -> bytes:
        nonlocal left
        if left and length > 3:
            left -= 1
            with monkeypatch.context() as quick:
                quick.setattr(message_reader.disk, "read_at", read_at)
                say(writer, session_id, f"new {left}")
        return read_at(fd, offset, length)

    monkeypatch.setattr(message_reader.disk, "read_at", slow_read)
    monkeypatch.setattr(message_reader.layout, "_salvage", None)  # what only damage needs
    said = store.tree(session_id)
    assert [each.content for each in said][:3] == ["a", "b", "c"]
    assert len(said) == 3 + appends
    assert left == 0
    assert notices == []


def test_an_append_before_a_look_at_the_end_costs_no_whole_reading(
    root: Path, session_id: str, open_store: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, store = open_store(), open_store()
    size_of = message_reader._size
    late = iter([lambda: say(writer, session_id, "new")])

    def size(fd: int) -> int:
        found = size_of(fd)
        next(late, lambda: None)()
        return found

    monkeypatch.setattr(message_reader, "_size", size)
    monkeypatch.setattr(message_reader, "load", None)
    assert [each.content for each in store.messages(session_id, last=2)] == ["c", "new"]


@pytest.mark.parametrize(
    ("data", "was"),
    [(b'{"sessions": [', "damaged"), (b'{"sessions": []}', "in another layout")],
)
def test_what_was_wrong_with_an_index_that_is_written_anew(
    data: bytes, was: str, root: Path, open_store: Opened, notices: list[str]
) -> None:
    session_id = open_store().create("kept").session_id
    (root / "sessions.json").write_bytes(data)
    say(open_store(), session_id, "a")
    (line,) = notices
    assert f"sessions.json was {was} and was rewritten; the old file is kept as" in line
