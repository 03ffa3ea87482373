"""Calls of tools in a form that every service takes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.model_services import tool_calls
from agno_shell.builtin.model_services.tool_calls import ToolCallIds


@pytest.mark.parametrize("original", ["call_1", "toolu_01A", "a" * 40])
def test_a_valid_id_stays_as_it_is(original: str) -> None:
    assert ToolCallIds().new(original) == original


@given(st.lists(st.text(max_size=60), max_size=8), st.booleans())
def test_ids_are_valid_different_and_the_same_each_time(names: list[str], mistral: bool) -> None:
    first, second = ToolCallIds(mistral=mistral), ToolCallIds(mistral=mistral)
    given = [first.new(name) for name in names]
    assert given == [second.new(name) for name in names]
    assert len(set(given)) == len(given)
    pattern = "[A-Za-z0-9]{9}" if mistral else "[A-Za-z0-9_-]{1,40}"
    assert all(re.fullmatch(pattern, one) for one in given)


def test_what_comes_later_does_not_change_earlier_ids() -> None:
    ids = ToolCallIds()
    before = [ids.new("twin"), ids.new("twin")]
    ids = ToolCallIds()
    assert [ids.new("twin"), ids.new("twin"), ids.new("x")][:2] == before


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ('{"a":  1}', '{"a":  1}'),
        ("", "{}"),
        ("  \n", "{}"),
        ("[1]", '{"arguments": "[1]"}'),
        ('{"a": ', '{"arguments": "{\\"a\\": "}'),
    ],
)
def test_arguments_are_an_object_and_stay_as_they_came_where_they_are_one(
    said: str, sent: str
) -> None:
    assert tool_calls.arguments(said) == sent


@given(st.text())
def test_any_arguments_become_an_object(said: str) -> None:
    assert isinstance(json.loads(tool_calls.arguments(said)), dict)


@pytest.mark.parametrize(
    ("said", "sent"), [("add", "add"), ("functions.add", "functions_add"), ("", "unnamed")]
)
def test_names_are_valid(said: str, sent: str) -> None:
    assert tool_calls.name(said) == sent
    assert len(tool_calls.name(said * 90)) <= 64


def test_tools_come_in_one_order_whatever_the_order_they_are_given_in() -> None:
    schemas: list[dict[str, Any]] = [
        {"name": name, "description": "", "parameters": {}} for name in ("b", "a")
    ]
    described = tool_calls.tools(schemas)
    assert described == tool_calls.tools(schemas[::-1])
    assert [one["function"]["name"] for one in described] == ["a", "b"]
    empty = {"type": "object", "properties": {}}
    assert described[0]["function"]["parameters"] == empty
