"""The direct provider keeps to the contract, at a server of each protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.contracts import Provider, ProviderOptions
from agno_shell.events import Request
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import ProviderContract, ask


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


class TestDirectProvider(ProviderContract):
    @pytest.fixture
    def make_provider(self, server: ModelServer) -> Callable[[], Provider]:
        return lambda: DirectProvider(ProviderOptions(api_base=server.base_url))

    @pytest.fixture
    def model(self) -> str:
        return "test-model"

    @pytest.fixture
    def api_base(self, server: ModelServer) -> str:
        server.forget()
        return server.base_url

    @pytest.fixture
    def failing_request(self, server: ModelServer) -> Request:
        server.status(400, "No.")
        return ask("Hello", "test-model", server.base_url)
