"""The whole program at servers that others wrote: one question, and a shell in a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agno_shell.testing.terminal import Terminal
from tests.foreign.samples import TEXT
from tests.foreign.servers import Server
from tests.foreign.test_llmock import plan
from tests.foreign.wires import AIMOCK, LLMOCK, Wire

PROGRAM = Path(sysconfig.get_path("scripts")) / "agno-shell"

Ask = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[provider]\nplugin = "direct"\n')
    return {
        "AGNO_SHELL_HOME": str(home),
        "HOME": str(tmp_path),
        "PATH": os.defpath,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def ask(environ: dict[str, str], tmp_path: Path) -> Ask:
    """Runs ``agno-shell chat --quick QUESTION``."""

    def run(
        server: Server, wire: Wire, question: str, *options: str
    ) -> subprocess.CompletedProcess[str]:
        where = ["--model", wire.model, "--api-base", server.root + wire.path]
        return subprocess.run(
            [str(PROGRAM), "chat", *where, *options, "--quick", question],
            capture_output=True,
            encoding="utf-8",
            env=environ,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.parametrize("wire", [wire for wire in AIMOCK if wire != "responses"])
def test_one_question(wire: str, aimock_server: Server, ask: Ask) -> None:
    ran = ask(aimock_server, AIMOCK[wire], "Say [text].", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["reply"] == TEXT
    ran = ask(aimock_server, AIMOCK[wire], "Say [chaos-malformed].")
    assert (ran.returncode == 0, ran.stdout) == (False, "")
    assert "no model reply" in ran.stderr


def test_a_busy_server_is_asked_again_as_it_wants(llmock_server: Server, ask: Ask) -> None:
    busy = {"type": "fail", "status": 429, "retry_after": 1, "times": 2}
    plan(llmock_server, busy, {"type": "reply", "text": TEXT})
    ran = ask(llmock_server, LLMOCK["chat"], "Hello")
    assert (ran.returncode, ran.stdout.strip()) == (0, TEXT)
    verdict = llmock_server.ask("/_llmock/verdict")
    assert (verdict["attempts"], verdict["findings"]) == (3, [])


def test_what_cannot_succeed_is_asked_once(llmock_server: Server, ask: Ask) -> None:
    plan(llmock_server, {"type": "fail", "status": 401})
    ran = ask(llmock_server, LLMOCK["anthropic"], "Hello")
    assert ran.returncode != 0
    assert "401" in ran.stderr
    verdict = llmock_server.ask("/_llmock/verdict")
    assert (verdict["attempts"], verdict["findings"]) == (1, [])


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as opened:
        yield opened


def test_a_shell(
    terminal: Terminal, aimock_server: Server, environ: dict[str, str], tmp_path: Path
) -> None:
    model, path = AIMOCK["anthropic"]
    where = ["--model", model, "--api-base", aimock_server.root + path]
    terminal.start([str(PROGRAM), "chat", *where], environ, cwd=tmp_path)
    terminal.expect(" lists the commands")
    terminal.type("Say [text].\r")
    terminal.expect(TEXT)
    terminal.type("Say [thoughts].\r")
    terminal.expect("12 words)")
    terminal.type("Say [cut-text].\r")
    terminal.expect("broke")
    terminal.type("/model openai/gpt-4o\r")
    terminal.type("Say [no-model].\r")
    terminal.expect("(404)")
    terminal.type("/quit\r")
    assert terminal.wait() == 0
