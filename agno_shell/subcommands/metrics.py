"""``agno-shell metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agno_shell.argument_parser import (
    add_common_options,
    common_options,
    completes,
    configured,
    date,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from agno_shell.argument_parser import Make

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


def add(make: Make) -> ArgumentParser:
    """The options of the command."""
    parser = configured(
        make,
        description="Show or export what replies used: tokens, times and cost.",
        epilog=_EPILOG,
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--summary", action="store_true", help="in all, by session and by model (default)"
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
            "-o", "--output", metavar="FILE", help="with --export: a new file to write it to"
        ),
        "files",
    )
    completes(
        parser.add_argument("--session", metavar="REF", help="of this session alone"), "sessions"
    )
    parser.add_argument(
        "--since",
        type=date,
        metavar="DATE",
        help="leave out replies made before: 2026-01-31, or 2026-01-31T12:00",
    )
    parser.add_argument("--json", action="store_true", help="with --summary: as JSON")
    add_common_options(parser)
    return parser


def run(parser: ArgumentParser, given: dict[str, Any]) -> int:
    """Do what was asked for; the exit status."""
    import sys
    from contextlib import closing

    from agno_shell import parts
    from agno_shell.oneshot import metrics
    from agno_shell.options import ExportFormat, MetricsOptions

    for option in ("format", "output"):
        if option in given and "export" not in given:
            parser.error(f"--{option} goes with --export")
    if "json" in given and "export" in given:
        parser.error("--json goes with --summary; --export json exports as JSON")
    export: ExportFormat = given.get("export") or given.get("format") or "json"
    if given.get("format", export) != export:
        parser.error(f"--export {export} and --format {given['format']} differ: give one")
    options = MetricsOptions(
        common_options(given),
        session=given.get("session"),
        since=given.get("since"),
        export=export if "export" in given else None,
        output=given.get("output"),
        json="json" in given,
    )
    paths, config = parts.configure(options.common)
    with closing(parts.open_storage(config, paths, options.common)) as storage:
        return metrics.run(storage, options, sys.stdout, sys.stderr)
