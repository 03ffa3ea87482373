from __future__ import annotations

from typing import Any

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.layout.screen import Char, Screen

from agno_shell.shell.resize import rows_gained, used_widths, wraps_anew


@pytest.mark.parametrize(
    ("widths", "cursor_column", "columns", "gained"),
    [
        ([], 10, 60, 0),
        ([], 60, 60, 1),
        ([80, 60, 0], 5, 60, 1),
        ([80, 80], 70, 30, 6),
    ],
)
def test_rows_above_the_cursor(
    widths: list[int], cursor_column: int, columns: int, gained: int
) -> None:
    assert rows_gained(widths, cursor_column, columns) == gained


def test_the_width_of_a_row_ends_with_its_last_sign() -> None:
    screen = Screen()
    for x, sign in enumerate("ab c  "):
        screen.data_buffer[1][x] = Char(sign)
    assert used_widths(screen, 2) == [0, 4]


@pytest.mark.parametrize(
    ("environ", "wraps"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm", "XTERM_VERSION": "XTerm(390)"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "screen"}, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux"}, True),
    ],
)
def test_terminals_that_cut_off_are_known(environ: dict[str, str], wraps: bool) -> None:
    assert wraps_anew(environ) is wraps


async def test_a_narrower_terminal_erases_the_rows_that_were_wrapped(
    sit_down: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = await sit_down()
    seat.type("x" * 70)
    await seat.sees("x" * 70)
    application = seat.shell.frontend._application
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(application.output, "_get_size", lambda: Size(24, 30))
    written = len(seat.terminal.getvalue())
    application._on_resize()
    # 72 columns with the prompt are three rows of 30: the cursor goes up two.
    assert "\x1b[2A" in seat.terminal.getvalue()[written:]
