"""Starts model servers that others wrote, each on a port of 127.0.0.1 that the system chose.

A server's port listens before the server itself runs: whoever asks early waits, within the
limits of who asks, and nobody polls.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

SERVE = Path(__file__).with_name("serve.py")

PATIENCE = 90.0
"""Seconds that a server may take to start."""

_STOPPING = 10.0


class Server:
    """A running server."""

    def __init__(self, root: str) -> None:
        self.root = root
        """Its address, without a slash at its end."""

    def ask(self, path: str, body: object = None, method: str | None = None) -> Any:
        """What a page of it answers, decoded."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.root + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")


def wanted(variable: str) -> str:
    """The path in an environment variable; without it, the test is skipped."""
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"{variable} does not say where it is installed; .ci/run does")
    if not os.path.exists(path):
        pytest.fail(f"{variable} is {path}, which is not there")
    return path


@contextlib.contextmanager
def python_server(
    variable: str, name: str, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server of ``serve.py``, with ``folder`` as its working directory."""
    python = wanted(variable)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [python, str(SERVE), name, str(listening.fileno())]
        with running(command, folder, environ, pass_fds=[listening.fileno()]):
            listening.close()  # where the server ends, nobody is to wait for it
            yield Server(f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def aimock(folder: Path, fixtures: object) -> Iterator[Server]:
    """The server of the npm package @copilotkit/aimock; ``fixtures`` is what it answers."""
    script = wanted("AGNO_SHELL_TEST_AIMOCK")
    file = folder / "fixtures.json"
    file.write_text(json.dumps(fixtures))
    command = ["node", script, "--port", "0", "--fixtures", str(file), "--validate-on-load"]
    with running(command, folder, None, stdout=subprocess.PIPE) as process:
        yield Server(_address(process))


@contextlib.contextmanager
def llm_mock_api(folder: Path, rules: object) -> Iterator[Server]:
    """The server of the PyPI package llm-mock-api."""
    python = wanted("AGNO_SHELL_TEST_MOCKS")
    (folder / "rules.json5").write_text(json.dumps(rules))
    program = str(Path(python).with_name("llm-mock-api"))
    options = ["-p", "0", "-H", "127.0.0.1", "-r", "rules.json5", "-c", "5", "-l", "0"]
    command = [program, "start", *options, "--log-level", "info"]
    with running(command, folder, None, stdout=subprocess.PIPE) as process:
        yield Server(_address(process))


def _address(process: subprocess.Popen[bytes]) -> str:
    """The address that a server prints once it listens; what it prints later is read away."""
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.decode("utf-8", "replace"))
        if found := re.search(r"http://127\.0\.0\.1:[1-9]\d*", said[-1]):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return found[0]
    raise AssertionError(f"the server ended without listening: {''.join(said)}")


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, environ: Mapping[str, str] | None, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends with the block; what it complains of is in ``errors.log``."""
    # No key and no address of whoever runs the tests is any business of these programs.
    kept = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    kept |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    with (
        (folder / "errors.log").open("wb") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stderr=errors,
            **{"stdout": errors, **options},
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()
