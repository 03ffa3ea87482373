"""The extract of litellm's table says what the table says, and its check notices what it must."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin import direct_provider, model_services
from agno_shell.builtin.direct_provider import extract, make_extract
from agno_shell.builtin.direct_provider.extract import FLAGS, NUMBERS, whole
from agno_shell.builtin.direct_provider.model_table import ModelTable, price, read_litellms
from agno_shell.builtin.model_services.services import SERVICES
from agno_shell.builtin.model_services.target import abilities

COUNTS = {
    "prompt_tokens": 400_000,
    "completion_tokens": 1000,
    "cached_tokens": 5000,
    "cache_creation_tokens": 700,
}


@pytest.fixture(scope="module")
def table() -> Mapping[str, Mapping[str, Any]]:
    return read_litellms()


def test_a_row_says_what_litellms_row_says(table: Mapping[str, Mapping[str, Any]]) -> None:
    seen = 0
    for prefix, rows in make_extract.extracted(table).items():
        for name, row in rows.items():
            made, entry = whole(prefix, row), table[name]
            assert abilities(made) == abilities(entry), name
            assert price(made, COUNTS) == price(entry, COUNTS), name
            for column in ("litellm_provider", "mode", "max_input_tokens", "max_output_tokens"):
                assert made.get(column) == entry.get(column), name
            seen += 1
    assert seen > 500


def test_every_column_that_is_read_is_in_it() -> None:
    """Whoever reads another column of a row must put it into the extract as well."""
    read: set[str] = set()
    for package in (direct_provider, model_services):
        for source in Path(str(package.__file__)).parent.rglob("*.py"):
            found = re.findall(r'(?:entry|known)\.get\(\s*"(\w+)"', source.read_text())
            read |= {name for name in found if source.name not in ("make_extract.py",)}
    known = {*NUMBERS, *FLAGS.values(), "litellm_provider", "mode"}
    assert {name for name in read if name.startswith(("supports_", "max_", "input_"))} <= known
    assert read & {"supports_vision", "max_output_tokens"}


def test_every_default_model_is_in_it() -> None:
    extracted = extract.Extract.read()
    # OpenRouter's models are not in litellm's table.
    for service in SERVICES:
        if service.model and service.prefix != "openrouter":
            assert extracted.entry(service.prefix, service.model), service.model


def test_it_is_enough_without_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    known = ModelTable()
    assert known.entry("anthropic", "claude-haiku-4-5")["max_input_tokens"] == 200_000
    assert known.service_of("gpt-4o") == "openai"
    assert "gemini/gemini-2.5-flash" in known.chat_models("gemini")
    assert known.service_of("command-r") is None
    assert not known.entry("cohere", "command-r")


def test_what_it_does_not_have_is_looked_for_in_litellms_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = {"gpt-of-tomorrow": {"litellm_provider": "openai", "mode": "chat"}}
    monkeypatch.setattr("agno_shell.builtin.direct_provider.model_table.read_litellms", lambda: new)
    known = ModelTable()
    assert known.entry("openai", "gpt-of-tomorrow") == new["gpt-of-tomorrow"]
    assert {"gpt-of-tomorrow", "gpt-4o"} <= set(known.chat_models("openai"))
    assert {"gpt-of-tomorrow", "gpt-4o"} <= set(known.all_chat_models)


# The check ---------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of two models of one release."""
    made = tmp_path / "models.json"
    for module in (extract, make_extract):
        monkeypatch.setattr(module, "FILE", made)
    made.write_text(make_extract.text("litellm 1", make_extract.extracted(TWO)))
    return made


TWO: dict[str, dict[str, Any]] = {
    "gpt-a": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 10},
    "gpt-b": {"litellm_provider": "openai", "mode": "responses", "supports_vision": True},
    "titan": {"litellm_provider": "bedrock", "mode": "chat"},
    "embed": {"litellm_provider": "openai", "mode": "embedding"},
}


def test_only_chat_models_of_services_that_are_asked_here_are_taken(file: Path) -> None:
    assert set(json.loads(file.read_text())["models"]["openai"]) == {"gpt-a", "gpt-b"}
    assert set(json.loads(file.read_text())["models"]) == {"openai"}


def test_from_its_own_release_it_must_be_what_would_be_made_now(file: Path) -> None:
    assert make_extract.problems(TWO, "litellm 1") == []
    changed = TWO | {"gpt-a": TWO["gpt-a"] | {"max_input_tokens": 20}}
    (problem,) = make_extract.problems(changed, "litellm 1")
    assert make_extract.COMMAND in problem


def test_another_release_may_change_rows_and_not_lose_most_of_them(file: Path) -> None:
    changed = TWO | {"gpt-a": TWO["gpt-a"] | {"max_input_tokens": 20}, "gpt-c": TWO["gpt-b"]}
    assert make_extract.problems(changed, "litellm 2") == []
    (problem,) = make_extract.problems({"gpt-z": TWO["gpt-a"]}, "litellm 2")
    assert "has 2 of its 2 models no more" in problem


def test_without_litellm_only_the_form_is_looked_at(file: Path) -> None:
    assert make_extract.problems({}, "") == []
    file.write_text(file.read_text().replace("[10,null", '["10",null'))
    (problem,) = make_extract.problems({}, "")
    assert problem.endswith("a row of another form: gpt-a.")
