from __future__ import annotations

import pytest

from agno_shell.conversation.tools.selection import ToolSelection, split_name


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("mcp", ("mcp", "")),
        ("mcp.read", ("mcp", "read")),
        ("mcp.read.all", ("mcp", "read.all")),
        ("my.box", ("my.box", "")),
        ("my.box.x", ("my.box", "x")),
        ("my.other", ("my", "other")),
        ("mcp.", None),
        ("nothing", None),
        ("mc", None),
        ("", None),
    ],
)
def test_boxes_and_tools_are_told_apart(name: str, place: tuple[str, str] | None) -> None:
    assert split_name(name, ["mcp", "my", "my.box"]) == place


def test_nothing_is_on_at_first() -> None:
    selection = ToolSelection()
    assert not selection.has_box("a")
    assert not selection.has("a", ["x"])


def test_a_whole_box_but_one_tool() -> None:
    selection = ToolSelection()
    selection.switch("a", on=True)
    selection.switch("a", ["x", "a_x"], on=False)
    assert selection.has("a", ["y"])
    assert not selection.has("a", ["x"])
    assert not selection.has("a", ["a_x", "other"])
    selection.switch("a", ["x", "a_x"], on=True)
    assert selection.has("a", ["x", "a_x"])


def test_one_tool_of_a_box_that_is_off() -> None:
    selection = ToolSelection()
    selection.switch("a", ["x"], on=True)
    assert selection.has_box("a")
    assert selection.has("a", ["x", "a_x"])
    assert not selection.has("a", ["y"])
    selection.switch("a", ["x", "a_x"], on=False)
    assert not selection.has_box("a")


def test_the_whole_box_counts_more_than_its_tools_did() -> None:
    selection = ToolSelection()
    selection.switch("a", ["x"], on=True)
    selection.switch("a", on=False)
    assert not selection.has("a", ["x"])
    selection.switch("a", on=True)
    selection.switch("a", ["x"], on=False)
    selection.switch("a", on=True)
    assert selection.has("a", ["x"])
    assert selection.singles("a") == set()
