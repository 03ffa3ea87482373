"""A key goes only to the host it belongs to, and nothing planted acts."""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.events import Event, Failed, Finished
from agno_shell.testing.model_server import ModelServer

Ask = Callable[..., Awaitable[list[Event]]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def elsewhere() -> Iterator[ModelServer]:
    with ModelServer() as other:
        yield other


async def test_a_server_of_ones_own_gets_the_key_that_is_named_for_it(
    ask: Ask, server: ModelServer, keyed: LitellmProvider
) -> None:
    assert isinstance((await ask(provider=keyed))[-1], Finished)
    assert server.requests[0].headers["authorization"] == "Bearer fake-server-key-0000"


async def test_without_one_it_gets_a_placeholder_and_no_other_key(
    ask: Ask, server: ModelServer
) -> None:
    assert isinstance((await ask())[-1], Finished)
    assert server.requests[0].headers["authorization"] == "Bearer no-key"


async def test_a_services_own_key_does_not_go_to_another_address(
    ask: Ask, server: ModelServer
) -> None:
    await ask(model="anthropic/claude-haiku-4-5")
    (request,) = server.requests
    assert "canary" not in str(request.headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    ask: Ask, server: ModelServer, elsewhere: ModelServer, keyed: LitellmProvider, status: int
) -> None:
    server.redirect(f"{elsewhere.base_url}/chat/completions", status)
    (failed,) = await ask(provider=keyed)
    assert isinstance(failed, Failed)
    assert failed.kind == "wrong_address"
    assert elsewhere.requests == []


async def test_no_redirect_is_followed_by_litellms_own_clients_either(
    ask: Ask, server: ModelServer, elsewhere: ModelServer, keyed: LitellmProvider
) -> None:
    server.redirect(f"{elsewhere.base_url}/chat/completions", 307)
    # This provider does not go through the OpenAI library.
    (failed,) = await ask(provider=keyed, model="hosted_vllm/test-model")
    assert isinstance(failed, Failed)
    assert len(server.requests) == 1
    assert elsewhere.requests == []


async def test_the_key_of_one_server_does_not_go_to_another(
    ask: Ask, elsewhere: ModelServer, keyed: LitellmProvider
) -> None:
    elsewhere.forget()
    assert isinstance((await ask(provider=keyed, api_base=elsewhere.base_url))[-1], Finished)
    (request,) = elsewhere.requests
    assert "fake-server-key-0000" not in str(request)
    assert request.headers["authorization"] == "Bearer no-key"


async def test_a_refused_key_is_named_by_its_variable_and_not_by_its_value(
    ask: Ask, server: ModelServer, keyed: LitellmProvider
) -> None:
    server.status(401, "Incorrect API key provided: fake-server-key-0000.")
    (failed,) = await ask(provider=keyed)
    assert isinstance(failed, Failed)
    assert failed.kind == "authentication"
    assert "TEST_SERVER_KEY" in failed.message
    assert "fake-server-key" not in failed.sentence()


async def test_a_key_that_a_server_echoes_is_hidden(
    ask: Ask, server: ModelServer, keyed: LitellmProvider
) -> None:
    server.status(400, "The header was 'Bearer fake-server-key-0000' and sk-ant-fake-0000-canary.")
    (failed,) = await ask(provider=keyed)
    assert isinstance(failed, Failed)
    assert "[hidden key]" in failed.message
    assert "0000" not in failed.sentence()


async def test_nothing_in_the_working_directory_acts(ask: Ask, surroundings: Any) -> None:
    (failed,) = await ask(model="openai/gpt-4o-mini", api_base=None)
    assert isinstance(failed, Failed)
    assert "OPENAI_API_KEY is not set" in failed.message, "the planted .env was not read"
    assert not surroundings.acted.exists()


async def test_the_log_is_private_and_holds_no_key(
    ask: Ask, server: ModelServer, keyed: LitellmProvider, surroundings: Any
) -> None:
    server.drop()
    await ask(provider=keyed)
    assert stat.S_IMODE(surroundings.log.stat().st_mode) == 0o600
    logged = surroundings.log.read_text()
    assert "fake-server-key" not in logged
    assert "canary" not in logged
