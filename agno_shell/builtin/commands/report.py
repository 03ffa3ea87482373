"""Commands that show what goes on inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import switch_word
from agno_shell.builtin.commands.table import print_table
from agno_shell.contracts import Command, CommandContext
from agno_shell.terminal_text import clean_line
from agno_shell.text_table import Column
from agno_shell.wording import count

NAMED = 3
"""More things of one kind than this are counted in the list of plugins, not named."""


def trace(context: CommandContext, text: str) -> None:
    """Switch the trace of each turn on or off."""
    if _set_flag(context, "trace", text):
        context.print(
            "Trace is on: each turn shows what is sent, when the first token comes, and how "
            "the reply ends."
        )
    else:
        context.print("Trace is off.")


def metrics(context: CommandContext, text: str) -> None:
    """Switch the metrics of each reply on or off, and show the totals so far."""
    if _set_flag(context, "metrics", text):
        context.print("Metrics are on: each reply shows its tokens, times and cost.")
    else:
        context.print("Metrics are off.")
    totals = context.metrics_summary()
    if totals:
        context.print(totals)


def _set_flag(context: CommandContext, name: str, text: str) -> bool:
    wanted = switch_word(text, name)
    context.flags[name] = not context.flags.get(name, False) if wanted is None else wanted
    return context.flags[name]


def plugins(context: CommandContext, text: str) -> None:
    """List the plugins and what became of them."""
    rows = context.plugin_rows()
    if not rows:
        context.print("No plugins were found.")
        return
    print_table(
        context,
        (
            Column("Plugin"),
            Column("Distribution", minimum=12),
            Column("Version"),
            Column("Registers", minimum=12),
            Column("Load Time", right=True),
            Column("State"),
        ),
        [_plugin_cells(row) for row in rows],
    )
    for row in rows:
        if row.get("error"):
            context.print(f"{clean_line(_word(row, 'name'))}: {clean_line(_word(row, 'error'))}")


def _plugin_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = row.get("load_seconds")
    return (
        _word(row, "name"),
        _word(row, "distribution"),
        _word(row, "version"),
        _registered(row.get("provides") or ()),
        "" if seconds is None else f"{seconds * 1000:.1f} ms",
        _word(row, "state"),
    )


def _registered(provides: Sequence[str]) -> str:
    """``provider echo, hook toolbar_items``; many of a kind are counted: ``17 commands``."""
    kinds: dict[str, list[str]] = {}
    for each in provides:
        kinds.setdefault(each.partition(" ")[0], []).append(each)
    return ", ".join(
        ", ".join(each) if len(each) <= NAMED else count(len(each), kind)
        for kind, each in kinds.items()
    )


def _word(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


COMMANDS = (
    Command(
        "trace",
        "Show, or no longer show, what each turn sends.",
        trace,
        usage="[on|off]",
        details="Without a word it changes to the other state.",
        complete=completions.on_off,
    ),
    Command(
        "metrics",
        "Show, or no longer show, tokens, times and cost of each reply; says the totals.",
        metrics,
        usage="[on|off]",
        details="Without a word it changes to the other state. A cost is shown when it is known.",
        complete=completions.on_off,
    ),
    Command(
        "plugins",
        "List the plugins: what they register, how long they took to load, and their state.",
        plugins,
        details="A plugin is switched off by its name in [plugins] off of the config file.",
    ),
)
