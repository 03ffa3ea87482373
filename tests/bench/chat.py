"""A shell in a terminal that talks to a model server in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from places import AGNO_SHELL, empty_home
from terminal import PROMPT, Terminal, children

from agno_shell.testing.model_server import ModelServer

READY = "ready to be measured"


@contextmanager
def cold_chat(folder: Path, provider: str = "direct") -> Iterator[tuple[Terminal, ModelServer]]:
    """A shell whose prompt has just appeared; its provider is still getting ready."""
    with ModelServer() as server:
        model = ["--model", "openai/test", "--api-base", server.base_url]
        environ = empty_home(folder / "home") | {"AGNO_SHELL_PROVIDER_PLUGIN": provider}
        terminal = Terminal([AGNO_SHELL, *model], environ)
        try:
            terminal.wait_for(PROMPT)
            yield terminal, server
        finally:
            terminal.close()


@contextmanager
def warm_chat(folder: Path, provider: str = "direct") -> Iterator[tuple[Terminal, ModelServer]]:
    """A shell whose provider has answered twice."""
    with cold_chat(folder, provider) as (terminal, server):
        for _ in range(2):
            server.reply(READY)
            terminal.type("Are you there?\r")
            terminal.wait_for(READY)
            terminal.watch(0.5)
        yield terminal, server


def model_process(terminal: Terminal) -> int:
    """The process id of the shell's only child."""
    (pid,) = children(terminal.pid)
    return pid
