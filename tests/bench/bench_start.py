"""How long it takes until something can be typed, or is answered."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from figures import Figure, interleaved, ratio
from places import AGNO_SHELL, BARE_PROMPT, CURRENT_NAME, empty_home, full_home, index_file
from terminal import PROMPT, Terminal


def launch(folder: Path) -> list[Figure]:
    """From the start of the process to the prompt, in a terminal."""
    full, fresh = full_home(folder / "full"), folder / "fresh"
    bare, shell, first = interleaved(
        [
            partial(_to_prompt, BARE_PROMPT, empty_home(folder / "bare")),
            partial(_to_prompt, [AGNO_SHELL], full),
            lambda: _to_prompt([AGNO_SHELL], _next_home(fresh)),
        ]
    )
    bare_again, greeted = interleaved(
        [
            partial(_to_prompt, BARE_PROMPT, empty_home(folder / "bare2")),
            partial(_to_prompt, [AGNO_SHELL], full, CURRENT_NAME.encode()),
        ]
    )
    return [
        ratio("launch to prompt, 100 sessions", shell, bare, 1.2, "ms"),
        ratio("launch to prompt, empty home", first, bare, 1.2, "ms"),
        ratio("launch to the last exchanges on the screen", greeted, bare_again, None, "ms"),
    ]


def version(folder: Path) -> list[Figure]:
    """``--version`` against an interpreter that does nothing."""
    environ = empty_home(folder / "home")
    nothing, shown = interleaved(
        [
            partial(_run, [sys.executable, "-c", "pass"], environ),
            partial(_run, [AGNO_SHELL, "--version"], environ),
        ]
    )
    return [ratio("agno-shell --version", shown, nothing, 3.0, "ms")]


def listing(folder: Path) -> list[Figure]:
    """``session --list`` against ``--version`` and the reading of the list itself; and with the
    storage of a plugin, where the one for SQLite is installed."""
    environ = full_home(folder / "home")
    listing = [AGNO_SHELL, "session", "--list"]
    kinds = {
        "version": partial(_run, [AGNO_SHELL, "--version"], environ),
        "json": partial(_run, listing, environ),
        "read": partial(_read, index_file(environ), environ),
    }
    if find_spec("agno_shell_sqlite") is not None:
        _run([AGNO_SHELL, "migrate", "--from", "json", "--to", "sqlite"], environ)
        kinds["sqlite"] = partial(_run, listing, environ | {"AGNO_SHELL_STORAGE_PLUGIN": "sqlite"})
    taken = dict(zip(kinds, interleaved(list(kinds.values())), strict=True))
    floor = [median(taken["version"]) + median(taken["read"])]
    figures = [ratio("session --list, 100 sessions", taken["json"], floor, 1.4, "ms")]
    if "sqlite" in taken:
        name = "session --list, a plugin's storage"
        figures.append(ratio(name, taken["sqlite"], floor, 1.4, "ms"))
    return figures


def _to_prompt(command: Sequence[str], environ: Mapping[str, str], mark: bytes = PROMPT) -> float:
    """Milliseconds until ``mark`` is drawn."""
    terminal = Terminal(command, environ)
    try:
        return (terminal.wait_for(mark) - terminal.began) * 1e3
    finally:
        terminal.close()


def _next_home(folder: Path) -> dict[str, str]:
    """Another home that nobody has used, because the first start fills it."""
    folder.mkdir(exist_ok=True)
    return empty_home(folder / str(len(list(folder.iterdir()))))


def _run(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Milliseconds of a command that must succeed."""
    began = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE)
    return (time.perf_counter() - began) * 1e3


def _read(path: Path, environ: Mapping[str, str]) -> float:
    """Milliseconds in which a process that has parsed its arguments reads a JSON file."""
    code = (
        "import argparse, sys, time; began = time.perf_counter(); import json; "
        "json.load(open(sys.argv[1])); print((time.perf_counter() - began) * 1e3)"
    )
    command = [sys.executable, "-c", code, str(path)]
    return float(subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE).stdout)
