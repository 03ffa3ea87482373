"""Every prefix that litellm knows is spoken here, left to it, or part of a model's name.

litellm is not imported for that: its enumeration is read from its source.
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from agno_shell.builtin.direct_provider.services import ELSEWHERE, PUBLISHERS, answers, spoken
from agno_shell.builtin.model_services.services import SERVICES

BASE = "http://127.0.0.1:8000/v1"


@pytest.fixture(scope="module")
def prefixes() -> set[str]:
    """The prefixes of the installed litellm."""
    found = importlib.util.find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).parent / "types" / "utils.py"
    (enumeration,) = (
        node
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "LlmProviders"
    )
    values = [node.value for node in enumeration.body if isinstance(node, ast.Assign)]
    return {str(value.value) for value in values if isinstance(value, ast.Constant)}


def test_a_new_prefix_of_litellm_is_noticed(prefixes: set[str]) -> None:
    assert {"openai", "bedrock", "vertex_ai"} <= prefixes, "it is read as it stands there"
    new = {each for each in prefixes - ELSEWHERE - PUBLISHERS if not spoken(each)}
    assert not new, "each belongs into ELSEWHERE, or into PUBLISHERS of direct_provider/services"


def test_no_prefix_is_in_two_lists() -> None:
    assert not ELSEWHERE & PUBLISHERS
    assert not [each for each in ELSEWHERE | PUBLISHERS if spoken(each)]


def test_every_service_has_a_name_that_litellm_knows(prefixes: set[str]) -> None:
    assert {service.prefix for service in SERVICES} <= prefixes
    assert {each.prefix for each in SERVICES if not each.wire} <= ELSEWHERE


def test_behind_an_address_a_publisher_is_part_of_a_name() -> None:
    assert all(answers(f"{each}/model", BASE) for each in PUBLISHERS)
    assert not any(answers(f"{each}/model", None) for each in PUBLISHERS)
    assert not any(answers(f"{each}/model", BASE) for each in ELSEWHERE)
