"""A power cut at any moment: every state of the disk that it can leave behind.

A seeded sample of the long cases is taken in each run, with ``-m slow`` all of it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agno_shell.builtin.json_storage import disk, message_reader, running_reply
from agno_shell.builtin.json_storage.locks import Locks
from agno_shell.builtin.json_storage.running_reply import RunningReply
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions
from agno_shell.testing.storage_contract import message, say
from agno_shell.types import new_id


@pytest.fixture(autouse=True)
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here: waiting for another shell would cost 5 ms a state."""
    monkeypatch.setattr(message_reader.time, "sleep", lambda _seconds: None)


SHORT: dict[str, list[str]] = {
    "the first message": ["hello"],
    "a second message": ["hello", "world"],
    "many bytes a character": ["grüße", "你好 🇺🇳 שלום é\u2028"],
    "text that looks like the file": ["a", '"}\n]\n,{"id":"fake","role":"user","content":"\n'],
    "over a sector's edge": ["x" * 190, "y" * 120],
    "over a page's edge": ["x" * 3700, "y" * 120],
}
LONG: dict[str, list[str]] = {
    "more than a page": ["x" * 3000, "line\n" * 1000],
    "more than two pages of emoji": ["🙂" * 10, "🙂" * 2200],
    "long ones before": ["x" * 5000, "y" * 5000, "z" * 6000],
}


@pytest.mark.parametrize("name", SHORT)
def test_every_state_of_a_short_append(name: str, power_cuts: Any) -> None:
    snapshots = power_cuts.append(SHORT[name])
    assert power_cuts.recorded.differences() == []
    number, complaints = power_cuts.of_files(snapshots, seed=1, most=64)
    assert complaints == []
    assert number > 500


@pytest.mark.parametrize(
    ("share", "most"),
    [(0.02, 60), pytest.param(1.0, 20_000, marks=pytest.mark.slow)],
    ids=["a sample", "all"],
)
@pytest.mark.parametrize("name", LONG)
def test_states_of_a_long_append(name: str, share: float, most: int, power_cuts: Any) -> None:
    snapshots = power_cuts.append(LONG[name])
    number, complaints = power_cuts.of_files(snapshots, seed=2, share=share, most=most)
    assert complaints == []
    assert number > (1000 if share == 1.0 else 300)


ROLL_BACKS: dict[str, Callable[[Any, Any], object]] = {
    "after a short write": lambda checks, faults: (
        setattr(faults, "short_writes", True),
        faults.fail(checks.FULL, 2, lasting=False),
    ),
    "that fails too": lambda checks, faults: (
        setattr(faults, "short_writes", True),
        faults.fail(checks.FULL, 2),
    ),
    "after a failed sync": lambda checks, faults: faults.fail(
        checks.FAILING, only="fdatasync", lasting=False
    ),
}


@pytest.mark.parametrize(
    ("share", "most"),
    [(0.25, 40), pytest.param(1.0, 200, marks=pytest.mark.slow)],
    ids=["a sample", "all"],
)
@pytest.mark.parametrize("failing", ROLL_BACKS)
def test_states_of_a_roll_back(failing: str, share: float, most: int, power_cuts: Any) -> None:
    snapshots = power_cuts.append(
        ["x" * 100, "y" * 300],
        lambda: ROLL_BACKS[failing](power_cuts.checks, power_cuts.faults),
    )
    assert snapshots[-1].flight, "it was not acknowledged"
    assert power_cuts.recorded.differences() == []
    number, complaints = power_cuts.of_files(snapshots, seed=3, share=share, most=most)
    assert complaints == []
    assert number > (1000 if share == 1.0 else 300)


def long_history(power_cuts: Any) -> None:
    """One of everything that a store does, on a disk that fails now and then."""
    checks, faults, ledger = power_cuts.checks, power_cuts.faults, power_cuts.ledger()
    one = ledger.create("one")
    ledger.append(one, "a")
    ledger.append(one, "b" * 600)
    two = ledger.create("zwei")
    ledger.append(two, "c")
    ledger.rename(two, "a longer name than before")
    faults.fail(checks.FAILING, only="fdatasync", lasting=False)
    ledger.append(one, "lost at the sync")
    faults.heal()
    ledger.append(one, "after the failed sync")
    ledger.store.set_current(one)
    remember_and_attach(ledger, checks, faults, one, two)
    trash_id = ledger.delete(two)
    ledger.append(one, "d")
    ledger.restore(two, trash_id)
    ledger.append(two, "e")
    ledger.purge(two, ledger.delete(two))
    ledger.take_over(*checks.imported())
    stream_a_reply(ledger, one)
    assert power_cuts.recorded.differences() == []
    ledger.store.close()


def remember_and_attach(ledger: Any, checks: ModuleType, faults: Any, one: str, two: str) -> None:
    for text in ("blue", "red" * 300, "green"):
        ledger.remember(one, text)
    ledger.forget(one, 1)
    ledger.remember(two, "yellow")
    faults.fail(checks.FAILING, only="fsync", lasting=False)
    ledger.attach(one, b"x" * 700)  # the new folder is made and not synced
    faults.heal()
    ledger.attach(one, b"x" * 700)
    ledger.attach(one, b"y" * 5000)
    ledger.attach(two, b"z")


def stream_a_reply(ledger: Any, session_id: str) -> None:
    reply = message("", ledger.store.messages(session_id)[-1], role="assistant")
    text = ""
    for piece in range(6):
        text += f"piece {piece} " * 10
        ledger.stream(session_id, reply._replace(content=text), synced=True)
    ledger.append(session_id, text + "the end", reply.id)


@pytest.mark.parametrize(
    ("samples", "limit"),
    [(3, 600), pytest.param(40, 40_000, marks=pytest.mark.slow)],
    ids=["a sample", "many"],
)
def test_states_of_a_store(
    samples: int, limit: int, power_cuts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_reply, "_SYNC_EVERY", 0.0)
    long_history(power_cuts)
    number, complaints = power_cuts.of_stores(seed=4, samples=samples, limit=limit)
    assert complaints == []
    assert number > 0.8 * limit


def test_names_that_only_an_old_index_knows(power_cuts: Any) -> None:
    """The index is laid out anew; before it goes its names are in the folders."""
    root = power_cuts.live / "sessions"
    ledger = power_cuts.ledger()
    power_cuts.recorded.promised = None  # not before the list is an old one
    session_ids = [ledger.create(name) for name in ("first", "second")]
    for session_id in session_ids:
        disk.remove(f"{root}/{session_id}/session.json")
        disk.sync_folder(f"{root}/{session_id}")
    old = json.dumps(json.loads((root / "sessions.json").read_bytes()), indent=2)
    disk.replace(f"{root}/sessions.json", old.encode())
    power_cuts.recorded.promised = ledger.promised
    ledger.create("third")
    number, complaints = power_cuts.of_stores(seed=5, samples=3, limit=300)
    assert complaints == []
    assert number > 200


def test_a_torn_index_costs_nothing_but_a_count(
    crash_checks: ModuleType,
    power_cut: ModuleType,
    recorded: Any,
    faults: Any,
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every state of the line that a message changes, beside the messages that it is about:
    those before and those after, which may look the same from outside."""
    root = tmp_path / "live" / "sessions"
    store = open_storage(StorageOptions(str(root)))
    session_ids = [store.create(name).session_id for name in ("one", "two", "three")]
    sampled = 0
    for session_id in session_ids * 3:
        disk.sync_folder(str(root))
        synced = disk.open_to_write(f"{root}/sessions.json")
        disk.sync(synced)
        disk.close(synced)
        say(store, session_id, "hello")
        durable, pending = recorded.unsynced(root / "sessions.json")
        assert pending, "patched in place"
        expected = sorted(rebuilt(root, scratch, faults, monkeypatch))
        for state in power_cut.states(durable, pending, chance=random.Random(6), most=64):
            copied = scratch / "copied"
            shutil.copytree(root, copied, copy_function=shutil.copy2)
            (copied / "sessions.json").write_bytes(state.data)
            with monkeypatch.context() as real:
                real.setattr(disk, "os", faults)
                fresh = open_storage(StorageOptions(str(copied)))
                found = [
                    (each.session_id, each.name, each.message_count) for each in fresh.sessions()
                ]
                say(fresh, session_id, "after")
                json.loads((copied / session_id / "messages.json").read_bytes())
                said = fresh.open(session_id).message_count
            assert sorted(found) == expected, state
            assert said == len(store.tree(session_id)) + 1, state
            shutil.rmtree(copied)
            sampled += 1
    assert sampled > 100


def rebuilt(
    root: Path, scratch: Path, faults: Any, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str, int]]:
    """The sessions according to the folders alone."""
    copied = scratch / "rebuilt"
    shutil.copytree(root, copied, ignore=shutil.ignore_patterns("sessions.json"))
    with monkeypatch.context() as real:
        real.setattr(disk, "os", faults)
        found = open_storage(StorageOptions(str(copied))).sessions()
    shutil.rmtree(copied)
    return [(each.session_id, each.name, each.message_count) for each in found]


def test_every_state_of_a_running_reply(
    power_cut: ModuleType,
    recorded: Any,
    faults: Any,
    tmp_path: Path,
    scratch: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was synced stays, and what is read is something that was shown."""
    live = tmp_path / "live"
    reply = RunningReply(Locks(str(live)), str(live), new_id())
    start = message("", role="assistant")
    texts = [""]
    snapshots: list[tuple[str, bytes, list[Any]]] = []
    synced = ""
    for number in range(12):
        texts.append(texts[-1] + f"{number} grüße 🙂\n" * 6)
        reply.save(start._replace(content=texts[-1]))
        snapshots.append((synced, *recorded.unsynced(live / "reply-0.jsonl")))
        if number in (3, 7):
            reply._sync()
            synced = texts[-1]
    path = scratch / "reply-0.jsonl"
    monkeypatch.setattr(disk, "os", faults)
    number = 0
    for synced, durable, pending in snapshots:
        for state in power_cut.states(
            durable, pending, chance=random.Random(7), share=0.3, most=64
        ):
            path.write_bytes(state.data)
            found = running_reply.read(str(path))
            number += 1
            text = found.content if found else ""
            assert text.startswith(synced), (state, text)
            if state.filling == "zeros":  # letters and stale JSON may stand for the reply's own
                assert found is None or found.id == start.id
                assert text in texts, (state, text)
    assert number > 2000
