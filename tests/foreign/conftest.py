"""Both providers against model servers that others wrote, and others' clients against ours.

What a project's own test server takes for a protocol, its own provider takes for it as well.
Here somebody else has read the protocols' pages:

- ``aimock`` (npm, @copilotkit/aimock) speaks OpenAI's two protocols, OpenRouter's, Anthropic's,
  Google's and Ollama's, with thoughts, several calls, errors, and connections that break;
- ``llmock`` (PyPI) speaks seven services' forms, breaks streams on purpose, and gives a verdict on
  the client;
- litellm's own proxy (PyPI, ``litellm[proxy]``), with mocked models and with aimock behind it;
- ``fakellm``, ``llm-mock-api`` and ``mocktopus`` (PyPI), which are small, and of which one does
  not stream where it is asked to;
- the clients ``openai``, ``anthropic``, ``google-genai`` and ``ollama`` (PyPI) read what the
  servers send, and judge by their types what the providers send.

None of it is needed to work on agno-shell: a test skips where its server is not installed.
``.ci/run`` installs them, each in an environment of its own, and says where by these variables:

- ``AGNO_SHELL_TEST_AIMOCK``: the script ``dist/cli.js`` of aimock; ``node`` is on the path
- ``AGNO_SHELL_TEST_MOCKS``: the Python with llmock, fakellm, llm-mock-api and mocktopus
- ``AGNO_SHELL_TEST_PROXY``: the Python with ``litellm[proxy]``
- ``AGNO_SHELL_TEST_CLIENTS``: the Python with the four clients
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services import endpoints
from agno_shell.builtin.model_services.services import SERVICES
from agno_shell.contracts import Provider, ProviderOptions
from agno_shell.events import Request
from agno_shell.types import Message, new_id, now
from tests.foreign.reply import Reply, read
from tests.foreign.samples import FIXTURES
from tests.foreign.servers import Server, aimock, python_server
from tests.foreign.wires import Wire

Talk = Callable[..., Awaitable[Reply]]

PROVIDERS = {"direct": DirectProvider, "litellm": LitellmProvider}

LIMITS = {"first_token": 20.0, "between_tokens": 20.0}
"""Seconds; servers here answer at once, on a busy machine."""


@pytest.fixture(scope="session")
def surroundings() -> Iterator[None]:
    """An environment without keys, addresses and proxies."""
    with pytest.MonkeyPatch.context() as patch:
        for service in SERVICES:
            for name in (*service.key_variables, *service.address_variables):
                patch.delenv(name, raising=False)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=PROVIDERS)
async def provider(
    request: pytest.FixtureRequest,
    surroundings: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Provider]:
    """Each of the two; its own address is none, so that every address is another one."""
    log = str(tmp_path_factory.mktemp("log") / "litellm.log")
    options = ProviderOptions(limits=LIMITS, log=log)
    made = PROVIDERS[request.param](options)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def talk(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Says something to a model at a server, and reads what becomes of it."""

    async def ask(server: Server, wire: Wire, *said: str | Message, **fields: Any) -> Reply:
        model, base = wire.model, server.root + wire.path
        if model.startswith("openai/responses/") and provider.name == "direct":
            # It speaks that protocol at OpenAI's own address, and with the models that need it.
            model = "openai/o3-pro"
            monkeypatch.setattr(endpoints, "is_own", lambda *_: True)
        messages = tuple(
            each if isinstance(each, Message) else Message(new_id(), "user", each, now())
            for each in said
        )
        fields = {"api_base": base, **fields}
        async with asyncio.timeout(60):
            return await read(provider.stream(Request(model, messages, **fields)))

    return ask


@pytest.fixture(scope="session")
def aimock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with aimock(tmp_path_factory.mktemp("aimock"), FIXTURES) as server:
        yield server


@pytest.fixture(scope="session")
def running_llmock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {"LLMOCK_RESPONSE_STYLE": "echo", "LLMOCK_TOOL_MODE": "off"}
    folder = tmp_path_factory.mktemp("llmock")
    with python_server("AGNO_SHELL_TEST_MOCKS", "llmock", folder, environ) as server:
        yield server


@pytest.fixture
def llmock_server(running_llmock: Server) -> Server:
    """The shared server, without anything planned or recorded."""
    running_llmock.ask("/_llmock/reset", method="POST")
    return running_llmock
