from __future__ import annotations

from typing import Any

import pytest

from agno_shell.conversation.tools.changes import changes
from agno_shell.types import ToolSchema


def schema(description: str = "Reads.", required: tuple[str, ...] = (), **properties: Any) -> Any:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return ToolSchema("x", description, parameters)


def test_nothing_has_changed() -> None:
    assert changes(schema(a=1), schema(a=1)) == ()


def test_a_long_description_is_shown_where_it_is_another() -> None:
    before, now = schema("a" * 900 + "b" * 900), schema("a" * 900 + "c" * 900)
    assert changes(before, now) == (
        f"Its description was: …{'a' * 40}{'b' * 300}…",
        f"Its description is: …{'a' * 40}{'c' * 300}…",
    )
    assert changes(schema(""), schema("all"))[0] == "Its description was: (none)"


@pytest.mark.parametrize(
    ("before", "now", "sentence"),
    [
        (schema(), schema(path={}), "Of its parameters 'path' is new."),
        (schema(a={}), schema(b={}), "Of its parameters 'b' is new, 'a' is gone."),
        (schema(a={}), schema(a={"x": 1}), "Of its parameters 'a' is another."),
        (schema(a={}), schema(required=("a",), a={}), "What its parameters must be has changed."),
        (
            schema(),
            schema(**dict[str, Any]({f"p{number}": {} for number in range(10)})),
            "Of its parameters " + ", ".join(f"'p{n}' is new" for n in range(8)) + ", and 2 more.",
        ),
    ],
)
def test_parameters(before: ToolSchema, now: ToolSchema, sentence: str) -> None:
    assert changes(before, now) == (sentence,)
