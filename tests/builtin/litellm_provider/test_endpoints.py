"""Addresses from the environment: one rule for every service."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agno_shell.builtin.litellm_provider.provider import LitellmProvider
from agno_shell.builtin.model_services import endpoints
from agno_shell.builtin.model_services.endpoints import endpoint, is_own, take
from agno_shell.builtin.model_services.services import BY_PREFIX, service_of
from agno_shell.contracts import Address, ProviderOptions
from agno_shell.errors import ProviderError
from agno_shell.events import Failed, Finished, Request, UsageReported
from agno_shell.testing.model_server import ModelServer

FAR = "https://models.example.org/v1"
HOSTED = [name for name in BY_PREFIX if "ollama" not in name]


@pytest.mark.parametrize("service", HOSTED)
def test_two_names_for_every_service_and_the_same_one_is_stronger(service: str) -> None:
    base_url, api_base = endpoints.variables(service)[:2]
    assert base_url.endswith("_BASE_URL")
    assert api_base.endswith("_API_BASE")
    assert endpoint(service, {}) is None
    for environ in ({api_base: FAR}, {base_url: FAR, api_base: "https://other.example.org"}):
        found = endpoint(service, environ)
        assert found is not None
        assert found.address.url == FAR
        assert found.variable == next(iter(environ))


def test_the_names_that_litellm_reads_are_among_them() -> None:
    """Those under which the services' own libraries and litellm know it."""
    known = {name for service in BY_PREFIX for name in endpoints.variables(service)}
    assert known >= {
        *("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"),
        *("GEMINI_API_BASE", "GROQ_API_BASE", "MISTRAL_API_BASE", "DEEPSEEK_API_BASE"),
        *("OPENROUTER_API_BASE", "XAI_API_BASE", "TOGETHER_AI_API_BASE", "OLLAMA_API_BASE"),
        *("OLLAMA_HOST", "LM_STUDIO_API_BASE", "HOSTED_VLLM_API_BASE", "CEREBRAS_API_BASE"),
        "FIREWORKS_API_BASE",
    }


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        (" box:1234 ", "http://box:1234"),
        ("http://box", "http://box"),
        ("https://box:8443/ollama/", "https://box:8443/ollama"),
        ("[::]:11434", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("http://0.0.0.0:1", "http://127.0.0.1:1"),
    ],
)
def test_ollama_host_in_all_the_forms_that_ollama_takes(value: str, url: str) -> None:
    found = endpoint("ollama_chat", {"OLLAMA_HOST": value})
    assert found is not None
    assert (found.address.url, found.variable) == (url, "OLLAMA_HOST")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OPENAI_BASE_URL", "models.example.org", "'models.example.org' in the variable OPENAI_"),
        ("OPENAI_BASE_URL", "htp://models", "'htp://models' in the variable OPENAI_BASE_URL"),
        ("OPENAI_BASE_URL", "https://a b.org", "in the variable OPENAI_BASE_URL cannot be used"),
        ("OPENAI_BASE_URL", "  ", "OPENAI_BASE_URL is set, but there are only blanks in it"),
        ("OPENAI_BASE_URL", "https://me:fake-0000@x.org", "holds a user name"),
        ("OLLAMA_HOST", "box:port", "'box:port' in the variable OLLAMA_HOST cannot be used"),
        ("OLLAMA_HOST", "http://me:fake-0000@box", "holds a user name"),
    ],
)
def test_one_that_cannot_be_used_is_named(variable: str, value: str, said: str) -> None:
    service = "ollama" if variable == "OLLAMA_HOST" else "openai"
    with pytest.raises(ProviderError) as raised:
        endpoint(service, {variable: value})
    assert said in str(raised.value)
    assert "fake-0000" not in raised.value.sentence()


def test_an_empty_variable_is_not_set() -> None:
    assert endpoint("openai", {"OPENAI_BASE_URL": "", "OPENAI_API_BASE": ""}) is None


@pytest.mark.parametrize(
    ("service", "url", "own"),
    [
        ("openai", "https://api.openai.com/v1", True),
        ("openai", "https://eu.api.openai.com/v1", True),
        ("openai", "https://api.openai.com.example.org/v1", False),
        ("openai", "https://myapi.openai.com/v1", False),
        ("anthropic", "https://api.openai.com/v1", False),
        ("ollama_chat", "http://127.0.0.1:11434", True),
        ("ollama_chat", "http://127.0.0.1:11435", False),
        ("hosted_vllm", "http://127.0.0.1:8000", False),
    ],
)
def test_what_is_the_services_own_address(service: str, url: str, own: bool) -> None:
    found = endpoint(service, {endpoints.variables(service)[0]: url})
    assert found is not None
    assert is_own(service, found.address) is own


def test_without_litellm_a_models_service_is_the_one_that_litellm_has_for_it() -> None:
    spec = importlib.util.find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    name = "model_prices_and_context_window_backup.json"
    table: dict[str, dict[str, Any]] = json.loads(Path(spec.origin).with_name(name).read_text())
    wrong = {}
    for model, entry in table.items():
        if entry.get("mode") in ("chat", "responses") and "/" not in model:
            found = service_of(model)
            service = found.prefix if found else None
            if service not in (None, entry.get("litellm_provider")) and "ft:" not in model:
                wrong[model] = service
    assert wrong == {}
    theirs = [
        service_of(model)
        for model, entry in table.items()
        if entry.get("litellm_provider") in ("openai", "anthropic") and entry.get("mode") == "chat"
        if not model.startswith("ft:")
    ]
    # A name of its own kind now and then is not shown with its address, until it is asked.
    assert theirs.count(None) < len(theirs) / 20


def test_what_is_meant_for_another_service_does_not_follow_openais_variable() -> None:
    environ = {"OPENAI_BASE_URL": FAR, "GROQ_API_BASE": FAR, "PATH": "/bin"}
    assert take(environ) == {"OPENAI_BASE_URL": FAR, "GROQ_API_BASE": FAR}
    assert environ == {"GROQ_API_BASE": FAR, "PATH": "/bin"}


# What is shown ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "api_base", "environ", "address"),
    [
        ("gpt-5.4-mini", None, {}, None),
        ("gpt-5.4-mini", None, {"OPENAI_BASE_URL": FAR}, Address(FAR, "OPENAI_BASE_URL")),
        ("claude-haiku-4-5", None, {"OPENAI_BASE_URL": FAR}, None),
        ("openai/x", None, {"OPENAI_API_BASE": FAR}, Address(FAR, "OPENAI_API_BASE")),
        ("openai/x", None, {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, None),
        ("openai/x", FAR, {"OPENAI_BASE_URL": "https://other.example.org"}, Address(FAR)),
        ("openai/x", "https://api.openai.com/v1", {}, None),
        ("ollama_chat/x", None, {"OLLAMA_HOST": "0.0.0.0"}, None),
        ("ollama_chat/x", None, {"OLLAMA_HOST": "box"}, Address("http://box:11434", "OLLAMA_HOST")),
        ("cohere/x", None, {"OPENAI_BASE_URL": FAR}, None),
    ],
)
def test_the_address_in_use_is_known_before_litellm_is(
    model: str,
    api_base: str | None,
    environ: dict[str, str],
    address: Address | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in take(os.environ | environ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert LitellmProvider(ProviderOptions()).address(model, api_base) == address


def test_one_that_cannot_be_used_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "models")
    address = LitellmProvider(ProviderOptions()).address("openai/x")
    assert address is not None
    assert "cannot be used" in address.url
    assert "OPENAI_BASE_URL" in address.url


# Through litellm -------------------------------------------------------------------------

KEY = "sk-fake-{}-0000"
ASKED = {
    "openai": ("gpt-5.4-mini", "OPENAI_BASE_URL", "/v1"),
    "anthropic": ("claude-haiku-4-5", "ANTHROPIC_BASE_URL", ""),
    "gemini": ("gemini/gemini-flash-latest", "GEMINI_API_BASE", "/v1beta"),
    "groq": ("groq/openai/gpt-oss-120b", "GROQ_BASE_URL", "/v1"),
    "mistral": ("mistral/mistral-small-latest", "MISTRAL_BASE_URL", "/v1"),
    "deepseek": ("deepseek/deepseek-chat", "DEEPSEEK_BASE_URL", "/v1"),
    "openrouter": ("openrouter/openai/gpt-5.4-mini", "OPENROUTER_BASE_URL", "/v1"),
    "xai": ("xai/grok-4", "XAI_BASE_URL", "/v1"),
    "ollama": ("ollama_chat/llama3.2", "OLLAMA_HOST", ""),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def elsewhere(running_server: ModelServer) -> AsyncIterator[LitellmProvider]:
    """A provider in an environment that gives every service an address, and a key."""
    root = running_server.base_url.removesuffix("/v1")
    with pytest.MonkeyPatch.context() as patch:
        for service, (_model, variable, path) in ASKED.items():
            value = root.removeprefix("http://") if variable == "OLLAMA_HOST" else root + path
            patch.setenv(variable, value)
            if service != "ollama":
                patch.setenv(f"{service.upper()}_API_KEY", KEY.format(service))
        patch.setenv("PERPLEXITY_BASE_URL", "http://models.example.org")
        patch.setenv("PERPLEXITY_API_KEY", KEY.format("perplexity"))
        provider = LitellmProvider(ProviderOptions())
        await provider.start()
    yield provider
    await provider.close()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("service", ASKED)
async def test_every_service_is_asked_there_with_its_own_key_and_no_other(
    service: str,
    elsewhere: LitellmProvider,
    server: ModelServer,
    make_request: Callable[..., Request],
) -> None:
    model = ASKED[service][0]
    events = [event async for event in elsewhere.stream(make_request("Hello", model=model))]
    assert server.requests, events
    request = server.requests[0]
    carried = "\n".join([request.path, *request.headers.values()])
    keys = {other for other in ASKED if KEY.format(other) in carried}
    assert keys == ({service} if service != "ollama" else set())
    usage = [event.usage for event in events if isinstance(event, UsageReported)]
    assert all(each.cost is None for each in usage), "nobody knows what it costs there"
    if service == "openai":
        assert isinstance(events[-1], Finished)
        assert usage


@pytest.mark.asyncio(loop_scope="session")
async def test_no_key_goes_there_over_plain_http(
    elsewhere: LitellmProvider, make_request: Callable[..., Request]
) -> None:
    request = make_request("Hello", model="perplexity/sonar")
    (failed,) = [event async for event in elsewhere.stream(request)]
    assert isinstance(failed, Failed)
    assert failed.message == (
        "The key in PERPLEXITY_API_KEY was not sent: models.example.org is asked over plain http."
    )
    assert failed.hint == "Use an https address in PERPLEXITY_BASE_URL."


@pytest.mark.asyncio(loop_scope="session")
async def test_a_service_without_an_address_of_its_own_is_not_asked_at_openais(
    elsewhere: LitellmProvider, server: ModelServer, make_request: Callable[..., Request]
) -> None:
    request = make_request("Hello", model="lm_studio/llama")
    (failed,) = [event async for event in elsewhere.stream(request)]
    assert isinstance(failed, Failed)
    assert "no address is set for lm_studio" in failed.message
    assert server.requests == []


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("model", "end", "path"),
    [
        ("gemini/gemini-flash-latest", "", "/v1beta/models/gemini-flash-latest:"),
        ("gemini/gemini-flash-latest", "/proxied/v1", "/proxied/v1/models/gemini-flash-latest:"),
        ("anthropic/claude-haiku-4-5", "/v1", "/v1/messages"),
        ("ollama_chat/llama3.2", "/v1", "/api/chat"),
    ],
)
async def test_an_address_may_have_each_of_its_usual_forms(
    model: str,
    end: str,
    path: str,
    litellm: LitellmProvider,
    server: ModelServer,
    make_request: Callable[..., Request],
) -> None:
    base = server.base_url.removesuffix("/v1") + end
    _ = [each async for each in litellm.stream(make_request("Hi", model=model, api_base=base))]
    assert server.requests[0].path.startswith(path)
