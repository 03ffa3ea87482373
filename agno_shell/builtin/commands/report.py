"""Commands that show what goes on inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import require_nothing, switch_word
from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import StorageError
from agno_shell.toolkit.reports import figures_line, reply_line, trace_lines
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
from agno_shell.toolkit.wording import count

NAMED = 3
"""More things of one kind than this are counted in the list of plugins, not named."""


def trace(context: CommandContext, text: str) -> None:
    """Show what happened in the last turn, or switch the trace of each turn on or off."""
    wanted = switch_word(text, "trace")
    if wanted is not None:
        context.ui.flags["trace"] = wanted
        context.ui.print(
            "Trace is on: each turn shows what happened in it, and when."
            if wanted
            else "Trace is off."
        )
        return
    last = context.engine.last_turn
    if last is None:
        context.ui.print("Nothing was asked yet since the shell was started.")
        return
    for line in trace_lines(last, context.ui.width):
        context.ui.print(line)


async def metrics(context: CommandContext, text: str) -> None:
    """Show what was used, or switch the metrics of each reply on or off."""
    wanted = switch_word(text, "metrics")
    if wanted is not None:
        context.ui.flags["metrics"] = wanted
        context.ui.print(
            "Metrics are on: each reply shows its tokens, times and cost."
            if wanted
            else "Metrics are off."
        )
        return
    replies = [each for each in context.engine.history if each.role == "assistant"]
    if replies:
        context.ui.print(f"{'Last reply:':<14}{reply_line(replies[-1])}")
    try:
        sums = figures_line(await context.engine.figures()) or "no replies yet"
    except StorageError as error:  # the other figures are known all the same
        sums = clean_line(error.sentence())
    context.ui.print(f"{'This session:':<14}{sums}")
    context.ui.print(
        f"{'This run:':<14}{figures_line(context.engine.run_figures) or 'no replies yet'}"
    )


def plugins(context: CommandContext, text: str) -> None:
    """List the plugins and what became of them."""
    require_nothing(text, "plugins")
    rows = context.app.plugin_rows()
    if not rows:
        context.ui.print("No plugins were found.")
        return
    context.ui.table(
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
            context.ui.print(f"{clean_line(_word(row, 'name'))}: {clean_line(_word(row, 'error'))}")


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
        "Show what happened in the last turn, and when; with on, after each turn.",
        trace,
        usage="[on|off]",
        details=(
            "Each line says when a step began, counted from the beginning of the turn, and how "
            "long it took: what was sent, tries, the first token, tools, the end, what was "
            "saved. /context shows each message of the next request."
        ),
        complete=completions.on_off,
    ),
    Command(
        "metrics",
        "Show tokens, times and cost of the last reply, the session and this run; on: each reply.",
        metrics,
        usage="[on|off]",
        details=(
            "The session counts with all its branches, this run with everything since the shell "
            "was started. What a provider does not report is left out; replies of unknown cost "
            "are counted as such."
        ),
        complete=completions.on_off,
    ),
    Command(
        "plugins",
        "List the plugins: what they register, how long they took to load, and their state.",
        plugins,
        details="A plugin is switched off by its name in [plugins] off of the config file.",
    ),
)
