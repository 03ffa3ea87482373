from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.contracts import Figures, Step
from agno_shell.errors import StorageError, UsageError
from agno_shell.types import Message, Usage, new_id, now


@pytest.mark.parametrize("name", ["trace", "metrics"])
async def test_a_flag_is_set(context: Any, type_line: Callable[..., Any], name: str) -> None:
    for typed, expected in [("on", True), ("ON", True), ("off", False)]:
        printed = await type_line(context, f"/{name} {typed}")
        assert context.ui.flags[name] is expected
        assert ("on:" in printed) is expected
    other = "metrics" if name == "trace" else "trace"
    assert context.ui.flags[other] is False


@pytest.mark.parametrize("name", ["trace", "metrics"])
async def test_another_word_changes_nothing(
    context: Any, type_line: Callable[..., Any], name: str
) -> None:
    with pytest.raises(UsageError, match=f"/{name} takes on or off"):
        await type_line(context, f"/{name} yes")
    assert context.ui.flags[name] is False


async def test_trace_alone_shows_the_last_turn(context: Any, type_line: Callable[..., Any]) -> None:
    assert "Nothing was asked yet" in await type_line(context, "/trace")
    context.engine._recorder = SimpleNamespace(
        step=Step("turn", "m", 0.0, 1.5, (Step("saved", "x", 0.1),))
    )
    assert (await type_line(context, "/trace")).splitlines() == [
        "  0 ms  1.5 s  turn      m",
        "100 ms         └─ saved  x",
    ]
    assert context.ui.flags["trace"] is False


async def test_a_trace_fits_the_screen(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(width=20)
    context.engine._recorder = SimpleNamespace(step=Step("turn", "x" * 100, 0.0))
    [line] = (await type_line(context, "/trace")).splitlines()
    assert len(line) == 20


async def test_metrics_alone_shows_the_last_reply_the_session_and_this_run(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context()
    context.engine.ledger.run = Figures(3, 120)
    say(context, "user: Hi")
    usage = Usage(1_200, 100, cost=0.5)
    reply = Message(new_id(), "assistant", "Yo", now(), usage=usage)
    context.say(reply)
    context.results["figures"] = Figures(20, 12_000, 500, cost=1.25, unpriced=2)
    assert (await type_line(context, "/metrics")).splitlines() == [
        "Last reply:   1,200 tokens in · 100 out · $0.5000",
        "This session: 20 replies · 12,000 tokens in · 500 out · $1.25 · 2 of unknown cost",
        "This run:     3 replies · 120 tokens in",
    ]
    assert context.ui.flags["metrics"] is False


async def test_metrics_of_nothing(context: Any, type_line: Callable[..., Any]) -> None:
    assert (await type_line(context, "/metrics")).splitlines() == [
        "This session: no replies yet",
        "This run:     no replies yet",
    ]


async def test_metrics_of_a_session_that_cannot_be_read(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context()
    context.engine.ledger.run = Figures(1)
    context.errors["figures"] = StorageError("The disk is gone.", hint="Mount it.")
    assert (await type_line(context, "/metrics")).splitlines() == [
        "This session: The disk is gone. Mount it.",
        "This run:     1 reply",
    ]


async def test_plugins_are_a_table_with_errors_below(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(
        plugin_rows=[
            {
                "name": "echo",
                "distribution": "agno-shell-echo",
                "version": "0.1.0",
                "provides": ["provider echo", "command echo"],
                "load_seconds": 0.00123,
                "state": "on",
                "error": "",
            },
            {"name": "bad", "state": "failed", "load_seconds": None, "error": "load: a\nb"},
        ]
    )
    header, echo, bad, error = (await type_line(context, "/plugins")).splitlines()
    assert header.split("  ")[0] == "Plugin"
    assert " ".join(echo.split()) == (
        "echo agno-shell-echo 0.1.0 provider echo, command echo 1.2 ms on"
    )
    assert bad.split() == ["bad", "failed"]
    assert error == "bad: load: a b"


async def test_many_things_of_one_kind_are_counted(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    provides = ["command a", "command b", "command c", "command d", "hook toolbar_items"]
    context = make_context(plugin_rows=[{"name": "many", "state": "on", "provides": provides}])
    row = (await type_line(context, "/plugins")).splitlines()[1]
    assert "4 commands, hook toolbar_items" in row


async def test_no_plugins_is_said(context: Any, type_line: Callable[..., Any]) -> None:
    assert await type_line(context, "/plugins") == "No plugins were found."
