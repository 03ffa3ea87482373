"""Python functions as tools: what the model sees of them, and what it may pass."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import enum
import functools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import pytest

from agno_shell import python_tools
from agno_shell.contracts import Tool, ToolOptions
from agno_shell.errors import PluginError, UsageError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


async def box(*functions: Callable[..., Any]) -> Mapping[str, Tool]:
    opened = python_tools("box", "A box.", *functions).open(ToolOptions())
    try:
        return {tool.schema.name: tool for tool in await opened.tools()}
    finally:
        await opened.close()


async def only(function: Callable[..., Any]) -> Tool:
    [tool] = (await box(function)).values()
    return tool


async def parameters(function: Callable[..., Any]) -> Mapping[str, Any]:
    return (await only(function)).schema.parameters


# What the model sees ------------------------------------------------------------------------


def add(a: int, b: int = 1) -> int:
    """Add two numbers.

    However large they are.

    Args:
        a: The first one.
        b: The second one.
    """
    return a + b


async def test_a_function_is_described_by_its_hints_and_its_docstring() -> None:
    schema = (await only(add)).schema
    assert schema.name == "add"
    assert schema.description == "Add two numbers."
    assert schema.parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "The first one."},
            "b": {"type": "integer", "description": "The second one.", "default": 1},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert (await only(add)).source == f"{__name__}.add"


def every(
    text: str,
    number: float,
    flag: bool,
    words: list[str],
    counts: dict[str, int],
    kind: Literal["a", "b"],
    colour: Colour,
    perhaps: int | None,
    where: Point,
    when: datetime.date,
    quote: Annotated[str, "Their words."],
) -> None: ...


async def test_the_usual_types_have_a_schema() -> None:
    schema = await parameters(every)
    properties = schema["properties"]
    assert properties["text"] == {"type": "string"}
    assert properties["number"] == {"type": "number"}
    assert properties["flag"] == {"type": "boolean"}
    assert properties["words"] == {"type": "array", "items": {"type": "string"}}
    assert properties["counts"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert properties["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert properties["perhaps"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert properties["when"] == {"type": "string", "format": "date"}
    assert properties["quote"] == {"type": "string", "description": "Their words."}
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"]
    assert schema["$defs"]["Point"]["required"] == ["x"]
    assert schema["required"] == list(properties)
    json.dumps(schema)


async def test_the_schema_is_the_same_every_time() -> None:
    first, second = await parameters(every), await parameters(every)
    assert json.dumps(first) == json.dumps(second)


def now() -> str:
    return "noon"


async def test_a_function_without_parameters_or_words() -> None:
    tool = await only(now)
    assert tool.schema.description == "Now."
    assert tool.schema.parameters["properties"] == {}
    assert await tool.run({}) == "noon"


def test_names_that_pydantic_has_itself_are_taken() -> None:
    """No warning, which would be printed over the screen: warnings are errors in tests."""

    def odd(copy: int, json: int, schema: int, model_name: str, _hidden: int = 0) -> None: ...

    assert list(asyncio.run(parameters(odd))["properties"]) == [
        "copy",
        "json",
        "schema",
        "model_name",
        "_hidden",
    ]


def hidden(x: object = object()) -> None: ...


async def test_a_default_that_json_does_not_know_is_not_shown() -> None:
    assert "default" not in (await parameters(hidden))["properties"]["x"]


class Unknown: ...


def with_unknown(x: Unknown) -> None: ...


def with_many(*numbers: int) -> None: ...


def with_bad_hint(x: Nonsense) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (with_unknown, "with_unknown cannot be a tool"),
        (with_many, "can be any number of things"),
        (with_bad_hint, "'Nonsense' is not defined"),
        (lambda x: x, "it has no name"),
        (functools.partial(add, 1), "it has no name"),
    ],
)
async def test_what_cannot_be_a_tool_is_refused(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(PluginError, match=words):
        await box(add, function)


# What the function gets ---------------------------------------------------------------------


async def run(function: Callable[..., Any], **arguments: Any) -> str:
    return await (await only(function)).run(arguments)


def seen(colour: Colour, where: Point, when: datetime.date, counts: dict[str, int]) -> str:
    return repr((colour, where, when, counts))


async def test_arguments_come_in_the_types_of_the_hints() -> None:
    text = await run(seen, colour="red", where={"x": "3"}, when="2026-07-20", counts={"a": 1})
    expected = (Colour.RED, Point(3, 0), datetime.date(2026, 7, 20), {"a": 1})
    assert text == repr(expected)


async def test_a_default_is_the_functions_own() -> None:
    assert await run(add, a=1) == "2"
    assert await run(add, a=1, b=5) == "6"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "a: field required"),
        ({"a": "many"}, "a: input should be a valid integer"),
        ({"a": 1, "c": 2}, "c: extra inputs are not permitted"),
        ({"a": 1, "b": None}, "b: input should be a valid integer"),
    ],
)
async def test_wrong_arguments_are_named_to_the_model(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as raised:
        await run(add, **arguments)
    assert words in str(raised.value)
    assert raised.value.hint == "It takes a, b."


async def test_the_place_within_an_argument_is_named() -> None:
    with pytest.raises(UsageError, match=r"where\.x: field required"):
        await run(seen, colour="red", where={}, when="2026-07-20", counts={})


def by_position(a: int, /, b: int) -> str:
    return f"{a} {b}"


class Shelf:
    """Holds books."""

    def take(self, title: str) -> str:
        """Take a book."""
        return f"took {title}"

    async def put(self, title: str) -> str:
        return f"put {title}"


async def test_other_callables() -> None:
    assert await run(by_position, a=1, b=2) == "1 2"
    tools = await box(Shelf().take, Shelf().put)
    assert tools["take"].schema.description == "Take a book."
    assert list(tools["take"].schema.parameters["properties"]) == ["title"]
    assert await tools["take"].run({"title": "Emma"}) == "took Emma"
    assert await tools["put"].run({"title": "Emma"}) == "put Emma"


# How it runs --------------------------------------------------------------------------------

CHOSEN: ContextVar[str] = ContextVar("chosen", default="nothing")


async def test_functions_run_in_a_thread_and_coroutines_in_the_loop() -> None:
    def where() -> str:
        return f"{threading.current_thread() is threading.main_thread()} {CHOSEN.get()}"

    async def here() -> str:
        return where()

    CHOSEN.set("blue")
    assert await run(where) == "False blue"
    assert await run(here) == "True blue"


async def test_an_exception_comes_through() -> None:
    def fail() -> None:
        raise LookupError("no such page")

    def leave() -> None:
        sys.exit("bye")

    def stop() -> None:
        raise StopIteration

    with pytest.raises(LookupError, match="no such page"):
        await run(fail)
    for function in (leave, stop):
        with pytest.raises(RuntimeError):
            await run(function)


async def test_a_thread_that_hangs_holds_nobody_up() -> None:
    gate, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang() -> str:
        loop.call_soon_threadsafe(begun.set)
        gate.wait()
        return "too late"

    task = asyncio.create_task(run(hang))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.set()


def test_the_end_of_the_program_does_not_wait_for_a_thread() -> None:
    code = (
        "import asyncio, threading\n"
        "from agno_shell import python_tools\n"
        "from agno_shell.contracts import ToolOptions\n"
        "def hang() -> None: threading.Event().wait()\n"
        "async def main():\n"
        "    [tool] = await python_tools('a', '', hang).open(ToolOptions()).tools()\n"
        "    task = asyncio.create_task(tool.run({}))\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Grüße", "Grüße"),
        (None, ""),
        (3, "3"),
        ({"a": [1, None], "ü": True}, '{"a":[1,null],"ü":true}'),
        (Point(1, 2), '{"x":1,"y":2}'),
        (Colour.RED, '"red"'),
        (datetime.date(2026, 7, 20), '"2026-07-20"'),
        (b"\xff", '"_w=="'),
        (float("nan"), '"NaN"'),
        (1j, '"1j"'),
    ],
)
async def test_results_are_text_or_json(value: Any, text: str) -> None:
    def give() -> Any:
        return value

    assert await run(give) == text


def test_registering_a_box_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from agno_shell import python_tools\n"
        "def now() -> str: ...\n"
        "python_tools('clock', 'Tells the time.', now)\n"
        "print(sorted({'pydantic', 'asyncio', 'dataclasses', 'inspect'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
