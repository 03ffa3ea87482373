"""``agno-shell metrics``: what the stored replies have used, in all and by session and model."""

from __future__ import annotations

from contextlib import closing

from agno_shell.cli.parser import completes, date

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser

SUMMARY = "show what replies used, in all sessions"

_EPILOG = """\
Every branch of every session counts; what a provider did not report is left out. First Token is
the average time until a reply began. An export has a row for each reply.

exit status: 0 done; 1 there is no such session, or one could not be read; 2 wrong usage

examples:
  agno-shell metrics
  agno-shell metrics --summary --since 2026-11-01
  agno-shell metrics --session "Tax 2026" --json
  agno-shell metrics --export csv --output replies.csv
  agno-shell metrics --export json | jq 'map(.cost) | add'
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = "Show or export what replies used: tokens, times and cost."
    parser.epilog = _EPILOG
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--summary", action="store_true", help="totals, by session and by model (default)"
    )
    actions.add_argument(
        "--export",
        nargs="?",
        choices=("json", "csv"),
        metavar="FORMAT",
        help="each reply: as json (default) or csv",
    )
    parser.add_argument(
        "-f", "--format", choices=("json", "csv"), help="with --export: the same, as an option"
    )
    completes(
        parser.add_argument(
            "-o", "--output", metavar="FILE", help="with --export: the new file to write"
        ),
        "files",
    )
    completes(
        parser.add_argument("--session", metavar="REF", help="of this session only"), "sessions"
    )
    parser.add_argument(
        "--since",
        type=date,
        metavar="DATE",
        help="leave out replies made before: 2026-01-31, or 2026-01-31T12:00",
    )
    parser.add_argument("--json", action="store_true", help="with --summary: as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """A summary, or an export; 1 where the messages of a session could not be read, which is
    reported beside it.

    Raises ``SessionNotFoundError`` for a reference that means no session or several, and
    what the storage raises when it cannot even list them.
    """
    for option in ("format", "output"):
        if option in given and "export" not in given:
            context.wrong_usage(f"--{option} goes with --export")
    if "json" in given and "export" in given:
        context.wrong_usage("--json goes with --summary; --export json exports as JSON")
    form = given.get("export") or given.get("format") or "json"
    if given.get("format", form) != form:
        context.wrong_usage(f"--export {form} and --format {given['format']} differ: give one")
    with closing(context.open_storage()) as storage:
        # Here, because the help alone does not need it.
        from agno_shell.cli.commands.metrics import report

        replies = report.Replies(storage, given.get("session"), given.get("since"), context.err)
        if "export" in given:
            report.export(replies, form, given.get("output"), context.out)
        else:
            report.summarise(replies, context.out, as_json="json" in given)
    return 1 if replies.unreadable else 0
