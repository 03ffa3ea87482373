"""``chat --quick``: one question, one answer, an exit status that a script can use."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import CTRL_C, Terminal

Result = subprocess.CompletedProcess[bytes]
Run = Callable[..., Result]
Start = Callable[..., Terminal]


def test_a_script_pipes_text_in_and_gets_json_out(
    run: Run, server: ModelServer, local: tuple[str, ...], home: Path
) -> None:
    server.reply(["Blue", "."], usage={"prompt_tokens": 7, "completion_tokens": 2})
    done = run("chat", "--quick", "Explain:", "--json", *local, stdin=b"diff --git\n+one\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert server.requests[0].body["messages"][-1]["content"] == "Explain:\n\ndiff --git\n+one\n"
    answer = json.loads(done.stdout)
    assert answer["reply"] == "Blue."
    assert answer["model"] == "openai/test"
    assert answer["finish_reason"] == "stop"
    assert answer["usage"]["input_tokens"] == 7
    assert answer["error"] is None
    assert not list(home.rglob("messages.json"))


def test_what_is_piped_alone_is_the_question(run: Run) -> None:
    done = run("chat", "-q", stdin="Why é?\n".encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert "“Why é?”" in done.stdout.decode()


def one_line(done: Result) -> str:
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    return line


def test_a_wrong_key_is_one_line(
    run: Run, server: ModelServer, local: tuple[str, ...], environ: dict[str, str]
) -> None:
    environ["OPENAI_API_KEY"] = "sk-fake-0000000000000000"
    server.status(401, "Incorrect API key provided: sk-fake-0000000000000000.")
    line = one_line(run("chat", "--quick", "Hello", *local))
    assert "401" in line
    assert "sk-fake-0000000000000000" not in line


def test_a_server_that_is_down_is_one_line(run: Run, configure: Callable[[str], Path]) -> None:
    configure("[provider.limits]\ntries = 1\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    base = f"http://127.0.0.1:{port}/v1"
    line = one_line(run("chat", "--quick", "Hello", "--model", "openai/x", "--api-base", base))
    assert f"127.0.0.1:{port}" in line


@pytest.mark.usefixtures("talker")
def test_ctrl_c_is_130(start: Start) -> None:
    terminal = start("chat", "--quick", "Go", "--model", "half", prompt="")
    terminal.expect("The first half.")
    terminal.type(CTRL_C)
    assert terminal.wait() == 130
    assert "Traceback" not in terminal.text()


def test_without_a_model_the_offline_provider_answers(run: Run) -> None:
    done = run("chat", "--quick", "Hello")
    assert done.returncode == 0
    assert "You said: “Hello”" in done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "said"),
    [
        (("--quick", ""), b"", 2, "no question"),
        (("--quick", "x"), b"\x00\x01", 2, "binary"),
        (("--quick", "x", "--context", "{"), b"", 2, "JSON object"),
        (("--quick", "x", "--agent", "nobody"), b"", 2, "nobody"),
    ],
)
def test_wrong_use_is_named(
    run: Run, arguments: tuple[str, ...], stdin: bytes, status: int, said: str
) -> None:
    done = run("chat", *arguments, stdin=stdin)
    assert done.returncode == status
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
