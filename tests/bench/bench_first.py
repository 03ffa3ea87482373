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
from tls import behind_tls

from agno_shell.testing.model_server import ModelServer

BARE_REQUEST = Path(__file__).with_name("bare_request.py")
ONE_SHOT_TARGET = 4.5
ONE_SHOT_TARGET_MS = 200.0
TYPED_TARGET_MS = 60.0


def request(folder: Path) -> list[Figure]:
    """A one-shot question against the standard library's, in the clear and over TLS, and the first
    typed message."""
    environ = empty_home(folder / "home")
    with ModelServer() as server, behind_tls(server.base_url, folder) as (safe_url, bundle):
        safe = environ | {"SSL_CERT_FILE": str(bundle)}
        floor, mine, litellm, safe_floor, mine_safe = interleaved(
            [
                partial(to_request, server, _bare(server.base_url), environ),
                partial(to_request, server, _question(server.base_url, "direct"), environ),
                partial(to_request, server, _question(server.base_url, "litellm"), environ),
                partial(to_request, server, _bare(safe_url), safe),
                partial(to_request, server, _question(safe_url, "direct"), safe),
            ]
        )
    typed = [_typed(folder / f"typed{number}") for number in range(RUNS)]
    return [
        middle("one-shot start to the request", mine, "ms", ONE_SHOT_TARGET_MS),
        ratio("one-shot start to the request, direct", mine, floor, ONE_SHOT_TARGET, "ms"),
        middle("one-shot start to the request, TLS", mine_safe, "ms", ONE_SHOT_TARGET_MS),
        ratio("the same by direct, TLS", mine_safe, safe_floor, ONE_SHOT_TARGET, "ms"),
        ratio("one-shot start to the request, litellm", litellm, floor, None, "ms"),
        middle("first message, Enter to the request", typed, "ms", TYPED_TARGET_MS),
    ]


def _bare(base_url: str) -> list[str]:
    return [sys.executable, str(BARE_REQUEST), base_url]


def _question(base_url: str, provider: str) -> list[str]:
    model = ["--model", "openai/test", "--api-base", base_url]
    chosen = ["env", f"AGNO_SHELL_PROVIDER_PLUGIN={provider}"]
    return [*chosen, AGNO_SHELL, *model, "chat", "--quick", "Hello"]


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
