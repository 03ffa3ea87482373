from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agno_shell.contracts import Tool, ToolState
from agno_shell.errors import UsageError
from agno_shell.types import ToolSchema


async def _nothing(_arguments: Mapping[str, Any]) -> str:
    return ""


def tool(name: str, description: str = "") -> Tool:
    return Tool(ToolSchema(name, description or f"Does {name}.", {"type": "object"}), _nothing)


class Boxes:
    """The boxes of a test, and what was switched."""

    def __init__(self, *boxes: ToolState) -> None:
        self.boxes = list(boxes)
        self.switched: list[tuple[str, bool]] = []

    def states(self) -> list[ToolState]:
        return self.boxes

    async def switch(self, name: str, *, on: bool) -> ToolState:
        self.switched.append((name, on))
        for index, box in enumerate(self.boxes):
            if box.name == name.partition(".")[0]:
                self.boxes[index] = box._replace(on=on)
                return self.boxes[index]
        raise UsageError(f"There is no tool box called {name!r}.")


@pytest.fixture
def context(make_context: Callable[..., Any]) -> Any:
    context = make_context()
    context.engine.tools = Boxes(
        ToolState("clock", "Tells the time.", on=False),
        ToolState(
            "mcp",
            "MCP servers.",
            on=True,
            tools=(tool("files_read", "Read\x1b[2J a file."), tool("files_write")),
            problem="The server 'mail' did not start.",
            off=("files_write",),
        ),
    )
    return context


async def test_what_there_is_and_what_is_wrong_with_it(
    context: Any, type_line: Callable[..., Any]
) -> None:
    assert (await type_line(context, "/tools")).splitlines() == [
        "Tools          State  What they do",
        "clock          off    Tells the time.",
        "mcp            on     MCP servers.",
        "· files_read   on     Read␛[2J a file.",
        "· files_write  off    Does files_write.",
        "mcp: The server 'mail' did not start.",
        "Each call asks first.",
    ]


async def test_that_nothing_is_on_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    context.engine.tools.boxes = context.engine.tools.boxes[:1]
    assert "Nothing is on: no model can call anything." in await type_line(context, "/tools")


async def test_without_any_tools_it_says_where_they_come_from(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    assert "Plugins bring them" in await type_line(make_context(), "/tools")


async def test_a_box_is_switched_on_and_says_what_is_in_it(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.engine.tools.boxes[0] = context.engine.tools.boxes[0]._replace(
        tools=(tool("now"), tool("today"))
    )
    assert (await type_line(context, "/tools on clock")).splitlines() == [
        "clock is on in this shell; each call asks first.",
        "2 tools: now, today",
    ]
    assert context.engine.tools.boxes[0].on


async def test_a_box_whose_tools_cannot_be_had_is_on_and_says_why(
    context: Any, type_line: Callable[..., Any]
) -> None:
    context.engine.tools.boxes[0] = context.engine.tools.boxes[0]._replace(problem="No battery.")
    assert (await type_line(context, "/tools on clock")).splitlines() == [
        "clock is on in this shell, and has no tools now.",
        "clock: No battery.",
    ]


async def test_one_tool_is_switched(context: Any, type_line: Callable[..., Any]) -> None:
    printed = await type_line(context, "/tools on mcp.files_write")
    assert printed.startswith("mcp.files_write is on in this shell")
    assert await type_line(context, "/tools OFF mcp") == "mcp is off in this shell."
    assert context.engine.tools.switched == [
        ("mcp.files_write", True),
        ("mcp", False),
    ]


@pytest.mark.parametrize("line", ["/tools on", "/tools mcp", "/tools of mcp"])
async def test_anything_else_says_how_it_is_used(
    context: Any, type_line: Callable[..., Any], line: str
) -> None:
    with pytest.raises(UsageError) as raised:
        await type_line(context, line)
    assert "Usage: /tools [on|off NAME]" in raised.value.hint
    assert context.engine.tools.switched == []


async def test_completion_offers_what_can_be_switched(
    context: Any, complete: Callable[..., Any]
) -> None:
    assert [each.text for each in await complete(context, "/tools ")] == ["on ", "off "]
    assert [each.text for each in await complete(context, "/tools on")] == ["on ", "off "]
    assert [each.text for each in await complete(context, "/tools on ")] == [
        "on clock",
        "on mcp",
        "on mcp.files_write",
    ]
    assert [each.text for each in await complete(context, "/tools off m")] == [
        "off mcp",
        "off mcp.files_read",
    ]
