"""Makes ``docs/command-line.md`` out of the parser.

``python -m agno_shell.cli.docs`` writes the page; with ``--check`` it only says, by
exit code 1, that the page is not what the parser would give.
"""

from __future__ import annotations

import sys
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agno_shell.cli.arguments import build_parser
from agno_shell.cli.completion_scripts import INSTALL
from agno_shell.cli.parser import COMMAND

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"

INTRODUCTION = """\
# The command line

Every command and option, as `agno-shell COMMAND --help` shows them. Plugins can add commands,
which `agno-shell --help` lists: see [register_subcommands](plugins.md#register_subcommands).

Foreign text in an output, such as the names of sessions, is made visible and never acts on
[the terminal](terminal.md#what-is-made-visible-and-why). With `--json` the output is JSON in ASCII.
If the output cannot be written, as on a full disk, the exit status is 1, with one line on standard
error.

`python -m agno_shell.cli.docs` makes this page from the parser; change the parser, not the page.
"""

COMPLETION = """\
## Completion by Tab

`agno-shell --print-completion SHELL` prints a script for bash, zsh, fish or tcsh. To install it:

| Shell | Line |
|---|---|
{rows}

Tab completes commands and options, sessions and deleted sessions, turns, agents, models that are
configured or were used, settings and their values, storages, and files. It offers a session by its
name, or by its id if two have one name or the name cannot be typed. Each Tab runs the program,
which takes about as long as `agno-shell session --list`. tcsh splits words at spaces, so it gets
the id of a session whose name contains one.
"""

COMMON = ("config", "no_plugins", "log", "help")
"""Options of every command, explained once."""


def page() -> str:
    """The whole page as Markdown."""
    parser = build_parser()
    sections = [INTRODUCTION, *_section("agno-shell", parser, all_options=True)]
    for command, below in _commands(parser).items():
        sections += _section(f"agno-shell {command}", below, all_options=False)
    rows = "\n".join(f"| {shell} | `{_cell(line)}` |" for shell, line in INSTALL.items())
    sections.append(COMPLETION.format(rows=rows))
    return "\n".join(sections).rstrip() + "\n"


def _commands(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The commands by name, in their order; argparse keeps them in one of its actions."""
    (commands,) = (each for each in parser._actions if each.dest == COMMAND)
    choices: Any = commands.choices
    return {name: choices[name] for name in choices}


def _section(title: str, parser: ArgumentParser, *, all_options: bool) -> Iterator[str]:
    """A heading, what the command is for, its options, and what stands below them."""
    yield f"## {title}\n"
    yield f"{' '.join((parser.description or '').split())}\n"
    yield "| Option | What it does |"
    yield "|---|---|"
    for action in parser._actions:
        if action.dest == COMMAND or action.help == SUPPRESS:
            continue
        if all_options or action.dest not in COMMON:
            yield f"| {_cell(_option(action))} | {_cell(_help(action))} |"
    if not all_options:
        yield "\n`--config`, `--no-plugins` and `--help` as above."
    if parser.epilog:
        yield f"\n```text\n{parser.epilog.rstrip()}\n```"
    yield ""


def _option(action: Action) -> str:
    """``-q, --quick [TEXT]`` in code."""
    if action.metavar:
        value = str(action.metavar)
    elif action.choices and action.nargs != 0:
        value = "|".join(map(str, action.choices))
    else:
        value = ""
    if not action.option_strings:
        return f"`{value}`"
    shown = f"[{value}]" if action.nargs == "?" else value
    return f"`{', '.join(action.option_strings)} {shown}".rstrip() + "`"


def _help(action: Action) -> str:
    return (action.help or "").replace("%%", "%")


def _cell(text: str) -> str:
    """In a table a bar ends the cell, even within code."""
    return text.replace("|", r"\|")


def main(arguments: Sequence[str]) -> int:
    """Write or check the page; 0 when it is up to date, 1 when not, 2 for a wrong call."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m agno_shell.cli.docs [--check]\n")
        return 2
    text = page()
    if not arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(
        f"{PAGE} does not say what the parser says. Run: python -m agno_shell.cli.docs\n"
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
