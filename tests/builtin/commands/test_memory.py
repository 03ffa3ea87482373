from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.errors import UsageError


def remembered(context: Any) -> Any:
    return [each.text for each in context.memory.memories(context.engine.session.session_id)]


async def test_what_is_remembered_is_kept_and_listed(
    context: Any, type_line: Callable[..., Any]
) -> None:
    assert "as number 1" in await type_line(context, "/remember The deadline is Friday.")
    assert "as number 2" in await type_line(context, "/remember Tea,\nnot coffee.")
    assert remembered(context) == ["The deadline is Friday.", "Tea,\nnot coffee."]
    assert (await type_line(context, "/memory")).split("\n") == [
        "  1  The deadline is Friday.",
        "     just now",
        "  2  Tea,",
        "     not coffee.",
        "     just now",
    ]


async def test_what_is_forgotten_is_shown(context: Any, type_line: Callable[..., Any]) -> None:
    for text in ("one", "two", "three"):
        await type_line(context, f"/remember {text}")
    shown = await type_line(context, "/forget 2")
    assert shown.endswith("\ntwo")
    assert remembered(context) == ["one", "three"]
    await type_line(context, "/forget 2")
    assert remembered(context) == ["one"]


async def test_nothing_remembered_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    assert "/remember TEXT adds" in await type_line(context, "/memory")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/remember", "nothing to remember"),
        ("/memory all", "/memory takes no arguments"),
        ("/forget", "needs a number"),
        ("/forget 2", "There is no number 2: 1 thing is remembered here"),
        ("/forget one", "takes a number"),
    ],
)
async def test_what_means_nothing_is_refused(
    context: Any, type_line: Callable[..., Any], line: str, said: Any
) -> None:
    await type_line(context, "/remember one")
    with pytest.raises(UsageError, match=said):
        await type_line(context, line)
    assert remembered(context) == ["one"]


async def test_there_is_nothing_to_forget(context: Any, type_line: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="nothing is remembered here"):
        await type_line(context, "/forget 1")


async def test_what_can_be_forgotten_is_offered(
    context: Any, type_line: Callable[..., Any], complete: Callable[..., Any]
) -> None:
    await type_line(context, "/remember one")
    await type_line(context, "/remember " + "long " * 50)
    offered = await complete(context, "/forget ")
    assert [each.text for each in offered] == ["1", "2"]
    assert offered[0].meta == "one"
    assert len(offered[1].meta) <= 60


async def test_the_shell_is_told(
    context: Any, type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed = []

    async def refresh() -> None:
        refreshed.append(remembered(context))

    monkeypatch.setattr(context.engine, "refresh", refresh)
    await type_line(context, "/remember one")
    await type_line(context, "/forget 1")
    assert refreshed == [["one"], []]
