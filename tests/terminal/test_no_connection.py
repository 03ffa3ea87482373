"""Nobody is contacted before the person sends something, and then only whom they named."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import CTRL_C, CTRL_D, Terminal

CALLS = "connect,sendto,sendmsg,sendmmsg"
"""The system calls by which a packet can leave."""


def strace(log: Path) -> list[str]:
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(log)]


def works() -> bool:
    if shutil.which("strace") is None:
        return False
    command = [*strace(Path("/dev/null")), "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(
    not works(), reason="needs strace, and the right to trace a process"
)

Contacted = Callable[[], list[str]]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "strace"


@pytest.fixture
def contacted(log: Path) -> Contacted:
    """The internet addresses, with their ports, that the traced processes turned to."""
    pattern = re.compile(r"sin6?_port=htons\((\d+)\).*?\"([^\"]+)\"")

    def addresses() -> list[str]:
        lines = [line for line in log.read_text().splitlines() if "AF_INET" in line]
        return [f"{match[2]}:{match[1]}" for line in lines if (match := pattern.search(line))]

    return addresses


@pytest.fixture
def traced(
    program: Path, log: Path, environ: dict[str, str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs ``agno-shell ARGUMENTS`` under strace, with a key and without a server."""
    environ["OPENAI_API_KEY"] = "sk-fake-0000"

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [*strace(log), str(program), *arguments]
        return subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, timeout=60, input=b""
        )

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ("session", "--list"),
        ("search", "cup"),
        ("plugins",),
        ("config",),
        pytest.param(("doctor",), marks=pytest.mark.slow, id="doctor"),
        ("chat", "--new", "Nothing is said"),
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_no_command_contacts_anybody(
    traced: Callable[..., subprocess.CompletedProcess[bytes]],
    contacted: Contacted,
    arguments: tuple[str, ...],
) -> None:
    done = traced(*arguments)
    assert done.returncode in (0, 1), done.stderr
    assert b"Traceback" not in done.stderr
    assert contacted() == []


def test_a_shell_contacts_nobody_until_something_is_asked_or_sent_and_then_only_its_server(
    program: Path,
    environ: dict[str, str],
    log: Path,
    contacted: Contacted,
    configure: Callable[[str], Path],
    server: ModelServer,
    open_terminal: Callable[..., Terminal],
    tmp_path: Path,
) -> None:
    configure(f'[provider]\nmodel = "openai/gpt-4o"\napi_base = "{server.base_url}"\n')
    environ["OPENAI_API_KEY"] = "sk-fake-0000"
    terminal = open_terminal()
    terminal.start([*strace(log), str(program)], environ, cwd=tmp_path)
    terminal.expect(" lists the commands")
    terminal.type("typed and not sent" + CTRL_C)
    # The last ones are answered by the model process, once it is ready.
    for command in ("/help", "/info", "/sessions", "/new Two", "/context", "/doctor"):
        terminal.type(f"{command}\r")
    terminal.type("/rename All of this is done\r")
    terminal.expect("name changed to All of this is done", 60)
    assert contacted() == []
    assert server.lookups == server.requests == []

    terminal.type("/model\r")
    terminal.expect("test-model", 60)
    assert set(contacted()) == {f"127.0.0.1:{server.port}"}
    assert server.requests == []

    terminal.type("Hello\r")
    terminal.expect("You said: Hello", 60)
    terminal.type(CTRL_D)
    terminal.wait()
    assert set(contacted()) == {f"127.0.0.1:{server.port}"}
