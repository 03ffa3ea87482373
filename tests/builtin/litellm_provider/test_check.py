"""What is said of the set-up: addresses, keys, models. Nobody is contacted for it."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.builtin.litellm_provider.model_catalog import ModelCatalog
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.builtin.model_services.way import DIRECT
from agno_shell.errors import ProviderError

KNOWN = {
    "gpt-5.4-mini": "openai",
    "openai/container": "openai",
    "gemini/gemini-2.5-pro": "gemini",
    "claude-haiku-4-5": "anthropic",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in WITH_MODELS:
        monkeypatch.delenv(service.key_variable, raising=False)


@pytest.fixture
def make_catalog(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a catalog that need not import litellm."""

    def make(*options: Any) -> ModelCatalog:
        catalog = ModelCatalog(*options)
        tables = {
            "providers": frozenset(("openai", "gemini", "ollama_chat")),
            "_chat_models": KNOWN,
        }
        vars(catalog).update(tables)
        monkeypatch.setattr(catalog, "_provider", KNOWN.get)
        return catalog

    return make


@pytest.mark.parametrize("model", ["ollama_chat/llama3.2", "gemini/x", "gpt-5.4-mini"])
def test_a_model_whose_key_is_there_or_that_needs_none(
    model: str, make_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "sk-fake-0000")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    assert make_catalog().check(model) == []


@pytest.mark.parametrize(
    ("model", "variable"),
    [("gpt-5.4-mini", "OPENAI_API_KEY"), ("gemini/x", "GEMINI_API_KEY")],
)
def test_a_model_whose_key_is_missing(
    model: str, variable: str, make_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, " ")
    (problem,) = make_catalog().check(model)
    assert f"the environment variable {variable} is not set" in problem


def test_a_model_that_nobody_knows(make_catalog: Any) -> None:
    (problem,) = make_catalog().check("claude-haiku-4-6")
    assert problem == "No model is called claude-haiku-4-6. Did you mean claude-haiku-4-5?"


def test_a_shared_prefix_makes_no_name_near(make_catalog: Any) -> None:
    nearest = make_catalog().nearest
    assert "Did you mean" not in nearest("openai/test")
    assert nearest("gemini/gemini-2.5-por") == "Did you mean gemini/gemini-2.5-pro?"
    assert nearest("openai/gpt-5.4-mni") == "Did you mean gpt-5.4-mini?"
    assert nearest("gemni/gemini-2.5-pro") == "Did you mean gemini/gemini-2.5-pro?"


def test_without_a_model_and_a_key(make_catalog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = make_catalog().check()
    assert "GROQ_API_KEY" in problem
    monkeypatch.setenv("GROQ_API_KEY", "sk-fake-0000")
    assert make_catalog().check() == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("http://localhost:1234/v1", None), ""),
        (("http://localhost:1234/v1", "MY_KEY"), ""),
        (("https://example.org/v1", "MY_KEY"), ""),
        (("https://example.org/v1", "OTHER_KEY"), "OTHER_KEY is not set"),
        (("http://example.org/v1", "MY_KEY"), "over plain http"),
        (("localhost:1234", None), "cannot be used"),
        (("https://me@example.org/v1", None), "user name"),
    ],
)
@pytest.mark.parametrize("model", [None, "my-model"])
def test_an_address_and_its_key(
    model: str | None,
    options: tuple[str, str | None],
    expected: str,
    make_catalog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-fake-0000")
    problems = make_catalog(*options).check(model)
    assert [expected in problem for problem in problems] == [True] * bool(expected)


def test_a_key_that_cannot_be_sent_is_the_key_that_is_blamed(
    make_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "“sk-fake-0000”")
    (problem,) = make_catalog().check("gpt-5.4-mini")
    assert problem.startswith("The key in OPENAI_API_KEY cannot be sent: it holds “ ")
    with pytest.raises(ProviderError, match="OPENAI_API_KEY cannot be sent"):
        make_catalog().destination("gpt-5.4-mini", None)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("https://models.example.org/v1", []),
        ("models", ["The address 'models' in the variable OPENAI_BASE_URL cannot be used."]),
        ("http://far.example.org", ["The key in OPENAI_API_KEY was not sent: far.example.org is"]),
    ],
)
def test_an_address_from_the_environment_is_checked(
    value: str, said: list[str], make_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    way = DIRECT._replace(endpoints={"OPENAI_BASE_URL": value})
    found = make_catalog(None, None, way).check("gpt-5.4-mini")
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


def test_certificates_that_are_not_checked_are_a_finding(
    make_catalog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_VERIFY", "False")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-0000")
    (problem,) = make_catalog().check("gpt-5.4-mini")
    assert "SSL_VERIFY is false" in problem
