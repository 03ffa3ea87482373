"""A session of a million messages, a first search of the old layout, a list of many sessions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pexpect
from figures import Figure
from places import AGNO_SHELL, empty_home
from stores import make_store

from agno_shell.base.paths import find_paths
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import StorageOptions

MILLION = 1_000_000
SESSIONS = 100_000
OLD_SESSIONS, OLD_MESSAGES = 10_000, 10
SETTLED = 0.7
"""Seconds without output after which the shell waits for the next line."""


def a_million_messages(folder: Path) -> list[Figure]:
    """What a person waits for in a session of a million messages, in the program itself; the
    first time, when nothing is known of the file, and again."""
    environ = empty_home(folder / "home")
    sessions = Path(find_paths(environ).sessions_dir)
    make_store(sessions, [MILLION])
    shell = pexpect.spawn(
        AGNO_SHELL, ["chat"], env=environ, dimensions=(40, 120), encoding="utf-8", timeout=300
    )
    shell.delaybeforesend = None
    number = f"{MILLION} ·"
    left_out = r"Not sent: [\s\S]*messages"
    try:
        shell.expect("›")
        first = _answer(shell, "/history 10", number)
        again = _answer(shell, "/history 10", number)
        context = _answer(shell, "/context", left_out)
        tree = _answer(shell, "/tree", "… [0-9,]+ messages", "\x1b")
        pin = _answer(shell, "/pin 400001", "always sent")
        peak = _peak(shell.pid)
        fork = _answer(shell, "/fork Copy", "is a copy of")
        peak_with_fork = _peak(shell.pid)
        shell.send("\x04")
        shell.expect(pexpect.EOF)
    finally:
        shell.close(force=True)
    return [
        _seconds(f"the first /history 10, {MILLION:,} messages", first, None),
        _seconds("/history 10 again", again, 1.0),
        _seconds("/context", context, 1.0),
        _seconds("the first page of /tree", tree, 1.0),
        _seconds("/pin of a message in the middle", pin, None),
        Figure("peak of the shell's memory in all of that", peak, "MB", 300.0),
        _seconds(f"/fork, {MILLION:,} messages", fork, None),
        Figure("peak of the shell's memory with the fork", peak_with_fork, "MB", 300.0),
    ]


def first_search(folder: Path) -> list[Figure]:
    """The first search in sessions as the program that this one follows writes them."""
    sessions = folder / "sessions"
    _write_old(sessions)
    storage = open_storage(StorageOptions(str(sessions), cache_path=str(folder / "cache")))
    begun = time.perf_counter()
    assert len(storage.search("needle")) == 20
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    storage.search("needle")
    again = time.perf_counter() - begun
    storage.close()
    return [
        _seconds(f"first search, {OLD_SESSIONS:,} sessions of the old layout", first, 3.0),
        _seconds("the next one", again, None),
    ]


def many_sessions(folder: Path) -> list[Figure]:
    """The list of a hundred thousand sessions, and the start among them."""
    environ = empty_home(folder / "home")
    make_store(Path(find_paths(environ).sessions_dir), [2] * SESSIONS)
    taken = []
    for _time in range(3):
        begun = time.perf_counter()
        subprocess.run(
            [AGNO_SHELL, "session", "--list"], env=environ, stdout=subprocess.DEVNULL, check=True
        )
        taken.append(time.perf_counter() - begun)
    shell = pexpect.spawn(
        AGNO_SHELL, ["chat"], env=environ, dimensions=(40, 120), encoding="utf-8", timeout=60
    )
    shell.delaybeforesend = None
    begun = time.perf_counter()
    try:
        shell.expect("›")
        started = time.perf_counter() - begun
        listed = _answer(shell, "/sessions", "older ones are not listed")
        shell.send("\x04")
        shell.expect(pexpect.EOF)
    finally:
        shell.close(force=True)
    return [
        _seconds(f"session --list, {SESSIONS:,} sessions", min(taken), 1.5),
        _seconds(f"start of the shell, {SESSIONS:,} sessions", started, None),
        _seconds(f"/sessions, {SESSIONS:,} sessions", listed, 1.5),
    ]


def _answer(shell: pexpect.spawn[str], line: str, seen: str, then: str = "") -> float:
    """Seconds from a line to what it shows; after that the shell comes to rest."""
    begun = time.perf_counter()
    shell.send(f"{line}\r")
    shell.expect(seen)
    taken = time.perf_counter() - begun
    shell.send(then)
    while True:
        try:
            shell.read_nonblocking(1 << 20, timeout=SETTLED)
        except pexpect.TIMEOUT:
            return taken


def _seconds(what: str, value: float, target: float | None) -> Figure:
    return Figure(what, value, "s", target)


def _peak(pid: int) -> float:
    """Megabytes that a process held at most; 0 where that is not told."""
    if sys.platform != "linux":
        return 0.0
    told = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("ascii"))
    return int(told[1]) / 1024 if told else 0.0


def _write_old(sessions: Path) -> None:
    sessions.mkdir()
    entries = []
    for number in range(OLD_SESSIONS):
        ident = str(UUID(int=number + 1, version=4))
        (sessions / ident).mkdir()
        said = [
            {
                "role": "assistant" if place % 2 else "user",
                "content": f"word{(number * 7 + place) % 5000} {'needle' if place == 3 else place}",
                "timestamp": f"2026-01-01T12:00:{place:02d}.123456",
            }
            for place in range(OLD_MESSAGES)
        ]
        (sessions / ident / "messages.json").write_text(json.dumps(said, indent=2), "utf-8")
        entries.append(
            {
                "session_id": ident,
                "name": f"Session {number}",
                "created_at": "2026-01-01T12:00:00",
                "updated_at": "2026-01-01T12:00:00",
                "message_count": OLD_MESSAGES,
                "description": "",
            }
        )
    index = {"current_session_id": None, "sessions": entries}
    (sessions / "sessions.json").write_text(json.dumps(index, indent=2), "utf-8")
    os.sync()
