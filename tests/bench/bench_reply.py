"""Whether a token of a long reply costs as little as one of a short reply."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from chat import model_process, warm_chat
from figures import RUNS, Figure, interleaved, ratio
from terminal import Terminal, cpu_seconds

from agno_shell.testing.model_server import ModelServer

SHORT, LONG = 1_000, 10_000
TARGET = 12.0

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
    with warm_chat(folder) as (terminal, server):

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
