"""Which model name, address and key a request goes with."""

from __future__ import annotations

import pytest

from agno_shell.builtin.model_services.destination import NO_KEY, destination, is_loopback
from agno_shell.errors import ProviderError

PROVIDERS = {"openai", "ollama_chat", "hosted_vllm", "anthropic"}
LOCAL = "http://127.0.0.1:8000/v1"
FAR = "https://models.example.org/v1"
ENVIRON = {"OPENAI_API_KEY": "sk-fake-0000", "MY_KEY": "fake-mine-0000", "BLANK": " "}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("llama", "openai/llama"),
        ("meta/llama", "openai/meta/llama"),
        ("openai/llama", "openai/llama"),
        ("hosted_vllm/llama", "hosted_vllm/llama"),
    ],
)
def test_a_name_without_a_known_prefix_is_asked_the_openai_way(model: str, name: str) -> None:
    assert destination(model, LOCAL, None, ENVIRON, PROVIDERS).model == name


def test_without_an_address_the_name_stays_and_litellm_finds_the_key() -> None:
    goal = destination("openai/x", None, "MY_KEY", ENVIRON, PROVIDERS)
    assert goal.model == "openai/x"
    assert (goal.api_base, goal.api_key) == (None, None)
    assert goal.key_variable == "OPENAI_API_KEY"


def test_an_address_gets_its_own_key_or_none() -> None:
    assert destination("x", FAR, None, ENVIRON, PROVIDERS).api_key == NO_KEY
    goal = destination("x", FAR, "MY_KEY", ENVIRON, PROVIDERS)
    assert (goal.api_key, goal.key_variable) == ("fake-mine-0000", "MY_KEY")
    assert goal.where == "models.example.org"


@pytest.mark.parametrize("variable", ["BLANK", "NOT_SET"])
def test_a_key_that_is_named_and_not_set_is_missing(variable: str) -> None:
    with pytest.raises(ProviderError, match=f"{variable} is not set") as raised:
        destination("x", FAR, variable, ENVIRON, PROVIDERS)
    assert raised.value.kind == "authentication"


def test_a_key_that_no_header_takes_is_named_before_anything_is_sent() -> None:
    with pytest.raises(ProviderError, match="The key in MY_KEY cannot be sent: it holds “"):
        destination("x", FAR, "MY_KEY", {"MY_KEY": "“fake”"}, PROVIDERS)


def test_a_key_over_plain_http_is_refused_unless_it_stays_here() -> None:
    with pytest.raises(ProviderError, match="plain http"):
        destination("x", "http://10.0.0.1:8000/v1", "MY_KEY", ENVIRON, PROVIDERS)
    assert destination("x", LOCAL, "MY_KEY", ENVIRON, PROVIDERS).api_key == "fake-mine-0000"
    assert destination("x", "http://10.0.0.1/v1", None, ENVIRON, PROVIDERS).api_key == NO_KEY


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "api.localhost"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "example.org", "localhost.example.org", "10.0.0.1", "127.0.0.1.example.org", "::2"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_an_address_with_a_user_name_is_refused_without_saying_it() -> None:
    with pytest.raises(ProviderError, match="holds a user name") as raised:
        destination("x", "https://user:fake-0000@example.org/v1", None, ENVIRON, PROVIDERS)
    assert "fake-0000" not in raised.value.sentence()


def test_an_ipv6_host_is_told_from_its_port_and_space_around_it_is_dropped() -> None:
    goal = destination("x", " http://[::1]:8000/v1\n", None, ENVIRON, PROVIDERS)
    assert (goal.where, goal.api_base) == ("[::1]:8000", "http://[::1]:8000/v1")
