"""Bytes changed at random in each of the files: what is undamaged is read, reading writes
nothing, and whatever cannot be used is told in a sentence."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agno_shell.builtin.json_storage import memory_file, message_reader
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import now

TEXTS = ["first", "zweite grüße", "third\nline", '{"id":"fake"}', "fünf 🙂", "x" * 600, "last"]
ROUNDS = [120, pytest.param(20_000, marks=pytest.mark.slow)]

STRANGE = (
    *(b"\0", b"\xff", b"\n", b"\r\n", b"\xef\xbb\xbf"),
    *(b"{", b"[", b"]", b'"', b",", b"\\", b'{"a":', b"NaN"),
    *(b"9" * 5000, b"[" * 20_000),
)

Fuzz = Callable[[random.Random, bytes], bytes]


def flip(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def delete(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + data[place + chance.choice((1, 2, 40, 400)) :]


def insert(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice((*STRANGE, chance.randbytes(20))) + data[place:]


def double(chance: random.Random, data: bytes) -> bytes:
    begin = chance.randrange(len(data))
    end = begin + chance.choice((1, 10, 300))
    place = chance.choice((end, chance.randrange(len(data))))
    return data[:place] + data[begin:end] + data[place:]


def cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data))]


KINDS: list[Fuzz] = [flip, flip, delete, insert, double, cut]


def damaged(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 3, 10))):
        data = chance.choice(KINDS)(chance, data) or b"\n"
    return data


class Prepared(NamedTuple):
    """A store with two sessions, the first of which is to suffer."""

    root: Path
    one: str
    other: str


@pytest.fixture
def prepared(scratch: Path) -> Prepared:
    root = scratch / "prepared"
    store = open_storage(StorageOptions(str(root)))
    one, other = (store.create(name).session_id for name in ("one", "other"))
    said = say(store, one, *TEXTS)
    say(store, other, "unharmed", "too")
    store.update(one, head=said[-2].id)
    store.set_current(one)
    for text in TEXTS:
        store.remember(one, text)
    reply = message("", said[-1], role="assistant")
    for text in ("shown", "shown and", "shown and more"):
        store.save_partial(one, reply._replace(content=text))
    store.close()
    return Prepared(root, one, other)


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_reader.time, "sleep", lambda _seconds: None)


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


def look(store: Storage, session_id: str) -> None:
    """Every way of reading; only a sentence may come instead of an answer."""
    for read in (
        lambda: store.messages(session_id),
        lambda: store.messages(session_id, last=2),
        lambda: store.tree(session_id),
        lambda: store.partials(session_id),
        lambda: store.memories(session_id),
        lambda: store.version(session_id),
        store.sessions,
        store.trash,
        store.current,
    ):
        with suppress(StorageError):
            read()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize(
    "file", ["messages.json", "session.json", "sessions.json", "reply-0.jsonl", "memory.json"]
)
def test_bytes_changed_at_random(file: str, rounds: int, prepared: Prepared, scratch: Path) -> None:
    for seed in range(rounds):
        root = scratch / f"{file} {seed}"
        shutil.copytree(prepared.root, root)
        path = root / file if file == "sessions.json" else root / prepared.one / file
        whole = path.read_bytes()
        path.write_bytes(damaged(random.Random(seed), whole))
        try:
            one_round(root, prepared, path, whole)
        except Exception as error:
            error.add_note(f"seed {seed}: {path.read_bytes()!r}")
            raise
        shutil.rmtree(root)


def one_round(root: Path, prepared: Prepared, path: Path, whole: bytes) -> None:
    broken = path.read_bytes()
    before = contents(root)
    told: list[str] = []
    store = open_storage(StorageOptions(str(root), notice=told.append))
    look(store, prepared.one)
    assert contents(root) == before, "reading writes nothing"
    assert [each.content for each in store.messages(prepared.other)] == ["unharmed", "too"]
    listed = {each.session_id: each for each in store.sessions()}
    assert listed.keys() == {prepared.one, prepared.other}

    found = [each.content for each in store.tree(prepared.one)]
    expected = TEXTS if path.name != "messages.json" else undamaged(whole, broken)
    assert [each for each in found if each in expected] == expected or path.name == "messages.json"
    assert set(expected) <= set(found), "undamaged lines are there"

    if path.name == "sessions.json":
        counts = {prepared.one: len(TEXTS), prepared.other: 2}
        assert {ident: each.message_count for ident, each in listed.items()} == counts
    opened = store.open(prepared.one)
    if path.name != "session.json":
        assert opened.name == "one"
    if path.name == "reply-0.jsonl":
        shown = [each.content for each in store.tree(prepared.one)[len(TEXTS) :]]
        assert len(shown) <= 1
        kept = b"".join(copy.read_bytes() for copy in path.parent.glob("reply-0.jsonl.before-*"))
        assert kept == (broken if any(map(is_no_json, broken.split(b"\n")[:-1])) else kept)
        assert kept in (b"", broken)
        assert bool(kept) == any(path.name in line for line in told)
    remembered = store.memories(prepared.one)
    kept_texts = TEXTS if path.name != "memory.json" else undamaged(whole, broken, "text")
    assert set(kept_texts) <= {each.text for each in remembered}, "undamaged lines are there"
    store.remember(prepared.one, "after")
    tree = store.tree(prepared.one)
    store.append(prepared.one, message("after", tree[-1] if tree else None))
    store.update(prepared.one, description="after")
    say(store, prepared.other, "after")
    for each in root.rglob("*.json"):
        json.loads(each.read_bytes())
    again = open_storage(StorageOptions(str(root), notice=pytest.fail))
    assert again.tree(prepared.one)[:-1] == tree, "what was read is what is written"
    assert again.memories(prepared.one)[:-1] == remembered
    assert again.open(prepared.one).message_count == len(tree) + 1
    # What is not in the new file is in the one that is kept.
    replaced = ["messages.json", "session.json"]
    if memory_file.parse(broken, now()).form == "damaged":
        replaced.append("memory.json")  # what a hand has left out is added beside it
    if path.name in replaced and not fits(path, broken):
        assert broken in [copy.read_bytes() for copy in path.parent.glob("*.before-*")]


def is_no_json(line: bytes) -> bool:
    try:
        json.loads(line, parse_constant=float)
    except (ValueError, RecursionError):
        return True
    return False


def undamaged(whole: bytes, broken: bytes, key: str = "content") -> list[str]:
    """The texts of the messages whose lines are as they were."""
    lines = {line.strip(b"\r").removeprefix(b",") for line in broken.split(b"\n")}
    own = [line.removeprefix(b",") for line in whole.split(b"\n")[1:-2]]
    return [json.loads(line)[key] for line in own if line in lines]


def fits(path: Path, broken: bytes) -> bool:
    """Whether all that was in a file is in the one that took its place."""
    if not broken.strip():
        return True
    try:
        old: Any = json.loads(broken)
    except (ValueError, RecursionError):
        return False
    new = json.loads(path.read_bytes())
    if isinstance(old, list):
        return [each for each in old if each in new] == old
    return isinstance(old, dict)
