"""What ``[provider] keep_warm`` saves where only litellm can answer: time until a request is at the
server, and memory of two shells."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench_first import BARE_REQUEST, arrived, to_request
from figures import Figure, interleaved, ratio
from places import AGNO_SHELL, empty_home
from terminal import PROMPT, Terminal, children, memory

from agno_shell.builtin.litellm_provider.warm import looking
from agno_shell.testing.model_server import ModelServer

MEMORY_RUNS = 3
SETTLED_SECONDS = 10.0
"""Until a shell's model process has loaded what it loads at leisure."""

ONE_SHOT_TARGET = 4.5
"""What it is for the provider that imports nothing heavy."""

TYPED_TARGET = 0.1
MEMORY_TARGET = 0.6


def litellm(folder: Path) -> list[Figure]:
    """A one-shot question, the first typed message, and the memory of two shells, each with a
    process of its own and with one that is kept."""
    with (
        ModelServer() as server,
        _home(folder / "cold", server, "off") as cold,
        _home(folder / "warm", server, "10m") as warm,
    ):
        question = [AGNO_SHELL, "chat", "--quick", "Hello"]
        bare = [sys.executable, str(BARE_REQUEST), server.base_url]
        floor, slow, quick = interleaved(
            [
                partial(to_request, server, bare, cold),
                partial(to_request, server, question, cold),
                partial(to_request, server, question, warm),
            ]
        )
        typed_slow, typed_quick = interleaved(
            [partial(_typed, server, cold), partial(_typed, server, warm)]
        )
        large, small = interleaved(
            [partial(_of_two_shells, cold), partial(_of_two_shells, warm)], MEMORY_RUNS
        )
    return [
        ratio("one-shot start to the request, litellm", slow, floor, None, "ms"),
        ratio("the same, kept warm", quick, floor, ONE_SHOT_TARGET, "ms"),
        ratio("first message, kept warm against not", typed_quick, typed_slow, TYPED_TARGET, "ms"),
        ratio("memory of two shells, kept warm against not", small, large, MEMORY_TARGET, "MB"),
    ]


@contextmanager
def _home(folder: Path, server: ModelServer, keep: str) -> Iterator[Mapping[str, str]]:
    environ = empty_home(folder)
    (folder / "config.toml").write_text(
        f'[provider]\nplugin = "litellm"\nmodel = "openai/test"\napi_base = "{server.base_url}"\n'
        f'keep_warm = "{keep}"\n'
    )
    yield environ
    looking.end(str(folder / "run"))


def _typed(server: ModelServer, environ: Mapping[str, str]) -> float:
    """Milliseconds from Enter to the request, typed at once into a shell just started."""
    terminal = Terminal([AGNO_SHELL, "--new", "One more"], environ)
    try:
        terminal.wait_for(PROMPT)
        server.forget()
        server.reply("Here I am.")
        pressed = terminal.type("Hello\r")
        terminal.wait_for("Here I am.")
        return arrived(server, pressed)
    finally:
        terminal.close()


def _of_two_shells(environ: Mapping[str, str]) -> float:
    """Megabytes of two shells at their prompts, and of all processes that serve them; what they
    share counts once."""
    terminals = [Terminal([AGNO_SHELL], environ) for _ in range(2)]
    try:
        for terminal in terminals:
            terminal.wait_for(PROMPT)
        deadline = time.monotonic() + SETTLED_SECONDS
        while time.monotonic() < deadline:
            for terminal in terminals:
                terminal.watch(0.1)
        processes = [terminal.pid for terminal in terminals]
        kept = looking.look(str(Path(environ["AGNO_SHELL_HOME"]) / "run"))
        processes += [each.pid for each in kept]
        terminals[0].watch(1.0)  # what was forked for the look has ended then
        processes += [child for pid in list(processes) for child in children(pid)]
        return sum(memory(pid)[1] for pid in processes)
    finally:
        for terminal in terminals:
            terminal.close()
