"""``agno-shell plugins``: what is known of every plugin."""

from __future__ import annotations

from agno_shell.cli.output import write_json, write_table
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column

TYPE_CHECKING = False  # as in ``typing``, without importing it for the help
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TextIO

    from agno_shell.cli.context import Context
    from agno_shell.cli.parser import Parser

SUMMARY = "list the plugins"

_EPILOG = """\
To switch a plugin off, name it in the configuration: [plugins] off = ["NAME"].

examples:
  agno-shell plugins
  agno-shell plugins --json
"""
_COLUMNS = (
    Column("Name", minimum=12),
    Column("Distribution", minimum=12),
    Column("Version"),
    Column("Load Time", right=True),
    Column("State"),
    Column("Provides", minimum=12),
)


def add(parser: Parser) -> None:
    """The options of the command."""
    parser.description = (
        "List every plugin: what it registers, how long it took to load, its state."
    )
    parser.epilog = _EPILOG
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(context: Context, given: Mapping[str, Any]) -> int:
    """What is installed and what became of it."""
    if not context.common.no_plugins:
        context.plugins.load_installed()
    list_plugins(context.plugins.rows(), context.out, as_json="json" in given)
    return 0


def list_plugins(rows: Sequence[Mapping[str, Any]], out: TextIO, *, as_json: bool = False) -> None:
    """Write a table or JSON of rows with the keys name, distribution, version, provides
    (a list of texts), load_seconds (None if it was not loaded), state and error."""
    if as_json:
        write_json([dict(row) for row in rows], out, default=str)
        return
    if not rows:
        out.write("No plugin is installed.\n")
        return
    write_table(_COLUMNS, [_cells(row) for row in rows], out)
    for row in rows:
        if row.get("error"):
            name = clean_line(str(row.get("name", "")))
            out.write(f"{name}: {clean_line(str(row['error']), 1000)}\n")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    seconds = row.get("load_seconds")
    return (
        clean_line(str(row.get("name") or "")),
        clean_line(str(row.get("distribution") or "")),
        clean_line(str(row.get("version") or "")),
        "" if seconds is None else f"{seconds * 1000:.1f} ms",
        clean_line(str(row.get("state") or "")),
        clean_line(", ".join(str(name) for name in row.get("provides") or ()), 2000),
    )
