from __future__ import annotations

import io

from agno_shell.cli.output import terminal_width


def test_what_is_no_terminal_has_no_width() -> None:
    assert terminal_width(io.StringIO()) == 0
    closed = io.StringIO()
    closed.close()
    assert terminal_width(closed) == 0
