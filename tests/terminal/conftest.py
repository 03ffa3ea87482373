"""agno-shell in a real pty, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import Terminal

PROGRAM = Path(sysconfig.get_path("scripts")) / "agno-shell"

TALKER = '''
import asyncio

from agno_shell import Finished, Provider, ProviderFactory, TextDelta, hookimpl


class Talker(Provider):
    """The model's name says how it answers."""

    name = "talker"

    async def stream(self, request):
        if request.model == "half":
            yield TextDelta("The first half.\\n\\nThe second")
            await asyncio.Event().wait()
        for number in range(1, 201):
            yield TextDelta(f"line {number:03}\\n\\n")
            await asyncio.sleep(0.003)
        yield Finished()


@hookimpl
def register_providers():
    return [ProviderFactory("talker", "for tests", lambda _options: Talker())]
'''
"""A provider as a third party would write one: no process of its own, so it starts at once."""


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed command, as a person starts it."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is missing; install the package first: pip install -e '.[test]'")
    return PROGRAM


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder in which everything is kept."""
    return tmp_path / "home"


@pytest.fixture
def environ(home: Path, tmp_path: Path) -> dict[str, str]:
    """What agno-shell is started with: no key, nothing of the one who runs the tests."""
    return {
        "AGNO_SHELL_HOME": str(home),
        "HOME": str(tmp_path),
        "PATH": os.defpath,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def configure(home: Path) -> Callable[[str], Path]:
    """Writes the config file; returns its path."""

    def write(text: str) -> Path:
        home.mkdir(exist_ok=True)
        path = home / "config.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    """Makes terminals that are closed behind the test."""
    opened: list[Terminal] = []

    def make(columns: int = 100, rows: int = 30) -> Terminal:
        opened.append(Terminal(columns, rows))
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


@pytest.fixture
def start(
    program: Path, environ: dict[str, str], tmp_path: Path, open_terminal: Callable[..., Terminal]
) -> Callable[..., Terminal]:
    """Starts ``agno-shell ARGUMENTS`` in a new terminal and waits for the prompt."""

    def begin(*arguments: str, prompt: str = "›", columns: int = 100, rows: int = 30) -> Terminal:
        terminal = open_terminal(columns, rows)
        terminal.start([str(program), *arguments], environ, cwd=tmp_path)
        if prompt:
            # The prompt is painted first; the session is read behind it.
            terminal.expect(" lists the commands")
            terminal.expect_screen(prompt)
        return terminal

    return begin


@pytest.fixture
def run(program: Path, environ: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Runs ``agno-shell ARGUMENTS`` without a terminal, with bytes on its standard input."""

    def call(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [str(program), *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, env=environ, cwd=tmp_path, timeout=60
        )

    return call


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def local(server: ModelServer) -> tuple[str, ...]:
    """The options that lead to :func:`server`."""
    return ("--model", "openai/test", "--api-base", server.base_url)


@pytest.fixture
def install(tmp_path: Path, environ: dict[str, str]) -> Callable[[str, str], None]:
    """Installs a plugin of one module, as pip would leave it, for agno-shell alone."""
    folder = tmp_path / "site"
    environ["PYTHONPATH"] = str(folder)

    def make(name: str, code: str) -> None:
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{name}.py").write_text(code)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[agno_shell]\n{name} = {name}\n")

    return make


@pytest.fixture
def talker(install: Callable[[str, str], None], configure: Callable[[str], Path]) -> None:
    """Models that need no process of their own: ``half`` stops in mid-reply and waits,
    any other says 200 numbered lines."""
    install("talker", TALKER)
    configure('[provider]\nplugin = "talker"\n')
