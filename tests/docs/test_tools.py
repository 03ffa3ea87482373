"""The page on tools shows an example that works, and settings that there are."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agno_shell.config import settings
from agno_shell.contracts import Tool, ToolOptions
from agno_shell.conversation.tools.tool_registry import ToolRegistry
from agno_shell.errors import UsageError
from agno_shell.types import ToolCall

PAGE = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")


@pytest.fixture
def example() -> Any:
    """The plugin that the page shows."""
    [source] = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    module = ModuleType("clock")
    exec(compile(source, "docs/tools.md", "exec"), module.__dict__)
    return module


@pytest.fixture
async def tools(example: Any) -> dict[str, Tool]:
    [factory] = example.register_tools()
    return {tool.schema.name: tool for tool in await factory.open(ToolOptions()).tools()}


async def test_the_example_can_be_called(tools: dict[str, Tool]) -> None:
    assert (await tools["now"].run({})).endswith("+00:00")
    dates = {"first": "2026-07-20", "last": "2026-07-22"}
    assert await tools["between"].run(dates) == "2.0"
    assert await tools["between"].run({**dates, "unit": "hours"}) == "48.0"


async def test_the_model_is_told_what_the_example_says(tools: dict[str, Tool]) -> None:
    now, between = tools["now"].schema, tools["between"].schema
    assert now.description == "The date and the time in a time zone."
    assert "IANA" in now.parameters["properties"]["zone"]["description"]
    assert between.parameters["properties"]["first"]["description"] == "The earlier one."
    assert between.parameters["required"] == ["first", "last"]


async def test_wrong_arguments_and_errors_reach_the_model_as_sentences(
    example: Any, tools: dict[str, Tool]
) -> None:
    with pytest.raises(UsageError, match="unit: input should be 'hours' or 'days'"):
        await tools["between"].run({"first": "2026-07-20", "last": "2026-07-22", "unit": "weeks"})
    factories = {factory.name: factory for factory in example.register_tools()}
    belt = ToolRegistry(
        lambda: factories,
        lambda factory: factory.open(ToolOptions()),
        on=["clock"],
        seconds=10,
        output_bytes=1000,
        report=pytest.fail,
    )
    assert [schema.name for schema in await belt.schemas()] == ["between", "now"]
    answer = await belt.run(tools["now"], ToolCall("1", "now", '{"zone": "Nowhere/Land"}'))
    assert answer.content == "There is no time zone 'Nowhere/Land'."


@pytest.mark.parametrize(
    "setting", [settings.TOOLS_SECONDS, settings.TOOLS_OUTPUT_BYTES, settings.TOOLS_ROUNDS]
)
def test_the_limits_are_the_defaults(setting: settings.Setting[Any]) -> None:
    key = setting.name.removeprefix("tools.")
    assert re.search(rf"^{key} = {setting.default:g}\b", PAGE, re.MULTILINE)
