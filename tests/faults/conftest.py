"""A real model process, a real model server and a real storage under a real turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.contracts import Provider, ProviderOptions, Storage, StorageOptions
from agno_shell.conversation.conversation import Conversation
from agno_shell.events import TurnEvent
from agno_shell.testing.model_server import ModelServer

KEY = "sk-fake-0000-the-key-of-the-laboratory"
LIMITS = {
    "connect": 2.0,
    "first_token": 0.8,
    "between_tokens": 0.4,
    "whole_reply": 3.0,
    "reply_bytes": 100_000,
}
"""Impatient, so that a fault costs a second at most."""


class Lab(NamedTuple):
    """One session in which something goes wrong."""

    server: ModelServer
    conversation: Conversation
    folder: Path

    async def say(self, text: str) -> list[TurnEvent]:
        """The events of one turn, all of them."""
        async with asyncio.timeout(90):
            return [event async for event in self.conversation.turn(text).events()]

    def stored(self) -> list[dict[str, Any]]:
        """The messages as they are on the disk."""
        session_id = self.conversation.session.session_id
        path = self.folder / session_id / "messages.json"
        messages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return [{"status": "complete", **message} for message in messages]


@pytest.fixture(scope="session")
def running_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def litellm(
    running_server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LitellmProvider]:
    """One model process for all faults; importing litellm takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for service in WITH_MODELS:
            patch.delenv(service.key_variable, raising=False)
        patch.setenv("LAB_SERVER_KEY", KEY)
        patch.setenv("OPENAI_API_KEY", "sk-fake-0000-the-key-of-another-service")
        options = ProviderOptions(
            limits=LIMITS,
            api_base=running_server.base_url,
            api_key_env="LAB_SERVER_KEY",
            log=str(tmp_path_factory.mktemp("lab") / "litellm.log"),
        )
        provider = LitellmProvider(options)
        await provider.start()
        yield provider
        await provider.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def direct(running_server: ModelServer) -> AsyncIterator[DirectProvider]:
    with pytest.MonkeyPatch.context() as patch:
        for service in WITH_MODELS:
            patch.delenv(service.key_variable, raising=False)
        patch.setenv("LAB_SERVER_KEY", KEY)
        provider = DirectProvider(
            ProviderOptions(
                limits=LIMITS, api_base=running_server.base_url, api_key_env="LAB_SERVER_KEY"
            )
        )
        await provider.start()
        yield provider
        await provider.close()


@pytest.fixture(params=["litellm", "direct"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """What :func:`make_conversation` asks: each provider in turn."""
    chosen: Provider = request.getfixturevalue(request.param)
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
    make_conversation: Callable[..., Conversation],
    storage: Storage,
    server: ModelServer,
    tmp_path: Path,
) -> Callable[..., Awaitable[Lab]]:
    """Opens a session at the server; a request is tried once, or as ``values`` say."""

    async def make(values: Mapping[str, Any] | None = None) -> Lab:
        once = {"provider.limits.tries": 1, "provider.api_base": server.base_url}
        conversation = make_conversation(
            storage, default="test-model", values={**once, **(values or {})}
        )
        await conversation.create("Laboratory")
        return Lab(server, conversation, tmp_path / "sessions")

    return make


@pytest.fixture
def key() -> str:
    """The key that the server is sent."""
    return KEY
