"""The provider at a real server: cancelling, redirects, keys, and what it knows of models."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.contracts import Abilities, ProviderOptions
from agno_shell.events import Failed, Finished, TextDelta
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import ask, collect


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def server(running: ModelServer) -> ModelServer:
    running.forget()
    return running


@pytest.fixture
async def provider(server: ModelServer) -> AsyncIterator[DirectProvider]:
    made = DirectProvider(ProviderOptions(api_base=server.base_url))
    await made.start()
    yield made
    await made.close()


async def test_closing_a_reply_closes_its_connection(
    provider: DirectProvider, server: ModelServer
) -> None:
    server.stall(["Half a "])
    events = provider.stream(ask("Hello", "test-model", server.base_url))
    assert await anext(events) == TextDelta("Half a ")
    await events.aclose()
    assert await asyncio.to_thread(server.wait_for_disconnect, 1, 5.0)


async def test_cancelling_before_a_token_closes_the_connection(
    provider: DirectProvider, server: ModelServer
) -> None:
    server.silence()
    reading = asyncio.ensure_future(collect(provider, ask("Hello", "test-model", server.base_url)))
    assert await asyncio.to_thread(server.wait_for_requests, 1, 5.0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.to_thread(server.wait_for_disconnect, 1, 5.0)


async def test_a_connection_is_used_again(provider: DirectProvider, server: ModelServer) -> None:
    for _turn in range(3):
        events = await collect(provider, ask("Hello", "test-model", server.base_url))
        assert isinstance(events[-1], Finished)
        await asyncio.gather(*provider._releasing)
    assert provider._client is not None
    (client,) = provider._client._clients.values()
    pool = client._transport._pool
    assert len(pool.connections) == 1


async def test_the_prompt_does_not_wait_for_a_server_that_closes_slowly(
    provider: DirectProvider, server: ModelServer
) -> None:
    server.reply("Done.", usage_delay=600.0)
    async with asyncio.timeout(60):
        events = await collect(provider, ask("Hello", "test-model", server.base_url))
    assert isinstance(events[-1], Finished)


async def test_an_unknown_model_is_said_before_anything_is_sent(provider: DirectProvider) -> None:
    (failed,) = await collect(provider, ask("Hello", "no-such-model"))
    assert isinstance(failed, Failed)
    assert failed.kind == "unknown_model"


async def test_what_is_no_model_parameter_is_not_sent(
    provider: DirectProvider, server: ModelServer
) -> None:
    from dataclasses import replace

    request = replace(
        ask("Hello", "test-model", server.base_url), parameters={"api_base": "http://elsewhere"}
    )
    (failed,) = await collect(provider, request)
    assert isinstance(failed, Failed)
    assert failed.kind == "not_sent"
    assert server.requests == []


async def test_a_server_of_ones_own_has_no_window_and_no_price(provider: DirectProvider) -> None:
    assert await provider.context_window("gpt-4o") is None
    assert await provider.input_price("gpt-4o") is None
    assert await provider.abilities("gpt-4o") == Abilities()


async def test_a_services_models_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    provider = DirectProvider(ProviderOptions())
    assert await provider.context_window("openai/gpt-4o") == 128_000
    assert await provider.input_price("gpt-4o") == pytest.approx(2.5e-6)
    assert (await provider.abilities("gpt-4o")).images is True
    assert "gpt-4o" in await provider.models()
    assert await provider.check("gpt-4o") == []
    monkeypatch.delenv("OPENAI_API_KEY")
    (problem,) = await provider.check("gpt-4o")
    assert "OPENAI_API_KEY is not set" in problem


def test_httpx_comes_without_its_command_line() -> None:
    code = (
        "import asyncio, sys\n"
        "from agno_shell.builtin.direct_provider.provider import DirectProvider\n"
        "from agno_shell.contracts import ProviderOptions\n"
        "asyncio.run(DirectProvider(ProviderOptions()).start())\n"
        "import httpx\n"
        "assert callable(httpx.main)\n"
        "print(sorted({'rich', 'click', 'pygments', 'httpx._main', 'litellm'} & set(sys.modules)))"
    )
    command = [sys.executable, "-P", "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_a_reply_imports_nothing_of_litellm(server: ModelServer) -> None:
    code = (
        "import asyncio, sys\n"
        "from agno_shell.builtin.direct_provider.provider import DirectProvider\n"
        "from agno_shell.contracts import ProviderOptions\n"
        "from agno_shell.testing.provider_contract import ask, collect\n"
        "async def main():\n"
        "    provider = DirectProvider(ProviderOptions(api_base=sys.argv[1]))\n"
        "    events = await collect(provider, ask('Hello', 'test-model', sys.argv[1]))\n"
        "    print(type(events[-1]).__name__, await provider.abilities('gpt-4o') is not None)\n"
        "    await provider.close()\n"
        "asyncio.run(main())\n"
        "names = {'litellm', 'openai', 'aiohttp', 'agno_shell.builtin.litellm_provider'}\n"
        "print(sorted(names & set(sys.modules)))"
    )
    command = [sys.executable, "-P", "-W", "ignore", "-c", code, server.base_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "Finished True\n[]\n"
