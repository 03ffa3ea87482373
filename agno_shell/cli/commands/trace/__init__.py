"""``agno-shell trace``: what happened in the stored turns of a session, and when."""

from __future__ import annotations

from contextlib import closing

from agno_shell.cli.parser import completes, positive_number

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser

SUMMARY = "show what happened in the turns of a session"

_EPILOG = """\
TURN is the id of a question, or the beginning of one, as --list shows it; without one it is the
last turn, and with --export all of them. It shows what is stored: models, times, tokens, cost,
tools and how each reply ended. /trace in the shell, and chat --trace, also show what was sent.

exit status: 0 done; 1 there is no such session; 2 wrong usage, or no such turn

examples:
  agno-shell trace
  agno-shell trace --list --session "Tax 2026" --limit 5
  agno-shell trace --show 3f2a
  agno-shell trace --export --output turns.json
  agno-shell trace --export 3f2a --format markdown
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "Show show what happened in the turns of a session, from what is stored."
    parser.epilog = _EPILOG
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
        parser.add_argument(
            "--session", metavar="REF", help="of this session instead of the current one"
        ),
        "sessions",
    )
    parser.add_argument(
        "--limit", type=positive_number, metavar="N", help="with --list: how many (default: 20)"
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("json", "markdown", "text"),
        help="with --export: the format (default: json)",
    )
    completes(
        parser.add_argument(
            "-o", "--output", metavar="FILE", help="with --export: the new file to write"
        ),
        "files",
    )
    parser.add_argument("--json", action="store_true", help="with --list and --show: as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """List turns, show one or export some; the exit status.

    Raises ``SessionNotFoundError`` for a reference that means no session or several,
    ``UsageError`` for a turn that is not there, and what the storage raises.
    """
    action = next((each for each in ("show", "export") if each in given), "list")
    for option, fitting in (
        ("limit", ("list",)),
        ("format", ("export",)),
        ("output", ("export",)),
        ("json", ("list", "show")),
    ):
        if option in given and action not in fitting:
            context.wrong_usage(f"--{option} goes with --{' or --'.join(fitting)}")
    with closing(context.open_storage()) as storage:
        # Here, because the help alone does not need it.
        from agno_shell.cli.commands.trace import turns

        session = turns.meant(storage, given.get("session"))
        if action == "list":
            found = turns.last_turns(storage, session.session_id, given.get("limit", 20))
            turns.show_list(session, found, context.out, as_json="json" in given)
        elif action == "show":
            turn = turns.chosen(storage, session, given["show"])
            turns.show(session, turn, context.out, as_json="json" in given)
        else:
            turns.export(
                storage,
                session,
                given["export"],
                context.out,
                form=given.get("format", "json"),
                path=given.get("output"),
            )
    return 0
