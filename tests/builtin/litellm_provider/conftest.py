"""One real model process, and one real model server, for all tests of this folder."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.contracts import ProviderOptions
from agno_shell.events import Event, Request
from agno_shell.testing.model_server import ModelServer
from agno_shell.types import Message, Role, new_id, now

Ask = Callable[..., Awaitable[list[Event]]]

# Loaded by the child at its start; notes every address that it looks up or connects to.
AUDITOR = """
import json, os, sys

def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        address = arguments[1] if event == "socket.connect" else arguments[:2]
        with open(os.environ["AGNO_TEST_AUDIT"], "a") as log:
            log.write(json.dumps([event, str(address)]) + "\\n")

sys.addaudithook(note)
"""

# Planted in the working directory; none of it may act.
PLANTED_CODE = "import os; open(os.environ['AGNO_TEST_ACTED'], 'a').write(__name__)\n"


class Surroundings:
    """What the shared processes were started in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audit = folder / "audit"
        self.acted = folder / "acted"
        self.working_directory = folder / "hostile"
        self.log = folder / "litellm.log"

    def connections(self) -> list[tuple[str, str]]:
        """Every address that the model processes looked up or connected to."""
        if not self.audit.exists():
            return []
        return [tuple(json.loads(line)) for line in self.audit.read_text().splitlines()]


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """A hostile working directory, fake keys, and a note of every connection."""
    around = Surroundings(tmp_path_factory.mktemp("litellm"))
    hooks = around.folder / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(AUDITOR)
    hostile = around.working_directory
    for package in ("litellm", "openai", "httpx"):
        (hostile / package).mkdir(parents=True)
        (hostile / package / "__init__.py").write_text(PLANTED_CODE)
    (hostile / "usercustomize.py").write_text(PLANTED_CODE)
    (hostile / ".env").write_text("OPENAI_API_KEY=sk-fake-planted-0000\n")
    with pytest.MonkeyPatch.context() as patch:
        for service in WITH_MODELS:
            patch.delenv(service.key_variable, raising=False)
        patch.delenv("OPENAI_API_BASE", raising=False)
        patch.delenv("OPENAI_BASE_URL", raising=False)
        patch.setenv("ANTHROPIC_API_KEY", "sk-ant-fake-0000-canary")
        patch.setenv("MISTRAL_API_KEY", "  ")
        patch.setenv("TEST_SERVER_KEY", "fake-server-key-0000")
        patch.setenv("PYTHONPATH", str(hooks))
        patch.setenv("AGNO_TEST_AUDIT", str(around.audit))
        patch.setenv("AGNO_TEST_ACTED", str(around.acted))
        patch.chdir(hostile)
        yield around


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def litellm(surroundings: Surroundings) -> AsyncIterator[LitellmProvider]:
    """The shared provider; its servers need no key."""
    limits = {"reply_bytes": 100_000}
    provider = LitellmProvider(ProviderOptions(limits=limits, log=str(surroundings.log)))
    with pytest.MonkeyPatch.context() as patch:
        # A proxy that is not there: what reaches a server did not go through it.
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            patch.setenv(name, "http://127.0.0.1:1")
        await provider.start()
    yield provider
    await provider.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def keyed(
    surroundings: Surroundings, running_server: ModelServer
) -> AsyncIterator[LitellmProvider]:
    """A provider whose server has a key of its own."""
    options = ProviderOptions(
        api_base=running_server.base_url,
        api_key_env="TEST_SERVER_KEY",
        log=str(surroundings.log),
    )
    provider = LitellmProvider(options)
    await provider.start()
    yield provider
    await provider.close()


def request_for(*said: str, **fields: Any) -> Request:
    """A request in which person and model take turns."""
    roles: tuple[Role, ...] = ("user", "assistant")
    messages = [Message(new_id(), roles[n % 2], text, now()) for n, text in enumerate(said)]
    return Request(**{"model": "test-model", "messages": tuple(messages), **fields})


@pytest.fixture
def make_request() -> Callable[..., Request]:
    return request_for


@pytest.fixture
def ask(litellm: LitellmProvider, server: ModelServer) -> Ask:
    """Asks the shared provider at the shared server; gives every event."""

    async def collect(
        *said: str, provider: LitellmProvider = litellm, **fields: Any
    ) -> list[Event]:
        request = request_for(*(said or ("Hello",)), **{"api_base": server.base_url, **fields})
        async with asyncio.timeout(90):
            return [event async for event in provider.stream(request)]

    return collect


@pytest.fixture
def is_running() -> Callable[[int], bool]:
    """Whether a process id belongs to a process that is no zombie."""

    def running(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        if sys.platform != "linux":
            return True
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    return running
