"""Nothing in the working directory is read or run, or says where anything goes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import CTRL_D, Terminal

ACTS = """
import os
with open(os.environ["ACTED"], "a") as file:
    file.write(__file__ + "\\n")
"""
MODULES = (
    *("sitecustomize", "usercustomize", "litellm", "openai", "httpx", "aiohttp", "certifi"),
    *("prompt_toolkit", "pluggy", "pygments", "platformdirs", "filelock", "tomllib", "json"),
    *("readline", "dotenv", "tiktoken", "tokenizers", "sqlite3", "asyncio", "conftest"),
)
"""What the program, its libraries or Python itself import by name."""

ENV = """
OPENAI_API_KEY=sk-fake-0000-planted
OPENAI_BASE_URL={base}
OPENAI_API_BASE={base}
HTTP_PROXY={base}
HTTPS_PROXY={base}
ALL_PROXY={base}
AGNO_SHELL_MODEL=openai/planted
LITELLM_LOCAL_MODEL_COST_MAP=False
"""
YAML = """
model_list:
  - model_name: "*"
    litellm_params: {{model: openai/planted, api_base: "{base}"}}
litellm_settings: {{callbacks: planted.handler}}
"""
TOML = """
[provider]
model = "openai/planted"
api_base = "{base}"
[plugins]
off = ["litellm"]
"""


class Trap:
    """A working directory full of files, and a port that they name."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.folder = folder
        self.acted = folder.parent / "acted"
        self._listener = listener
        self.address = listener.getsockname()
        base = f"http://127.0.0.1:{self.address[1]}/v1"
        texts = {
            **dict.fromkeys((".env", ".env.local", ".envrc"), ENV),
            **dict.fromkeys(("litellm_config.yaml", "proxy_config.yaml", "config.yaml"), YAML),
            **dict.fromkeys(("config.toml", "shell.toml", "agno-shell.toml", ".agno-shell"), TOML),
            "pip.conf": "[global]\nindex-url = {base}\n",
            ".netrc": "machine 127.0.0.1 login planted password sk-fake-0000-planted\n",
            "pyvenv.cfg": "home = {base}\n",
            ".inputrc": "set editing-mode vi\n",
            ".python-version": "2.7\n",
            "model_prices_and_context_window.json": '{{"planted": {{}}}}',
            **{f"{name}.py": ACTS.replace("{", "{{").replace("}", "}}") for name in MODULES},
        }
        folder.mkdir()
        for name, text in texts.items():
            path = folder / name
            path.write_text(text.format(base=base))
            path.chmod(0o600)
            # A file that was read after it was written shows it, except where the file
            # system keeps no times of access.
            os.utime(path, (1_000_000_000, 1_500_000_000))

    def sprung(self) -> list[str]:
        """What was run, and what was read."""
        ran = self.acted.read_text().splitlines() if self.acted.exists() else []
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return ran + [str(path) for path in files if path.stat().st_atime != 1_000_000_000]

    def contacted(self) -> bool:
        """Whether anybody connected to the port that the files name."""
        try:
            connection, _address = self._listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def trap(tmp_path: Path, environ: dict[str, str]) -> Iterator[Trap]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        made = Trap(tmp_path / "hostile", listener)
        environ["ACTED"] = str(made.acted)
        yield made


@pytest.fixture
def at_server(configure: Callable[[str], Path], server: ModelServer) -> ModelServer:
    """A server that the person's own configuration names."""
    configure(f'[provider]\nmodel = "openai/test"\napi_base = "{server.base_url}"\n')
    return server


Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(trap: Trap, environ: dict[str, str]) -> Call:
    """Runs a command line in the hostile directory."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=trap.folder, env=environ, capture_output=True, text=True, timeout=60
        )

    return run


def test_a_trap_that_is_walked_into_is_sprung(trap: Trap, call: Call) -> None:
    """Else the tests below would prove nothing."""
    assert trap.sprung() == []
    assert not trap.contacted()
    call(sys.executable, "-c", "import pluggy")
    assert str(trap.folder / "pluggy.py") in trap.sprung()
    (trap.folder / ".env").read_text()
    if (trap.folder / ".env").stat().st_atime == 1_000_000_000:
        pytest.skip("the file system does not keep the times of access")
    assert str(trap.folder / ".env") in trap.sprung()
    with socket.create_connection(trap.address):
        assert trap.contacted()


def test_a_chat_reads_nothing_in_it(
    trap: Trap,
    at_server: ModelServer,
    program: Path,
    environ: dict[str, str],
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal()
    terminal.start([str(program)], environ, cwd=trap.folder)
    terminal.expect(" lists the commands")
    terminal.type("Hello\r")
    terminal.expect("You said: Hello")
    for command in ("/doctor", "/model", "/plugins", "/trace"):
        terminal.type(f"{command}\r")
    terminal.type("Once more\r")
    terminal.expect("You said: Once more")
    terminal.type(CTRL_D)
    assert terminal.wait() == 0
    assert len(at_server.requests) == 2
    assert "planted" not in str(at_server.requests)
    assert trap.sprung() == []
    assert not trap.contacted()


@pytest.mark.parametrize(
    "arguments",
    [("session", "--list"), ("search", "cup"), ("doctor",), ("plugins",), ("config",)],
    ids=lambda arguments: arguments[0],
)
def test_one_shot_commands_read_nothing_in_it(
    trap: Trap, call: Call, program: Path, arguments: tuple[str, ...]
) -> None:
    done = call(str(program), *arguments)
    assert "Traceback" not in done.stderr
    assert "planted" not in done.stdout
    assert trap.sprung() == []
    assert not trap.contacted()


@pytest.mark.parametrize("options", [(), ("-P",), ("-I",)], ids=["plain", "-P", "-I"])
def test_started_as_a_module_it_imports_nothing_from_it(
    trap: Trap, call: Call, options: tuple[str, ...]
) -> None:
    done = call(sys.executable, *options, "-m", "agno_shell", "plugins")
    assert done.returncode == 0
    assert "litellm" in done.stdout
    assert trap.sprung() == []
