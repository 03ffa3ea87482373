"""What keeping a conversation costs, against the least that any program would have to do."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from figures import Figure, interleaved, ratio
from stores import Place, make_store, reply

from agno_shell.contracts import Storage
from agno_shell.toolkit import json_records
from agno_shell.types import new_id

SYNCS = 400
"""Appends of which the median counts: a disk is moodier than a processor."""
LOOKS = 200
LENGTHS = (10, 10_000, 1_000_000)
FEW, MANY = 10, 10_000
SHOWN = 200
"""Messages that the shell reads when it opens a session."""


# Saving ----------------------------------------------------------------------------------


def append(folder: Path) -> list[Figure]:
    """A durable append to short and long sessions against write and fdatasync."""
    places = make_store(folder / "store", LENGTHS)
    with _storages(places) as storages, _new_file(folder / "floor") as fd:
        floor, *samples = interleaved(
            [
                lambda: _write(fd),
                *(_appending(*each) for each in zip(storages, places, strict=True)),
            ],
            SYNCS,
        )
    return [
        ratio(f"append to {length:,} messages", each, floor, 1.25, "µs")
        for length, each in zip(LENGTHS, samples, strict=True)
    ]


def append_among_sessions(folder: Path) -> list[Figure]:
    """The same append in a store of few sessions and in one of many."""
    places = [make_store(folder / str(number), [10] * number)[0] for number in (FEW, MANY)]
    with _storages(places) as storages:
        few, many = interleaved(
            [_appending(*each) for each in zip(storages, places, strict=True)], SYNCS
        )
    return [ratio(f"append among {MANY:,} sessions against {FEW}", many, few, 1.2, "µs")]


def _appending(storage: Storage, place: Place) -> Callable[[], float]:
    session_id = place.session.session_id
    storage.open(session_id)
    parent = storage.messages(session_id, last=SHOWN)[-1].id

    def measure() -> float:
        nonlocal parent
        message = reply(new_id(), parent)
        parent = message.id
        begun = time.perf_counter()
        storage.append(session_id, message)
        return (time.perf_counter() - begun) * 1e6

    return measure


def _write(fd: int) -> float:
    """The floor: the bytes of the same message at the end of a file that stays open."""
    line = b"," + json_records.message_line(reply(new_id(), new_id())) + b"\n"
    begun = time.perf_counter()
    os.write(fd, line)
    os.fdatasync(fd)
    return (time.perf_counter() - begun) * 1e6


# Reading ---------------------------------------------------------------------------------


def last_messages(folder: Path) -> list[Figure]:
    """The last 50 messages of a long session against those of a short one."""
    places = make_store(folder / "store", [100, 1_000_000])
    with closing(places[0].storage()) as storage:
        short, long = interleaved(
            [
                _timed(lambda ident=place.session.session_id: storage.messages(ident, last=50), 1e6)
                for place in places
            ],
            LOOKS,
        )
    return [ratio("last 50 of 1,000,000 messages against 100", long, short, 3.0, "µs")]


def listing(folder: Path) -> list[Figure]:
    """All sessions against reading the index and looking at every message file."""
    place = make_store(folder / "store", [4] * MANY)[0]
    root = str(place.root)

    def read_and_look() -> None:
        with open(f"{root}/sessions.json", "rb") as file:
            index = json.load(file)
        for session in index["sessions"]:
            os.stat(f"{root}/{session['session_id']}/messages.json")

    floor, mine = interleaved([_timed(read_and_look), _timed(_list(place))])
    return [ratio(f"list of {MANY:,} sessions", mine, floor, 1.5, "ms")]


def rebuilding(folder: Path) -> list[Figure]:
    """All sessions without the index against reading both files of each."""
    place, *others = make_store(folder / "store", [4] * MANY)
    folders = [str(each.folder) for each in (place, *others)]
    del others  # the garbage collector would look through them with each list
    (place.root / "sessions.json").unlink()

    def read_and_count() -> None:
        for each in folders:
            with open(f"{each}/session.json", "rb") as file:
                file.read()
            with open(f"{each}/messages.json", "rb") as file:
                file.read().count(b"\n")

    floor, mine = interleaved([_timed(read_and_count), _timed(_list(place))])
    return [ratio(f"list of {MANY:,} sessions, the index lost", mine, floor, 1.5, "ms")]


def opening(folder: Path) -> list[Figure]:
    """Opening a long session against reading and parsing the bytes of what is shown."""
    (place,) = make_store(folder / "store", [100_000])
    lines = place.messages.read_bytes().split(b"\n")[-SHOWN - 2 : -2]
    shown = sum(len(line) + 1 for line in lines)

    def parse() -> None:
        with place.messages.open("rb") as file:
            file.seek(-shown - len(b"]\n"), os.SEEK_END)
            for line in file.read(shown).splitlines():
                json.loads(line.removeprefix(b","))

    def open_session() -> None:
        with closing(place.storage()) as storage:
            session = storage.open(place.session.session_id)
            assert len(storage.messages(session.session_id, last=SHOWN)) == SHOWN

    floor, mine = interleaved([_timed(parse, 1e6), _timed(open_session, 1e6)], LOOKS)
    return [ratio(f"opening 100,000 messages, {SHOWN} shown", mine, floor, 1.5, "µs")]


def _list(place: Place) -> Callable[[], None]:
    def work() -> None:
        with closing(place.storage()) as storage:
            assert len(storage.sessions()) == MANY

    return work


# Common ----------------------------------------------------------------------------------


def _timed(work: Callable[[], object], per_second: float = 1e3) -> Callable[[], float]:
    """How long ``work`` takes, in milliseconds or in another part of a second."""

    def measure() -> float:
        begun = time.perf_counter()
        work()
        return (time.perf_counter() - begun) * per_second

    return measure


@contextmanager
def _storages(places: list[Place]) -> Iterator[list[Storage]]:
    """A handle for each place."""
    storages = [place.storage() for place in places]
    yield storages
    for storage in storages:
        storage.close()


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    yield fd
    os.close(fd)
