"""A real model process, a real model server and a real storage under a real turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.contracts import Provider, ProviderOptions, Storage, StorageOptions
from agno_shell.conversation.engine import Engine
from agno_shell.events import TurnEvent
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.turn_events import events_of

KEY = "sk-fake-0000-the-key-of-the-laboratory"
LIMITS = {"reply_bytes": 100_000}
"""As patient as ever: how fast this machine answers is not what is tested."""

IMPATIENT = {"first_token": 2.0, "between_tokens": 1.0, "whole_reply": 3.0, **LIMITS}
"""For the faults that are over when one of these is."""


class Lab(NamedTuple):
    """One session in which something goes wrong."""

    server: ModelServer
    engine: Engine
    folder: Path

    async def say(self, text: str) -> list[TurnEvent]:
        """The events of one turn, all of them."""
        async with asyncio.timeout(90):
            return await events_of(self.engine.turn(text))

    def stored(self) -> list[dict[str, Any]]:
        """The messages as they are on the disk."""
        session_id = self.engine.session.session_id
        path = self.folder / session_id / "messages.json"
        messages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return [{"status": "complete", **message} for message in messages]


@pytest.fixture(scope="session")
def running_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@asynccontextmanager
async def started(
    kind: type[LitellmProvider | DirectProvider],
    limits: Mapping[str, float],
    server: ModelServer,
    log: Path,
) -> AsyncIterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for service in WITH_MODELS:
            patch.delenv(service.key_variable, raising=False)
        patch.setenv("LAB_SERVER_KEY", KEY)
        if kind is LitellmProvider:
            patch.setenv("OPENAI_API_KEY", "sk-fake-0000-the-key-of-another-service")
        provider = kind(
            ProviderOptions(
                limits=limits,
                api_base=server.base_url,
                api_key_env="LAB_SERVER_KEY",
                log=str(log / "provider.log"),
            )
        )
        await provider.start()
        yield provider
        await provider.close()


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def litellm(running_server: ModelServer, log: Path) -> AsyncIterator[LitellmProvider]:
    """One model process for all faults; importing litellm takes seconds."""
    async with started(LitellmProvider, LIMITS, running_server, log) as provider:
        yield provider


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient_litellm(
    running_server: ModelServer, log: Path
) -> AsyncIterator[LitellmProvider]:
    async with started(LitellmProvider, IMPATIENT, running_server, log) as provider:
        yield provider


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def direct(running_server: ModelServer, log: Path) -> AsyncIterator[DirectProvider]:
    async with started(DirectProvider, LIMITS, running_server, log) as provider:
        yield provider


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient_direct(running_server: ModelServer, log: Path) -> AsyncIterator[DirectProvider]:
    async with started(DirectProvider, IMPATIENT, running_server, log) as provider:
        yield provider


@pytest.fixture(params=["litellm", "direct"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """What :func:`make_engine` asks: each provider in turn. An impatient one where the
    fault of the test is over when a limit is."""
    fault = request.node.callspec.params.get("fault")
    is_waited_for = fault is not None and fault.is_waited_for(request.param)
    name = f"impatient_{request.param}" if is_waited_for else request.param
    chosen: Provider = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(StorageOptions(str(tmp_path / "sessions")))
    yield opened
    opened.close()


@pytest.fixture
def server(running_server: ModelServer) -> ModelServer:
    """The shared server, without anything planned or recorded."""
    running_server.forget()
    return running_server


@pytest.fixture
def make_lab(
    make_engine: Callable[..., Engine],
    storage: Storage,
    server: ModelServer,
    tmp_path: Path,
) -> Callable[..., Awaitable[Lab]]:
    """Opens a session at the server; a request is tried once, or as ``values`` say."""

    async def make(values: Mapping[str, Any] | None = None) -> Lab:
        once = {"provider.limits.tries": 1, "provider.api_base": server.base_url}
        engine = make_engine(storage, default="test-model", values={**once, **(values or {})})
        await engine.create("Laboratory")
        return Lab(server, engine, tmp_path / "sessions")

    return make


@pytest.fixture
def key() -> str:
    """The key that the server is sent."""
    return KEY
