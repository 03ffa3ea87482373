"""Shells that are killed at random times, while they append, stream, rename, delete and
restore, on one store."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.storage_contract import message

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked on Windows")

ROLES = ("append", "append", "stream", "stream", "update", "delete", "create")
SIGNALS = (*[signal.SIGKILL] * 3, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
AT_ONCE = 3


class Shells:
    """The process that starts shells, and the logs that these leave."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("busy_shells.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._folder = folder
        self.number = 0

    def start(self, **order: Any) -> tuple[int, Path]:
        self.number += 1
        log = self._folder / f"{self.number}.log"
        return self._ask({**order, "log": str(log), "seed": self.number}), log

    def wait(self, pid: int) -> int:
        return self._ask(pid)

    def _ask(self, order: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture
def shells(scratch: Path) -> Iterator[Shells]:
    running = Shells(scratch)
    yield running
    running.close()


@dataclass
class Told:
    """What the killed shells were told, as their logs show it."""

    saved: dict[str, list[str]] = field(default_factory=dict)
    """Ids by session, those of one shell in their order."""
    saving: dict[str, set[str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    shown: dict[str, dict[str, int]] = field(default_factory=dict)
    """By session and id, how many characters of a reply were kept."""
    names: dict[str, set[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)

    def read(self, log: Path) -> list[str]:
        """Take in a log; the ids that it tells are saved."""
        saved = []
        if not log.exists():
            return []  # killed before it could write a word
        for line in log.read_bytes().split(b"\n")[:-1]:
            what, session_id, *rest = json.loads(line)
            if what in ("saving", "showing"):
                self.saving.setdefault(session_id, set()).add(rest[0])
                self.texts[rest[0]] = rest[1]
            elif what == "saved":
                saved.append(rest[0])
                self.saved.setdefault(session_id, []).append(rest[0])
                self.shown.get(session_id, {}).pop(rest[0], None)
            elif what == "shown":
                self.shown.setdefault(session_id, {})[rest[0]] = rest[1]
            elif what == "naming":
                self.names.setdefault(session_id, set()).add(rest[0])
            elif what == "named":
                self.names[session_id] = {rest[0]}
            elif what == "made":
                self.made.add(session_id)
        return saved


def check(root: Path, told: Told, logs: list[Path]) -> None:
    """Everything that the shells with these logs were told is there."""
    store = open_storage(StorageOptions(str(root)))
    listed = {each.session_id: each for each in store.sessions()}
    trashed = {each.session.session_id: each.trash_id for each in store.trash()}
    assert not listed.keys() & trashed.keys(), "a session is in one place"
    assert listed.keys() | trashed.keys() >= told.saved.keys() | told.names.keys() | told.made
    orders = [told.read(log) for log in logs]
    for session_id, saved in told.saved.items():
        if session_id in listed:
            store.open(session_id)
            found = store.tree(session_id)
        else:
            found = store.trashed_messages(trashed[session_id])
        ids = [each.id for each in found]
        assert len(set(ids)) == len(ids), "nothing is doubled"
        assert set(saved) <= set(ids), "nothing is lost"
        assert set(ids) <= told.saving[session_id], "nothing comes from nowhere"
        for order in orders:
            assert sorted(set(order) & set(ids), key=ids.index) == [
                each for each in order if each in ids
            ], "what a shell says stays in its order"
        for each in found:
            text = told.texts[each.id]
            assert each.content == text or (
                each.status == "interrupted" and text.startswith(each.content)
            ), "nothing is garbled"
        by_id = {each.id: each for each in found}
        for ident, length in told.shown.pop(session_id, {}).items():
            assert len(by_id[ident].content) >= length, "what was shown is kept"


def check_files(root: Path, told: Told) -> None:
    """No write is running: every file is JSON, and the list is right."""
    store = open_storage(StorageOptions(str(root), notice=pytest.fail))
    for path in root.rglob("*.json"):
        # A session that is being made is not one yet.
        if not any(part.startswith(".import-") for part in path.parts):
            json.loads(path.read_bytes())
    for each in store.sessions():
        assert each.message_count == len(store.tree(each.session_id))
        assert each.name == store.open(each.session_id).name
        if each.session_id in told.names:
            assert each.name in told.names[each.session_id]
    # After they were opened, which saves what a killed one has left of a reply.
    listed = {each.session_id: each.message_count for each in store.sessions()}
    (root / "sessions.json").rename(root / "aside")
    rebuilt = {each.session_id: each.message_count for each in store.sessions()}
    (root / "aside").rename(root / "sessions.json")
    assert rebuilt == listed


def recover(root: Path, store: Storage, told: Told) -> None:
    """The kernel ends a long write of a process that is killed at the end of any page: the
    message in flight is torn, and goes with the next one."""
    for each in store.sessions():
        try:
            json.loads((root / each.session_id / "messages.json").read_bytes())
        except ValueError:
            goes_on(store, told, each.session_id)


def goes_on(store: Storage, told: Told, session_id: str) -> None:
    """Nobody is blocked by the dead."""
    new = message("after")
    store.append(session_id, new)
    told.saving.setdefault(session_id, set()).add(new.id)
    told.saved.setdefault(session_id, []).append(new.id)
    told.texts[new.id] = new.content


@pytest.mark.parametrize("number", [60, pytest.param(600, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("faults")
def test_killed_at_random_times(number: int, root: Path, shells: Shells) -> None:
    store = open_storage(StorageOptions(str(root)))
    places = {role: store.create(role).session_id for role in set(ROLES)}
    chance = random.Random(number)
    told = Told(names={session_id: {role} for role, session_id in places.items()})
    killed = 0
    # A busy machine saves less before it is killed: then more are, until enough was saved.
    while killed < number or (saved(told) <= number and killed < 10 * number):
        running = []
        for _ in range(AT_ONCE):
            role = chance.choice(ROLES)
            running.append(shells.start(role=role, root=str(root), session=places[role]))
        for pid, _ in running:
            time.sleep(chance.random() * 0.03)
            os.kill(pid, chance.choice(SIGNALS))
            shells.wait(pid)
            killed += 1
        check(root, told, [log for _, log in running])
        recover(root, store, told)
        check_files(root, told)
        goes_on(store, told, places["append"])
    assert saved(told) > number


def saved(told: Told) -> int:
    return sum(len(each) for each in told.saved.values())
