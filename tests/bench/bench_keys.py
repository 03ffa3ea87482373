"""How soon a typed key is drawn while something else goes on."""

from __future__ import annotations

import random
from pathlib import Path

from chat import cold_chat, warm_chat
from figures import Figure, middle
from places import BARE_PROMPT, empty_home
from terminal import PROMPT, Terminal

KEYS = "αβγδεζηθικλμνξοπρστυφχψωбвгджзиклмнптцчшщъыьэюя"
"""Letters that neither the reply nor an escape sequence holds: each is drawn once."""

TOKENS_PER_SECOND = 100
PAUSE_SECONDS = 0.04


def echo(folder: Path) -> list[Figure]:
    """A bare prompt, the shell while litellm is imported, and while a reply streams."""
    return [
        middle("key echo, bare prompt", _at_a_bare_prompt(folder), "ms"),
        middle("key echo while litellm is imported", _while_importing(folder), "ms"),
        middle("key echo while 100 tokens/s arrive", _while_streaming(folder), "ms"),
    ]


def _at_a_bare_prompt(folder: Path) -> list[float]:
    terminal = Terminal(BARE_PROMPT, empty_home(folder / "bare"))
    try:
        terminal.wait_for(PROMPT)
        terminal.watch(0.3)
        return echoes(terminal)
    finally:
        terminal.close()


def _while_importing(folder: Path) -> list[float]:
    """The first two seconds and more of a shell: its model process imports litellm."""
    (folder / "cold").mkdir()
    with cold_chat(folder / "cold", "litellm") as (terminal, _server):
        return echoes(terminal)


def _while_streaming(folder: Path) -> list[float]:
    (folder / "warm").mkdir()
    with warm_chat(folder / "warm") as (terminal, server):
        words = [f"word{number} " for number in range(10 * TOKENS_PER_SECOND)]
        server.reply(words, delay=1 / TOKENS_PER_SECOND)
        terminal.type("Count.\r")
        terminal.wait_for("word3")
        return echoes(terminal)


def echoes(terminal: Terminal) -> list[float]:
    """Milliseconds from each key to its letter on the screen."""
    samples = []
    for key in KEYS:
        pressed = terminal.type(key)
        samples.append((terminal.wait_for(key) - pressed) * 1e3)
        # Not in step with the shell's frames.
        terminal.watch(PAUSE_SECONDS * (0.5 + random.random()))
    return samples
