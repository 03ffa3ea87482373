"""Azure OpenAI: its two forms of addresses, its key and its tokens, at a strict server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agno_shell.builtin.direct_provider import azure
from agno_shell.builtin.direct_provider.endpoint import Endpoint, endpoint
from agno_shell.builtin.direct_provider.provider import DirectProvider
from agno_shell.builtin.direct_provider.services import answers
from agno_shell.builtin.direct_provider.writing import written
from agno_shell.builtin.model_services.services import BY_PREFIX
from agno_shell.contracts import ProviderOptions
from agno_shell.errors import ProviderError
from agno_shell.events import Event, Failed, Finished
from agno_shell.testing.model_replies import Exchange
from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.provider_contract import ask, collect

RESOURCE = "https://mine.openai.azure.com"
KEY = "fake-azure-key-0000"
TOKEN = "fake-azure-token-0000"


def at(**environ: str) -> Endpoint:
    return endpoint("azure/my-gpt", None, None, environ, lambda _model: None)


def test_without_a_version_the_newer_form_is_asked() -> None:
    found = at(AZURE_API_BASE=f"{RESOURCE}/", AZURE_API_KEY=KEY)
    assert found.page("/chat/completions") == f"{RESOURCE}/openai/v1/chat/completions"
    assert (found.name, found.is_own, found.goal.where) == ("my-gpt", True, "Azure OpenAI")


@pytest.mark.parametrize("variable", azure.VERSION_VARIABLES)
def test_with_a_version_the_deployment_stands_in_the_path(variable: str) -> None:
    named = {variable: "2024-10-21"}
    found = at(AZURE_OPENAI_ENDPOINT=RESOURCE, AZURE_OPENAI_API_KEY=KEY, **named)
    path = "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert found.page("/chat/completions") == RESOURCE + path


@pytest.mark.parametrize(
    ("version", "parameters"), [("v1", ""), ("latest", ""), ("preview", "?api-version=preview")]
)
def test_versions_of_the_newer_form_are_known(version: str, parameters: str) -> None:
    found = at(AZURE_API_BASE=RESOURCE, AZURE_API_KEY=KEY, AZURE_API_VERSION=version)
    assert found.page("/models") == f"{RESOURCE}/openai/v1/models{parameters}"


@pytest.mark.parametrize(
    "path",
    [
        "/openai",
        "/openai/v1/",
        "/openai/deployments/other/chat/completions?api-version=2025-01-01-preview",
    ],
)
def test_an_address_that_was_copied_from_azures_pages_is_taken(path: str) -> None:
    found = at(AZURE_API_BASE=RESOURCE + path, AZURE_API_KEY=KEY)
    assert found.page("/models") == f"{RESOURCE}/openai/v1/models"


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    url, _parameters = azure.shaped(RESOURCE, "../x?y", "2024-10-21")
    assert url == f"{RESOURCE}/openai/deployments/..%2Fx%3Fy"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"AZURE_API_KEY": KEY}, "AZURE_API_BASE is not set"),
        ({"AZURE_API_BASE": RESOURCE}, "AZURE_API_KEY is not set"),
        ({"AZURE_API_BASE": "http://mine.example", "AZURE_API_KEY": KEY}, "over plain http"),
        ({"AZURE_API_BASE": "http://mine.example", "AZURE_AD_TOKEN": TOKEN}, "over plain http"),
        ({"AZURE_API_BASE": RESOURCE, "AZURE_API_KEY": "“x”"}, "AZURE_API_KEY cannot be sent"),
    ],
)
def test_what_cannot_be_asked_is_said(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        at(**environ)


def test_what_needs_a_sign_in_is_left_to_litellm() -> None:
    assert answers("azure/my-gpt", None)
    secret = {"AZURE_CLIENT_SECRET": "fake-secret"}
    assert not answers("azure/my-gpt", None, secret)
    assert answers("azure/my-gpt", None, {**secret, "AZURE_API_KEY": KEY})
    assert answers("openai/gpt-x", None, secret)


# At a server ------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(strict=True) as running:
        yield running


@pytest.fixture
async def provider(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DirectProvider]:
    service = BY_PREFIX["azure"]
    for variable in (*service.address_variables, *service.key_variables, *azure.VERSION_VARIABLES):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AZURE_API_BASE", server.base_url.removesuffix("/v1"))
    monkeypatch.setenv("AZURE_API_KEY", KEY)
    made = DirectProvider(ProviderOptions())
    yield made
    await made.close()


async def asked(provider: DirectProvider) -> list[Event]:
    return await collect(provider, ask("Hello", "azure/my-gpt", None))


async def test_a_key_goes_in_azures_own_header(
    provider: DirectProvider, server: ModelServer
) -> None:
    assert isinstance((await asked(provider))[-1], Finished)
    (request,) = server.requests
    assert request.path == "/openai/v1/chat/completions"
    assert (request.headers["api-key"], request.body["model"]) == (KEY, "my-gpt")
    assert "authorization" not in request.headers
    assert not server.refused


async def test_a_token_goes_as_bearer_in_place_of_the_key(
    provider: DirectProvider, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AD_TOKEN", TOKEN)
    monkeypatch.setenv("AZURE_API_VERSION", "2024-10-21")
    assert isinstance((await asked(provider))[-1], Finished)
    (request,) = server.requests
    assert request.path == "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert "api-key" not in request.headers
    assert KEY not in str(request)


async def test_a_deployment_that_is_not_there_is_a_model_that_is_not_known(
    provider: DirectProvider, server: ModelServer
) -> None:
    said = "The API deployment for this resource does not exist."

    async def refuse(exchange: Exchange) -> None:
        error: dict[str, Any] = {"code": "DeploymentNotFound", "message": said}
        await exchange.respond_json({"error": error}, status=404)

    server.plan(refuse)
    (failed,) = await asked(provider)
    assert isinstance(failed, Failed)
    assert failed.kind == "unknown_model"
    assert "azure/my-gpt" in failed.message


def test_models_that_answer_only_there_are_asked_by_the_responses_api() -> None:
    environ = {"AZURE_API_BASE": RESOURCE, "AZURE_API_KEY": KEY}
    entry = {"mode": "responses", "litellm_provider": "azure"}
    newer = written(ask("Hello", "azure/my-gpt", None), at(**environ), entry)
    assert newer.post.path == "/responses"
    older = at(**environ, AZURE_API_VERSION="2024-10-21")
    assert (
        written(ask("Hello", "azure/my-gpt", None), older, entry).post.path == "/chat/completions"
    )
