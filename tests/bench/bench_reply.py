"""What a token costs on its way from the server to the screen and the disk: in a long
reply against a short one, and against litellm's own loop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from chat import model_process, warm_chat
from figures import RUNS, Figure, interleaved, ratio
from terminal import Terminal, cpu_seconds

from agno_shell.testing.model_server import ModelServer

SHORT, LONG = 1_000, 10_000
TARGET = 12.0
LOOP_TARGET = 0.5
LOOP_TOKENS = 5_000
BARE_LITELLM = Path(__file__).with_name("bare_litellm.py")

_PAGE = """\
## Part {number} of the answer

The **first** thing to know is that `value_{number}` is read *before* it is written, which
every reader of the file takes for granted; see the [notes](https://example.org/{number}).

- It holds for short texts as well as for long ones,
- it holds in every language,
- and it was measured {number} times.

```python
def step_{number}(values: list[int]) -> int:
    total = sum(value * {number} for value in values)  # one pass
    return total if total else -1
```

"""


def cpu_of_a_long_reply(folder: Path) -> list[Figure]:
    """CPU time of both processes for 10,000 tokens as a multiple of that for 1,000."""
    shares: dict[int, list[tuple[float, float]]] = {SHORT: [], LONG: []}
    with warm_chat(folder, "litellm") as (terminal, server):

        def measure(tokens: int) -> float:
            shares[tokens].append(_cpu(terminal, server, tokens, sum(map(len, shares.values()))))
            return 0.0

        interleaved([lambda: measure(SHORT), lambda: measure(LONG)])
    short, long = shares[SHORT][-RUNS:], shares[LONG][-RUNS:]
    return [
        ratio(
            "CPU of 10,000 tokens against 1,000, the shell",
            [shell for shell, _model in long],
            [shell for shell, _model in short],
            TARGET,
            "ms",
        ),
        ratio(
            "CPU of 10,000 tokens against 1,000, with the model process",
            [sum(pair) for pair in long],
            [sum(pair) for pair in short],
            TARGET,
            "ms",
        ),
    ]


def cost_per_token(folder: Path) -> list[Figure]:
    """Wall time of a reply that a server sends at once, until it is on the screen and whole
    on the disk, as a multiple of what litellm's own loop takes to read it."""
    numbers = count()
    with warm_chat(folder) as (terminal, server):
        bare = subprocess.Popen(
            [sys.executable, str(BARE_LITELLM), server.base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert bare.stdin
        assert bare.stdout
        bare.stdout.readline()
        sessions = next(folder.rglob("sessions.json")).parent
        pieces = [*islice(_tokens(), LOOP_TOKENS)]

        def shell() -> float:
            number = next(numbers)
            terminal.type(f"/new Loop {number}\r")
            terminal.wait_for(f"Loop {number}")
            terminal.watch(0.3)
            end = f"Endmark{number}"
            server.reply([*pieces, f"\n\n{end}"])
            began = terminal.type("Go on.\r")
            shown = terminal.wait_for(end, seconds=120)
            while not _is_kept(sessions, end):
                terminal.watch(0.002)
            return (max(shown, time.monotonic()) - began) * 1e3 / LOOP_TOKENS

        def litellm() -> float:
            server.reply([*pieces, f"\n\nEndmark{next(numbers)}"])
            print(file=bare.stdin, flush=True)
            return float(bare.stdout.readline().split()[0]) * 1e3 / LOOP_TOKENS

        try:
            mine, floor = interleaved([shell, litellm])
        finally:
            bare.kill()
            bare.wait()
    what = "a token from the server to screen and disk, against litellm's loop"
    return [ratio(what, mine, floor, LOOP_TARGET, "ms")]


def _is_kept(sessions: Path, end: str) -> bool:
    """Whether the whole reply that ends so is in one of the sessions."""
    for file in sorted(sessions.glob("*/messages.json"), key=lambda each: -each.stat().st_mtime):
        try:
            said = json.loads(file.read_text("utf-8"))
        except ValueError:  # it is being written
            return False
        return bool(said) and said[-1]["content"].endswith(end)
    return False


def _cpu(terminal: Terminal, server: ModelServer, tokens: int, number: int) -> tuple[float, float]:
    """CPU milliseconds of the shell and of its model process for one reply."""
    # A session of its own, so that no request carries the replies before it.
    terminal.type(f"/new Measurement {number}\r")
    terminal.wait_for(f"Measurement {number}")
    terminal.watch(0.3)
    end = f"Endmark{number}"
    server.reply([*islice(_tokens(), tokens), f"\n\n{end}"])
    processes = (terminal.pid, model_process(terminal))
    before = [cpu_seconds(pid) for pid in processes]
    terminal.type("Go on.\r")
    terminal.wait_for(end, seconds=120)
    after = _settled(terminal, processes)
    shell, model = ((b - a) * 1e3 for a, b in zip(before, after, strict=True))
    return shell, model


def _tokens() -> Iterator[str]:
    """Words of a Markdown text without end, each with the space behind it."""
    number = 0
    while True:
        number += 1
        for line in _PAGE.format(number=number).splitlines(keepends=True):
            *words, last = line.split(" ")
            yield from (word + " " for word in words)
            yield last


def _settled(terminal: Terminal, processes: tuple[int, int]) -> list[float]:
    """CPU seconds once what follows the reply, such as saving it, is done."""
    deadline = time.monotonic() + 10
    now = [cpu_seconds(pid) for pid in processes]
    while time.monotonic() < deadline:
        terminal.watch(0.3)
        before, now = now, [cpu_seconds(pid) for pid in processes]
        if sum(now) - sum(before) < 0.002:
            break
    return now
