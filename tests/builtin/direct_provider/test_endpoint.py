"""Where a request goes, and which key goes with it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agno_shell.builtin.direct_provider.endpoint import Endpoint, endpoint
from agno_shell.builtin.direct_provider.services import answers
from agno_shell.errors import ProviderError

KEYS = {"OPENAI_API_KEY": "sk-fake-openai-0000", "ANTHROPIC_API_KEY": "sk-fake-anthropic-0000"}


def at(model: str, base: str | None = None, key: str | None = None, **environ: str) -> Endpoint:
    owners: Mapping[str, str] = {"gpt-x": "openai", "claude-x": "anthropic", "titan": "bedrock"}
    return endpoint(model, base, key, {**KEYS, **environ}, owners.get)


def test_a_prefix_names_the_service_and_its_key() -> None:
    found = at("anthropic/claude-x")
    assert (found.url, found.name, found.goal.where) == (
        "https://api.anthropic.com",
        "claude-x",
        "Anthropic",
    )
    assert (found.goal.api_key, found.goal.key_variable) == (
        "sk-fake-anthropic-0000",
        "ANTHROPIC_API_KEY",
    )
    assert found.is_own


def test_a_name_without_a_prefix_is_looked_up() -> None:
    assert at("gpt-x").service.prefix == "openai"
    assert at("claude-x").service.prefix == "anthropic"


@pytest.mark.parametrize("model", ["titan", "nothing", "bedrock/claude"])
def test_a_model_that_no_protocol_here_reaches_is_said(model: str) -> None:
    with pytest.raises(ProviderError, match="No model is called") as raised:
        at(model)
    assert raised.value.kind == "unknown_model"


def test_a_server_of_ones_own_gets_its_own_key_and_no_other() -> None:
    found = at("qwen3", "http://127.0.0.1:1234/v1")
    assert (found.url, found.name, found.goal.where) == (
        "http://127.0.0.1:1234/v1",
        "qwen3",
        "127.0.0.1:1234",
    )
    assert found.goal.api_key is None
    assert not found.is_own
    keyed = at("qwen3", "https://models.example/v1", "MY_KEY", MY_KEY=" my-fake-key ")
    assert (keyed.goal.api_key, keyed.goal.key_variable) == ("my-fake-key", "MY_KEY")


def test_a_variable_says_where_a_service_is() -> None:
    found = at("openai/gpt-x", OPENAI_BASE_URL="https://gateway.example/v1/")
    assert (found.url, found.goal.where) == ("https://gateway.example/v1", "gateway.example")
    assert found.goal.api_key == KEYS["OPENAI_API_KEY"]
    assert not found.is_own


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        (":8000", "http://127.0.0.1:8000"),
        ("box.example", "http://box.example:11434"),
        ("http://box.example:9/", "http://box.example:9"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"),
    ],
)
def test_ollama_is_found_as_its_own_program_finds_it(host: str, url: str) -> None:
    assert at("ollama_chat/llama3.2", OLLAMA_HOST=host).url == url


def test_addresses_as_other_programs_want_them_are_taken() -> None:
    assert at("anthropic/c", "http://127.0.0.1:9/v1").url == "http://127.0.0.1:9"
    assert at("gemini/g", "http://127.0.0.1:9").url == "http://127.0.0.1:9/v1beta"
    assert at("gemini/g", "http://127.0.0.1:9/v1").url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("groq/x",), "GROQ_API_KEY is not set"),
        (("qwen3", "ftp://x"), "in api_base cannot be used"),
        (("qwen3", "http://me:secret@host/v1"), "holds a user name"),
        (("qwen3", "http://[::1"), "cannot be used"),
        (("qwen3", "https://x.example/v1", "NO_SUCH_KEY"), "NO_SUCH_KEY is not set"),
        (("bedrock/x",), "No model is called bedrock/x"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(ProviderError, match=words):
        at(*arguments)


def test_a_key_does_not_travel_in_the_clear() -> None:
    with pytest.raises(ProviderError, match="over plain http"):
        at("openai/gpt-x", OPENAI_BASE_URL="http://gateway.example/v1")
    with pytest.raises(ProviderError, match="over plain http"):
        at("q", "http://gateway.example/v1", "MY_KEY", MY_KEY="my-fake-key")
    assert at("q", "http://localhost:1/v1", "MY_KEY", MY_KEY="my-fake-key").goal.api_key


@pytest.mark.parametrize("key", ["“sk-fake-0000”", "sk-fake\n0000", "sk-fäke", "sk-\x7f"])
def test_a_key_that_no_header_can_carry_names_its_variable(key: str) -> None:
    with pytest.raises(ProviderError, match="The key in OPENAI_API_KEY cannot be sent"):
        at("openai/gpt-x", OPENAI_API_KEY=key)


def test_a_malformed_variable_is_named() -> None:
    with pytest.raises(ProviderError, match="in the variable OPENAI_BASE_URL cannot be used"):
        at("openai/gpt-x", OPENAI_BASE_URL="not an address")


@pytest.mark.parametrize(
    ("model", "base", "expected"),
    [
        ("gpt-5.4-mini", None, True),
        ("claude-haiku-4-5", None, True),
        ("openrouter/openai/gpt-5.4-mini", None, True),
        ("ollama_chat/llama3.2", None, True),
        ("bedrock/anthropic.claude-v2", None, False),
        ("command-r", None, False),
        ("qwen3", "http://127.0.0.1:1234/v1", True),
        ("Qwen/Qwen3-8B", "http://127.0.0.1:8000/v1", True),
        ("huggingface/org/model", "https://models.example", False),
    ],
)
def test_which_models_are_asked_here(model: str, base: str | None, expected: bool) -> None:
    assert answers(model, base) is expected
