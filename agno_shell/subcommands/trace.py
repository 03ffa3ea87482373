"""``agno-shell trace``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.argument_parser import (
    add_common_options,
    common_options,
    completes,
    configured,
    positive_number,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from agno_shell.argument_parser import Make

_EPILOG = """\
TURN is the id of a question, or the beginning of one, as --list shows it; without one it is the
last turn, and with --export all of them. What was stored is told: models, times, tokens, cost,
tools and how each reply ended. /trace in the shell, and chat --trace, also tell what was sent.

exit status: 0 done; 1 there is no such session; 2 wrong usage, or no such turn

examples:
  agno-shell trace
  agno-shell trace --list --session "Tax 2026" --limit 5
  agno-shell trace --show 3f2a
  agno-shell trace --export --output turns.json
  agno-shell trace --export 3f2a --format markdown
"""


def add(make: Make) -> ArgumentParser:
    """The options of the command."""
    parser = configured(
        make,
        description="Show what happened in the turns of a session, from what is stored.",
        epilog=_EPILOG,
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "-l", "--list", action="store_true", help="the last turns, the newest first (default)"
    )
    for option, text in (
        ("--show", "one turn as a tree: each step with its time"),
        ("--export", "one turn, or all of the session, as a document"),
    ):
        completes(
            actions.add_argument(option, nargs="?", const="", metavar="TURN", help=text), "turns"
        )
    completes(
        parser.add_argument("--session", metavar="REF", help="of this session, not the current"),
        "sessions",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="with --list: how many (default: 20)"
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("json", "markdown", "text"),
        help="with --export: what it is written as (default: json)",
    )
    completes(
        parser.add_argument(
            "-o", "--output", metavar="FILE", help="with --export: a new file to write it to"
        ),
        "files",
    )
    parser.add_argument("--json", action="store_true", help="with --list and --show: as JSON")
    add_common_options(parser)
    return parser


def run(parser: ArgumentParser, given: dict[str, Any]) -> int:
    """Do what was asked for; the exit status."""
    import sys
    from contextlib import closing

    from agno_shell import parts
    from agno_shell.oneshot import trace
    from agno_shell.options import TraceAction, TraceOptions

    actions: tuple[TraceAction, ...] = ("show", "export")
    action: TraceAction = next((each for each in actions if each in given), "list")
    for option, fitting in (
        ("limit", ("list",)),
        ("format", ("export",)),
        ("output", ("export",)),
        ("json", ("list", "show")),
    ):
        if option in given and action not in fitting:
            parser.error(f"--{option} goes with --{' or --'.join(fitting)}")
    options = TraceOptions(
        action,
        common_options(given),
        session=given.get("session"),
        turn=given.get(action, "") if action != "list" else "",
        limit=given.get("limit", 20),
        format=given.get("format", "json"),
        output=given.get("output"),
        json="json" in given,
    )
    paths, config = parts.configure(options.common)
    with closing(parts.open_storage(config, paths, options.common)) as storage:
        return trace.run(storage, options, sys.stdout)
