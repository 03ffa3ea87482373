"""``agno-shell migrate``: every session from one storage to another, compared afterwards."""

from __future__ import annotations

import os
from contextlib import closing

from agno_shell.cli.parser import completes

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser

SUMMARY = "copy all sessions from one storage to another"

_EPILOG = """\
The storage that is read is never changed. What was copied before, and is still the same, is
not copied again, so an interrupted copy continues where it stopped.

exit status: 0 all is copied and compared; 1 something is not; 2 wrong usage

examples:
  agno-shell migrate --from json --to sqlite --dry-run
  agno-shell migrate --from json --to sqlite
  agno-shell migrate --from json --to json --to-path ~/backup/sessions
"""


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = (
        "Copy every session, with its branches, and the trash from one storage to\n"
        "another, and compare the two afterwards."
    )
    parser.epilog = _EPILOG
    for option, dest, text in (
        ("--from", "source", "the storage to read: json"),
        ("--to", "target", "the storage to write: sqlite"),
    ):
        completes(
            parser.add_argument(option, dest=dest, required=True, metavar="NAME", help=text),
            "storages",
        )
    for option, dest, text in (
        ("--from-path", "source_path", "its place, if not the configured one"),
        ("--to-path", "target_path", "its place, if not the configured one"),
    ):
        completes(parser.add_argument(option, dest=dest, metavar="PATH", help=text), "files")
    parser.add_argument("--dry-run", action="store_true", help="only report what would be copied")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """Copy all sessions from one storage to another; 1 when not all is copied and the same."""
    # Here, because the help alone does not need it.
    from agno_shell.cli.commands.migrate.migration import check, migrate
    from agno_shell.cli.commands.migrate.order import MigrationOptions

    order = MigrationOptions(
        given["source"],
        given["target"],
        source_path=_absolute(given.get("source_path")),
        target_path=_absolute(given.get("target_path")),
        dry_run="dry_run" in given,
    )
    check(order, context.config.storage_path)
    plugins = context.plugins  # of both, so that they are found once
    with (
        closing(context.open_storage(order.source, order.source_path)) as source,
        closing(context.open_storage(order.target, order.target_path)) as target,
    ):
        notices: list[str] = []  # a storage's notices belong to the session that is being copied
        plugins.report = notices.append
        return migrate(source, target, order, context.out, context.err, notices)


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(os.path.expanduser(path))
