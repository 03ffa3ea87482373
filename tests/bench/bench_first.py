"""From a start to the first request at the server: of a one-shot question, and of a message
that is typed at the prompt as soon as it stands."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from chat import cold_chat
from figures import RUNS, Figure, interleaved, middle, ratio
from places import AGNO_SHELL, empty_home

from agno_shell.testing.model_server import ModelServer

BARE_REQUEST = Path(__file__).with_name("bare_request.py")
ONE_SHOT_TARGET = 4.5
ONE_SHOT_TARGET_MS = 200.0
TYPED_TARGET_MS = 60.0


def request(folder: Path) -> list[Figure]:
    """A one-shot question against the standard library's, and the first typed message."""
    environ = empty_home(folder / "home")
    with ModelServer() as server:
        model = ["--model", "openai/test", "--api-base", server.base_url]
        question = [AGNO_SHELL, *model, "chat", "--quick", "Hello"]
        bare = [sys.executable, str(BARE_REQUEST), server.base_url]
        floor, mine, litellm = interleaved(
            [
                partial(to_request, server, bare, environ),
                partial(to_request, server, question, environ | _provider("direct")),
                partial(to_request, server, question, environ | _provider("litellm")),
            ]
        )
    typed = [_typed(folder / f"typed{number}") for number in range(RUNS)]
    return [
        middle("one-shot start to the request", mine, "ms", ONE_SHOT_TARGET_MS),
        ratio("one-shot start to the request, direct", mine, floor, ONE_SHOT_TARGET, "ms"),
        ratio("one-shot start to the request, litellm", litellm, floor, None, "ms"),
        middle("first message, Enter to the request", typed, "ms", TYPED_TARGET_MS),
    ]


def _provider(name: str) -> dict[str, str]:
    return {"AGNO_SHELL_PROVIDER_PLUGIN": name}


def to_request(server: ModelServer, command: Sequence[str], environ: Mapping[str, str]) -> float:
    """Milliseconds from the start of a process to its request at the server."""
    server.forget()
    server.reply("Hello.")
    began = time.monotonic()
    subprocess.run(command, env=dict(environ), check=True, capture_output=True, timeout=60)
    return arrived(server, began)


def _typed(folder: Path) -> float:
    """The same from Enter, typed at once into a shell that has just been started."""
    folder.mkdir()
    with cold_chat(folder) as (terminal, server):
        server.reply("Here I am.")
        pressed = terminal.type("Hello\r")
        terminal.wait_for("Here I am.")
        return arrived(server, pressed)


def arrived(server: ModelServer, began: float) -> float:
    at = next(each.at for each in server.requests if each.path.endswith("/chat/completions"))
    return (at - began) * 1e3
