from __future__ import annotations

import pytest

from agno_shell.errors import UsageError


@pytest.mark.parametrize("name", ["trace", "metrics"])
async def test_a_flag_is_set_and_changed(context, type_line, name):
    for typed, expected in [("", True), ("", False), ("on", True), ("on", True), ("off", False)]:
        printed = await type_line(context, f"/{name} {typed}")
        assert context.flags[name] is expected
        assert ("on:" in printed) is expected
    other = "metrics" if name == "trace" else "trace"
    assert context.flags[other] is False


@pytest.mark.parametrize("name", ["trace", "metrics"])
async def test_another_word_changes_nothing(context, type_line, name):
    with pytest.raises(UsageError, match=f"/{name} takes on or off"):
        await type_line(context, f"/{name} yes")
    assert context.flags[name] is False


async def test_metrics_says_the_totals(make_context, type_line):
    context = make_context(metrics_summary="3 replies, 120 tokens")
    assert (await type_line(context, "/metrics")).splitlines()[-1] == "3 replies, 120 tokens"


async def test_plugins_are_a_table_with_errors_below(make_context, type_line):
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


async def test_many_things_of_one_kind_are_counted(make_context, type_line):
    provides = ["command a", "command b", "command c", "command d", "hook toolbar_items"]
    context = make_context(plugin_rows=[{"name": "many", "state": "on", "provides": provides}])
    row = (await type_line(context, "/plugins")).splitlines()[1]
    assert "4 commands, hook toolbar_items" in row


async def test_no_plugins_is_said(context, type_line):
    assert await type_line(context, "/plugins") == "No plugins were found."
