"""``agno-shell plugins``: what is known of every plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from agno_shell.oneshot.output import terminal_width
from agno_shell.terminal_text import clean_line
from agno_shell.text_table import Column, table_lines

_COLUMNS = (
    Column("Name", minimum=12),
    Column("Distribution", minimum=12),
    Column("Version"),
    Column("Load Time", right=True),
    Column("State"),
    Column("Provides", minimum=12),
)


def list_plugins(rows: Sequence[Mapping[str, Any]], out: TextIO, *, json: bool = False) -> None:
    """Write a table or JSON of rows with the keys name, distribution, version, provides
    (a list of texts), load_seconds (None if it was not loaded), state and error."""
    if json:
        from json import dumps

        out.write(dumps([dict(row) for row in rows], indent=2, default=str) + "\n")
        return
    if not rows:
        out.write("No plugin is installed.\n")
        return
    cells = [_cells(row) for row in rows]
    out.write("\n".join([*table_lines(_COLUMNS, cells, terminal_width(out)), ""]))
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
