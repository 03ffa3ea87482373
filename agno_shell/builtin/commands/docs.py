"""Makes ``docs/commands.md`` out of the command records.

``python -m agno_shell.builtin.commands.docs`` writes the page; with ``--check`` it only
says, by exit code 1, that the page is not what the records would give.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from agno_shell.builtin.commands.help import usage_line
from agno_shell.builtin.commands.plugin import register_commands
from agno_shell.contracts import Command

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"

INTRODUCTION = """\
# Slash commands

A line that begins with `/` is a command. Everything else is a message to the model, and so is a
line whose first word has a second slash, such as a path, or that begins with a space
([the rule](terminal.md#messages-and-commands)). An unknown command is never sent; the error names
the nearest one. Tab completes the names of commands and their arguments: sessions, models, agents.

`REF` names a session: by its ID, by the beginning of its ID, or by its name. Arguments in square
brackets are optional.

`python -m agno_shell.builtin.commands.docs` makes this page from the command records; change the
records, not the page.
"""


def page(commands: Sequence[Command]) -> str:
    """The whole page as Markdown."""
    rows = [
        f"| [`{_cell(usage_line(each))}`](#{each.name}) | {_cell(each.summary)} |"
        for each in commands
    ]
    table = "\n".join(("| Command | What it does |", "|---|---|", *rows))
    return "\n".join((INTRODUCTION, table, "", *map(_section, commands)))


def _section(command: Command) -> str:
    parts = [f"## {command.name}", f"`{usage_line(command)}`", command.summary]
    parts += [_detail(line) for line in command.details.splitlines()]
    if command.aliases:
        parts.append("Also: " + ", ".join(f"`/{alias}`" for alias in command.aliases))
    return "\n\n".join(parts) + "\n"


def _detail(line: str) -> str:
    start, colon, example = line.partition("Example: ")
    return f"{start}{colon}`{example}`" if colon and not start else line


def _cell(text: str) -> str:
    """In a table a bar ends the cell, even within code."""
    return text.replace("|", r"\|")


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; 0 when it is up to date, 1 when not, 2 for a wrong call."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m agno_shell.builtin.commands.docs [--check]\n")
        return 2
    text = page(register_commands())
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(
        f"{PAGE} does not say what the commands say. "
        "Run: python -m agno_shell.builtin.commands.docs\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
