"""The command that switches what a model may call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agno_shell.builtin.commands.arguments import first_word, shown, unquote
from agno_shell.contracts import Command, CommandContext, Completion, ToolState
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column
from agno_shell.toolkit.wording import count

USAGE = "[on|off NAME]"

SWITCHES = (
    Completion("on ", "let the model call them; each call asks first"),
    Completion("off ", "no longer"),
)


async def tools(context: CommandContext, text: str) -> None:
    """List the tools, or switch some of them."""
    switch, rest = first_word(text)
    name = unquote(rest)
    if not switch:
        _list(context)
    elif switch.lower() in ("on", "off") and name:
        wanted = switch.lower() == "on"
        state = await context.engine.tools.switch(name, on=wanted)
        _confirm(context, name, state, on=wanted)
    else:
        raise UsageError(
            f"/tools cannot do {shown(text)}.",
            hint=f"Usage: /tools {USAGE}; /tools alone lists the names.",
        )


def _list(context: CommandContext) -> None:
    boxes = context.engine.tools.states()
    if not boxes:
        context.ui.print("There are no tools. Plugins bring them, such as agno-shell-mcp.")
        return
    context.ui.table(
        (Column("Tools", minimum=12), Column("State"), Column("What they do", minimum=12)),
        [row for box in boxes for row in _rows(box)],
    )
    for box in boxes:
        _print_problem(context, box)
    if any(box.on for box in boxes):
        context.ui.print("Each call asks first.")
    else:
        context.ui.print("Nothing is on: no model can call anything. /tools on NAME changes that.")


def _rows(box: ToolState) -> Sequence[tuple[str, str, str]]:
    """The box, and below it what it holds, as far as that is known."""
    inside = [
        (f"· {each.schema.name}", _state(each.schema.name not in box.off), each.schema.description)
        for each in box.tools
        if box.on
    ]
    return [(box.name, _state(box.on), box.summary), *inside]


def _state(on: bool) -> str:
    return "on" if on else "off"


def _confirm(context: CommandContext, name: str, state: ToolState, *, on: bool) -> None:
    shown = clean_line(name)
    if not on:
        context.ui.print(f"{shown} is off in this shell.")
        return
    if name != state.name:
        context.ui.print(f"{shown} is on in this shell; each call asks first.")
    elif state.tools:
        names = ", ".join(clean_line(each.schema.name) for each in state.tools)
        number = count(len(state.tools), "tool")
        context.ui.print(f"{shown} is on in this shell; each call asks first.")
        context.ui.print(f"{number}: {names}")
    else:
        context.ui.print(f"{shown} is on in this shell, and has no tools now.")
    _print_problem(context, state)


def _print_problem(context: CommandContext, state: ToolState) -> None:
    if state.problem:
        context.ui.print(f"{clean_line(state.name)}: {clean_line(state.problem, 1000)}")


async def complete(context: CommandContext, text: str) -> Iterable[Completion]:
    """``on`` and ``off``, and behind them what each can be said of."""
    switch, _, _rest = text.lstrip().partition(" ")
    if switch not in ("on", "off") or text.lstrip() == switch:
        return SWITCHES
    boxes = context.engine.tools.states()
    found = [
        Completion(f"{switch} {clean_line(box.name)}", clean_line(box.summary))
        for box in boxes
        if switch == "on" or box.on
    ]
    for box in boxes:
        found += [
            Completion(
                f"{switch} {clean_line(box.name)}.{each.schema.name}",
                clean_line(each.schema.description),
            )
            for each in box.tools
            if (each.schema.name in box.off) == (switch == "on")
        ]
    return found


COMMANDS = (
    Command(
        "tools",
        "List the tools that a model may call, or switch them on and off.",
        tools,
        usage=USAGE,
        details=(
            "NAME is that of a tool box, or BOX.TOOL for one tool of it. It holds until the shell "
            "ends; [tools] on in the config file switches tools on from the start. Each call is "
            "shown and asks first, whatever is on.\n"
            "Example: /tools on mcp"
        ),
        complete=complete,
    ),
)
