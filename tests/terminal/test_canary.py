"""Fake keys, and where they are found afterwards: nowhere.

A reply is kept word for word, whatever stands in it; the keys come back in everything else
that a server can send.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

CANARY = "c4n4ry"
KEYS = {
    # Nothing in its name or its value says that it is secret, but the configuration does.
    "MY_MODEL_SERVER": f"fake 0000 {CANARY} of the server",
    "OPENAI_API_KEY": f"sk-fake-0000-{CANARY}-of-openai",
    "ANTHROPIC_API_KEY": f"sk-ant-fake-0000-{CANARY}-of-anthropic",
    "HF_TOKEN": f"hf_fake0000{CANARY}",
    "DATABASE_PASSWORD": f"{CANARY}/with+other=signs",
}
CONFIG = """
[provider]
plugin = "{provider}"
model = "openai/test"
api_base = "{base}"
api_key_env = "MY_MODEL_SERVER"

[provider.limits]
tries = 1
"""
CRASHING = """
import os

from agno_shell import Command, hookimpl

def crash(context, text):
    raise RuntimeError("no luck with " + os.environ["MY_MODEL_SERVER"])

@hookimpl
def register_commands():
    return [Command("crash", "Fails.", crash)]
"""
"""A plugin's command that fails in the worst way: with a key in its error."""


@pytest.fixture(params=["direct", "litellm"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shell(
    start: Callable[..., Terminal],
    environ: dict[str, str],
    install: Callable[[str, str], None],
    configure: Callable[[str], Path],
    server: ModelServer,
    tmp_path: Path,
    provider: str,
) -> Terminal:
    """A shell with keys in its environment, at a server that is sent one of them."""
    install("crashing", CRASHING)
    (tmp_path / "tmp").mkdir()
    environ |= {**KEYS, "TMPDIR": str(tmp_path / "tmp")}
    configure(CONFIG.format(provider=provider, base=server.base_url))
    return start()


def descendants(pid: int) -> Iterator[Path]:
    """The folders in /proc of a process's children, and of theirs."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield Path(f"/proc/{child}")
            yield from descendants(child)


def found_in(folder: Path) -> list[str]:
    """Every file below a folder that holds the canary, or is called by it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if holds(path.read_bytes()) or holds(str(path).encode())]


def holds(data: bytes) -> bool:
    return CANARY.encode() in data


def test_no_key_is_written_shown_or_handed_on(
    shell: Terminal,
    server: ModelServer,
    run: Callable[..., Any],
    tmp_path: Path,
    provider: str,
) -> None:
    assert shell.process is not None

    def say(text: str, answer: str) -> None:
        shell.type(f"{text}\r")
        shell.expect(answer)

    say("Hello", "You said: Hello")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEYS['MY_MODEL_SERVER']}"

    for status in (400, 401, 403, 404, 429, 500):
        server.echo_key(status)
        say(f"error {status}", f"({status})")
    server.error_event(f"bad: {' '.join(KEYS.values())}", ["Half a "])
    say("event", "bad: [hidden")
    server.stream(f"data: {KEYS['MY_MODEL_SERVER']}\n\n".encode(), ["Half a "])
    say("garbage", "no model reply")
    server.redirect(f"http://127.0.0.1:1/?key={KEYS['MY_MODEL_SERVER']}")
    say("redirect", "redirects elsewhere")
    for command in ("/trace", "/metrics", "/info", "/model", "/doctor", "/history"):
        shell.type(f"{command}\r")
    # What was not answered goes along.
    say("Still there?", "Still there? (")

    processes = list(descendants(shell.process.pid))
    assert len(processes) == int(provider == "litellm"), "the model process, and no other"
    for process in processes:
        assert holds((process / "environ").read_bytes()), "the sweep sees what is there"
    for process in (Path(f"/proc/{shell.process.pid}"), *processes):
        assert not holds((process / "cmdline").read_bytes())
    for process in (Path(f"/proc/{shell.process.pid}"), *processes):
        limits = (process / "limits").read_text()
        assert re.search(r"Max core file size +0 ", limits), "no key in a core dump"

    for process in processes:
        os.kill(int(process.name), signal.SIGKILL)
        shell.until(lambda process=process: not process.exists())  # type: ignore[misc]
    say("After a crash", "You said: After a crash")
    assert not holds(shell.written)

    # On the person's own screen a plugin may say anything; that is written nowhere.
    say("/crash", "no luck with fake 0000")
    server.stall(["And in the middle of "])
    say("And now?", "And in the middle of")
    shell.kill()
    assert found_in(tmp_path) == []
    for arguments in (("doctor",), ("config",), ("plugins",), ("session",)):
        done = run(*arguments)
        assert not holds(done.stdout + done.stderr)
    assert found_in(tmp_path) == []
