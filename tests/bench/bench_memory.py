"""What the shell's own process keeps in memory while it waits for a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from figures import RUNS, Figure, ratio
from places import AGNO_SHELL, BARE_PROMPT, empty_home, full_home
from terminal import PROMPT, Terminal, memory

from agno_shell.testing.model_server import ModelServer

IDLE_SECONDS = 3.0


def at_the_prompt(folder: Path) -> list[Figure]:
    """Resident and proportional set size after three idle seconds.

    The target is for the resident set; the proportional one leaves out what other
    processes share, so it depends on what else runs.
    """
    bare, fresh = empty_home(folder / "bare"), empty_home(folder / "fresh")
    offline = full_home(folder / "offline")
    answering = full_home(folder / "answering")
    with ModelServer() as server:
        settings = f'[provider]\nmodel = "openai/test"\napi_base = "{server.base_url}"\n'
        (folder / "answering" / "config.toml").write_text(settings)
        kinds = {
            "bare": partial(Terminal, BARE_PROMPT, bare),
            "empty home": partial(Terminal, [AGNO_SHELL], fresh),
            "100 sessions": partial(Terminal, [AGNO_SHELL], offline),
            **{
                name: partial(
                    Terminal, [AGNO_SHELL], answering | {"AGNO_SHELL_PROVIDER_PLUGIN": name}
                )
                for name in ("direct", "litellm")
            },
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
        for _ in range(RUNS):
            # Side by side: what they share counts for each, and the wait is one.
            for name, sizes in zip(kinds, _sizes(list(kinds.values())), strict=True):
                taken[name].append(sizes)
    figures = []
    for name in list(kinds)[1:]:
        for column, (size, target) in enumerate((("RSS", 1.25), ("PSS", None))):
            samples, floor = ([pair[column] for pair in taken[key]] for key in (name, "bare"))
            figures.append(
                ratio(f"memory at the prompt, {name} ({size})", samples, floor, target, "MB")
            )
    return figures


def _sizes(kinds: Sequence[partial[Terminal]]) -> list[tuple[float, float]]:
    terminals = [start() for start in kinds]
    try:
        for terminal in terminals:
            terminal.wait_for(PROMPT)
        deadline = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < deadline:
            for terminal in terminals:
                terminal.watch(0.1)
        return [memory(terminal.pid) for terminal in terminals]
    finally:
        for terminal in terminals:
            terminal.close()
