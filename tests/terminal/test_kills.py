"""What was shown is kept, however the program is ended while a reply streams.

The model counts. What the terminal was sent says which numbers were shown, and when; what
is in the session afterwards, as the next one to open it finds it, says which were kept.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import CTRL_D, Terminal
from agno_shell.types import Message

COUNTER = '''
import asyncio
import itertools

from agno_shell import Provider, ProviderFactory, ReasoningDelta, TextDelta, hookimpl


class Counter(Provider):
    """Counts for ever; the model's name says how many at a time and how often a second, and
    with an ``r`` before it that it thinks first, and how long."""

    name = "counter"

    async def stream(self, request):
        thinks, _, rhythm = request.model.rpartition("r")
        at_a_time, times = map(int, rhythm.split("x"))
        if thinks:
            for number in range(1, int(thinks) + 1):
                yield ReasoningDelta(f"t{number:05} ")
                await asyncio.sleep(1 / times)
        numbers = itertools.count(1)
        while True:
            for number in itertools.islice(numbers, at_a_time):
                # As tokens are: no whole words.
                yield TextDelta(f"n{number:05}"[:3])
                yield TextDelta(f"n{number:05} "[3:])
            await asyncio.sleep(1 / times)


@hookimpl
def register_providers():
    return [ProviderFactory("counter", "for tests", lambda _options: Counter())]
'''

MODELS = ("1x20", "1x100", "1x500", "40x3", "5x40", "20r1x40", "9999r1x200")
ALL_SIGNALS = ("KILL", "TERM", "HUP", "INT", "QUIT", "ABRT", "SEGV")
SIGNALS = [
    number
    for number in (getattr(signal, f"SIG{name}") for name in ALL_SIGNALS)
    # What is ignored here is ignored by what is started from here, as by a job of nohup.
    if signal.getsignal(number) is not signal.SIG_IGN
]
STORES = ("json", *(["sqlite"] if find_spec("agno_shell_sqlite") else []))

AT_ONCE = 4
"""Shells beside each other; more would be measured against each other's time."""


class Run(NamedTuple):
    """One shell that is ended."""

    signal: signal.Signals
    model: str
    store: str
    seconds: float
    """From the first number that is shown to the signal."""


def planned(runs: int, seed: int) -> list[Run]:
    """The signals in turn, at random moments."""
    chance = random.Random(seed)
    return [
        Run(
            SIGNALS[n % len(SIGNALS)],
            chance.choice(MODELS),
            chance.choice(STORES),
            chance.uniform(0.0, 1.6),
        )
        for n in range(runs)
    ]


class Numbers(NamedTuple):
    """How far a model has counted."""

    said: int
    thought: int


def highest(data: bytes) -> Numbers:
    """The highest numbers in what a terminal was sent."""
    found = [[*map(int, re.findall(rb"%b(\d{5})" % each, data))] for each in (b"n", b"t")]
    return Numbers(*(max([0, *numbers]) for numbers in found))


Begin = Callable[[str, Run], Terminal]


@pytest.fixture
def begin(
    program: Path,
    environ: dict[str, str],
    tmp_path: Path,
    install: Callable[[str, str], None],
    open_terminal: Callable[..., Terminal],
) -> Begin:
    """Starts a shell in a home of its own, in which the model counts."""
    install("counter", COUNTER)

    def start(home: str, run: Run) -> Terminal:
        (tmp_path / home).mkdir()
        tables = f'[provider]\nplugin = "counter"\n[storage]\nplugin = "{run.store}"\n'
        (tmp_path / home / "config.toml").write_text(tables)
        terminal = open_terminal()
        surroundings = environ | {"AGNO_SHELL_HOME": str(tmp_path / home)}
        terminal.start([str(program), "--model", run.model], surroundings, cwd=tmp_path)
        terminal.expect(" lists the commands")
        terminal.type("Count\r")
        return terminal

    return start


def end(terminal: Terminal, run: Run) -> Numbers:
    """Let it count and end it; returns how far it had counted on the screen."""
    terminal.until(lambda: highest(terminal.written) > (0, 0))
    moment = time.monotonic() + run.seconds
    terminal.until(lambda: time.monotonic() >= moment)
    assert terminal.process is not None
    terminal.process.send_signal(run.signal)
    if run.signal == signal.SIGINT:
        # It stops the reply; the shell goes on.
        terminal.expect("(stopped")
        terminal.type(CTRL_D)
    terminal.wait()
    return highest(terminal.written)


def kept(home: Path, store: str = "json") -> list[Message]:
    """The messages that the next one to open the session finds."""
    options = StorageOptions(str(home / "sessions"))
    with closing(opener(store)(options)) as storage:
        (session,) = storage.sessions()
        storage.open(session.session_id)
        return storage.messages(session.session_id)


def opener(store: str) -> Callable[[StorageOptions], Storage]:
    if store == "json":
        return open_storage
    from agno_shell_sqlite.store import SqliteStorage

    return SqliteStorage


def check(run: Run, messages: list[Message], shown: Numbers) -> None:
    question, reply = messages
    assert (question.role, question.content) == ("user", "Count")
    assert (reply.status, reply.parent) == ("interrupted", question.id)
    thoughts = reply.provider_data.get("counter", {}).get("reasoning", "")
    for text, letter, least in ((reply.content, "n", shown.said), (thoughts, "t", shown.thought)):
        numbers = [int(found) for found in re.findall(rf"{letter}(\d{{5}})", text)]
        assert numbers == list(range(1, len(numbers) + 1)), "a beginning of the reply, ungarbled"
        assert len(numbers) >= least, f"{least} shown, {len(numbers)} kept: {run}"


def end_all(begin: Begin, tmp_path: Path, runs: list[Run]) -> None:
    def one(number: int) -> None:
        home = tmp_path / f"home-{number}"
        terminal = begin(home.name, runs[number])
        try:
            shown = end(terminal, runs[number])
        finally:
            terminal.kill()
        check(runs[number], kept(home, runs[number].store), shown)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(one, range(len(runs))):
            pass


def test_what_was_shown_is_kept_whatever_ends_the_program(begin: Begin, tmp_path: Path) -> None:
    end_all(begin, tmp_path, planned(len(SIGNALS), seed=1))


@pytest.mark.slow
def test_what_was_shown_is_kept_in_200_runs(begin: Begin, tmp_path: Path) -> None:
    end_all(begin, tmp_path, planned(200, seed=2))


# With the real provider ------------------------------------------------------------------


def child_of(pid: int) -> int:
    """The process id of the model process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@pytest.fixture
def counting(server: ModelServer) -> Iterator[ModelServer]:
    """A server whose first reply stops in the middle."""
    release = server.stall([f"n{number:05} " for number in range(1, 101)])
    yield server
    release()


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.mark.slow
@needs_proc
def test_a_killed_model_process_costs_the_rest_of_the_reply(
    start: Callable[..., Terminal],
    counting: ModelServer,
    local: tuple[str, ...],
    home: Path,
) -> None:
    terminal = start(*local)
    terminal.type("Count\r")
    terminal.expect("n00100")
    assert terminal.process is not None
    os.kill(child_of(terminal.process.pid), signal.SIGKILL)
    terminal.expect("ended unexpectedly (signal 9)")
    terminal.expect("/continue goes on from there")
    terminal.type("Once more\r")
    terminal.expect("You said: Once more (3 messages)")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    statuses = [(message.role, message.status) for message in kept(home)]
    assert statuses == [
        ("user", "complete"),
        ("assistant", "incomplete"),
        ("user", "complete"),
        ("assistant", "complete"),
    ]
    assert "n00100" in kept(home)[1].content
    sent = [message["content"] for message in counting.requests[-1].body["messages"]]
    assert all(sent), "nobody says nothing"


@needs_proc
def test_a_killed_shell_leaves_no_model_process_behind(
    start: Callable[..., Terminal],
    environ: dict[str, str],
    counting: ModelServer,
    local: tuple[str, ...],
    home: Path,
) -> None:
    environ["AGNO_SHELL_PROVIDER_PLUGIN"] = "litellm"  # the other one needs no process
    terminal = start(*local)
    terminal.type("Count\r")
    terminal.expect("n00100")
    assert terminal.process is not None
    child = child_of(terminal.process.pid)
    terminal.until(lambda: "n00100" in on_disk(home))
    terminal.kill()
    terminal.until(lambda: not Path(f"/proc/{child}").exists())
    assert counting.wait_for_disconnect()
    _question, reply = kept(home)
    assert reply.content.split()[-1] == "n00100"
    assert reply.status == "interrupted"


def on_disk(home: Path) -> str:
    """Everything in the sessions' folders."""
    files = [path for path in (home / "sessions").rglob("*") if path.is_file()]
    return "".join(path.read_text("utf-8", "replace") for path in files)
