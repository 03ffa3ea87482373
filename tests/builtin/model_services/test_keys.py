"""The table of services, against the models that the installed litellm knows."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from agno_shell.builtin.model_services.keys import (
    WITH_MODELS,
    default_model,
    foreign_keys,
    key_variable,
    unusable,
)
from agno_shell.builtin.model_services.services import Service


@pytest.fixture(scope="module")
def price_list() -> dict[str, dict[str, object]]:
    """litellm's own table, read without importing it."""
    spec = importlib.util.find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    name = "model_prices_and_context_window_backup.json"
    table: dict[str, dict[str, object]] = json.loads(Path(spec.origin).with_name(name).read_text())
    return table


@pytest.mark.parametrize("service", WITH_MODELS, ids=lambda service: service.prefix)
def test_each_default_model_is_a_chat_model_that_litellm_knows(
    service: Service, price_list: dict[str, dict[str, object]]
) -> None:
    # OpenRouter passes on other services' models, which the table has under their own names.
    name = service.model.removeprefix("openrouter/openai/")
    assert price_list[name]["mode"] == "chat"
    if service.prefix != "openrouter":
        assert price_list[name]["litellm_provider"] == service.prefix


@pytest.mark.parametrize("service", WITH_MODELS, ids=lambda service: service.prefix)
def test_a_key_alone_chooses_its_service(service: Service) -> None:
    assert default_model({service.key_variable: "sk-fake-0000"}) == service.model


def test_the_first_of_several_keys_decides() -> None:
    environ = dict.fromkeys(["MISTRAL_API_KEY", "ANTHROPIC_API_KEY"], "sk-fake-0000")
    assert default_model(environ) == "claude-haiku-4-5"


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": " "}])
def test_without_a_key_there_is_no_default(environ: dict[str, str]) -> None:
    assert default_model(environ) is None


def test_the_variable_of_another_service_is_guessed_only_if_it_is_set() -> None:
    assert key_variable("openai", {}) == "OPENAI_API_KEY"
    assert key_variable("xai", {"XAI_API_KEY": "xai-fake"}) == "XAI_API_KEY"
    assert key_variable("xai", {}) is None


def test_keys_of_other_services_are_foreign_unless_they_are_the_same() -> None:
    environ = {"OPENAI_API_KEY": "sk-fake-0000", "GROQ_API_KEY": "gsk-fake-0000"}
    assert foreign_keys("groq", environ) == {"sk-fake-0000": "OPENAI_API_KEY"}
    assert foreign_keys("text-completion-openai", environ) == {"gsk-fake-0000": "GROQ_API_KEY"}
    assert foreign_keys("groq", dict.fromkeys(environ, "fake-shared-0000")) == {}


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("“sk-fake-0000”", "it holds “ (left double quotation mark, U+201C), which is in no key"),
        ("sk-fake-\u200b0000", "it holds (zero width space, U+200B), which is in no key"),
        ("sk-fäke", "it holds ä (latin small letter a with diaeresis, U+00E4), which is in no"),
        ("sk-fake\n-0000", "it holds a line break, which is in no key"),
        ("sk-fake\x1b[0m", "it holds (a control character, U+001B), which is in no key"),
        ('"sk-fake-0000"', "it stands in quotation marks"),
        ("'sk-fake-0000'", "it stands in quotation marks"),
    ],
)
def test_a_key_that_cannot_be_sent_is_blamed_by_its_variable(key: str, wrong: str) -> None:
    problem = unusable("OPENAI_API_KEY", key)
    assert problem is not None
    assert str(problem).startswith(f"The key in OPENAI_API_KEY cannot be sent: {wrong}")
    assert problem.kind == "authentication"
    assert "fake" not in problem.sentence()


@pytest.mark.parametrize(
    "key", ["sk-fake-0000", " sk-fake_0000\n", "a+b/c==", "open sesame", "", "x"]
)
def test_blanks_around_a_key_are_no_part_of_it(key: str) -> None:
    assert unusable("OPENAI_API_KEY", key) is None
