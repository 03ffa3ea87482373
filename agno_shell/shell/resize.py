"""A terminal that becomes narrower wraps what was drawn; then more has to be erased.

prompt_toolkit erases as many rows as it drew (its issues 1675 and 1933: the prompt is
doubled). Which terminals wrap drawn lines anew cannot be asked, so the few that do not
are known by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from prompt_toolkit.application import Application
from prompt_toolkit.layout.screen import Screen


def wraps_anew(environ: Mapping[str, str]) -> bool:
    """Whether this terminal wraps the lines on the screen when it becomes narrower.

    xterm, the Linux console and GNU screen cut them off instead.
    """
    term = environ.get("TERM", "")
    if "XTERM_VERSION" in environ or term == "linux":
        return False
    return not (term.startswith("screen") and "TMUX" not in environ)


def rows_gained(widths: Sequence[int], cursor_column: int, columns: int) -> int:
    """How many rows lie above the cursor that did not before ``columns`` became fewer.

    ``widths`` are the columns used by each row above the cursor's own.
    """
    above = sum((max(width, 1) - 1) // columns for width in widths)
    return above + cursor_column // columns


def used_widths(screen: Screen, rows: int) -> list[int]:
    """The columns used by each of the first ``rows`` rows."""
    return [
        max((x + 1 for x, cell in screen.data_buffer[y].items() if cell.char != " "), default=0)
        for y in range(rows)
    ]


class ResizableApplication(Application[None]):
    """An application that erases all of itself when its terminal becomes narrower."""

    def _on_resize(self) -> None:
        renderer = self.renderer
        drawn, before = renderer.last_rendered_screen, renderer._last_size
        columns = self.output.get_size().columns
        if drawn and before and 0 < columns < before.columns and wraps_anew(os.environ):
            cursor = renderer._cursor_pos
            gained = rows_gained(used_widths(drawn, cursor.y), cursor.x, columns)
            self.output.cursor_up(gained)
        super()._on_resize()
