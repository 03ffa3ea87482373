"""``/help``, made from the command records, so that it cannot be out of date."""

from __future__ import annotations

from agno_shell.builtin.commands import completions
from agno_shell.builtin.commands.arguments import nearest
from agno_shell.contracts import Command, CommandContext
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.text_table import pad, text_width


def help_(context: CommandContext, text: str) -> None:
    """List all commands, or explain one."""
    wanted = text.strip().removeprefix("/")
    if not wanted:
        _list_commands(context)
        return
    command = find_command(context, wanted)
    if command is None:
        names = nearest(wanted, _every_name(context))
        hint = " or ".join(f"/{name}" for name in names[:2])
        raise UsageError(
            f"There is no command /{clean_line(wanted)}.",
            hint=f"Did you mean {hint}?" if hint else "/help lists all commands.",
        )
    context.ui.print(usage_line(command), "bold")
    context.ui.print(clean_line(command.summary, 1000))
    if command.details:
        context.ui.print()
        context.ui.print(clean(command.details))
    if command.aliases:
        context.ui.print()
        context.ui.print(f"Also: {', '.join('/' + alias for alias in command.aliases)}")


def find_command(context: CommandContext, name: str) -> Command | None:
    """The command with this name or alias, whatever its case."""
    folded = name.casefold()
    for command in context.app.commands.values():
        if folded in (command.name.casefold(), *(alias.casefold() for alias in command.aliases)):
            return command
    return None


def usage_line(command: Command) -> str:
    """``/name ARGUMENTS``."""
    return f"/{command.name} {command.usage}".strip()


def _list_commands(context: CommandContext) -> None:
    commands = list({command.name: command for command in context.app.commands.values()}.values())
    for line in _wrapped([(usage_line(each), each.summary) for each in commands], context.ui.width):
        context.ui.print(line)
    context.ui.print()
    context.ui.print("/help NAME explains a command. What does not begin with / is a message.")
    context.ui.print("So is a path such as /etc/hosts, and any text with a blank in front.")


def _wrapped(rows: list[tuple[str, str]], width: int) -> list[str]:
    """Two columns; the second is wrapped, so that nothing of it is lost."""
    from textwrap import wrap

    first = max((text_width(usage) for usage, _ in rows), default=0)
    room = max(20, width - first - 2) if width else 10_000
    lines = []
    for usage, summary in rows:
        for at, part in enumerate(wrap(clean_line(summary, 1000), room) or [""]):
            lines.append(f"{pad('' if at else usage, first)}  {part}".rstrip())
    return lines


def _every_name(context: CommandContext) -> list[str]:
    return [
        name
        for command in context.app.commands.values()
        for name in (command.name, *command.aliases)
    ]


COMMANDS = (
    Command(
        "help",
        "List the commands, or explain one.",
        help_,
        usage="[NAME]",
        complete=completions.commands,
    ),
)
