"""Draw ``docs/session.svg``: a real session of agno-shell, as a terminal shows it.

    python docs/picture.py

The installed ``agno-shell`` runs in a pty and talks, through litellm, to the model server of
``agno_shell.testing``, which plays the reply below. The picture is what pyte, a terminal
emulator, holds at the end; only the session's random id is replaced, so that two runs draw
the same picture.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from agno_shell.testing.model_server import ModelServer
from agno_shell.testing.terminal import ENTER, Terminal

COLUMNS, ROWS = 92, 37
PORT = 1234
"""Where LM Studio listens; fixed, because the greeting names the address."""
TARGET = Path(__file__).with_name("session.svg")

QUESTION = "How do I keep a Python function from being called too often?"
REPLY = """\
### A token bucket

It allows *short bursts* and holds the **average rate**:

1. each call takes one token,
2. tokens come back at a steady `rate`, up to `size`.

```python
class Bucket:
    def __init__(self, rate: float, size: int) -> None:
        self.rate, self.size = rate, size
        self.tokens, self.then = float(size), monotonic()

    def take(self) -> bool:  # True: go ahead
        now = monotonic()
        self.tokens += (now - self.then) * self.rate
        self.then = now
        self.tokens = min(self.tokens, self.size) - 1
        return self.tokens >= 0
```
"""


# The session ------------------------------------------------------------------------------


def play(terminal: Terminal) -> None:
    """One question, one reply, and the menu of commands open."""
    with ModelServer(PORT) as server, tempfile.TemporaryDirectory() as folder:
        environ = {
            "AGNO_SHELL_HOME": folder,
            "PATH": os.defpath,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
        program = Path(sysconfig.get_path("scripts")) / "agno-shell"
        options = ["--model", "openai/qwen3", "--api-base", f"http://localhost:{server.port}/v1"]
        server.reply(
            re.findall(r"\S+\s*|\s+", REPLY),
            delay=0.01,
            usage={"prompt_tokens": 21, "completion_tokens": 203},
        )
        terminal.start([str(program), "--new", "Rate limiting", *options], environ)
        terminal.expect("lists the commands")
        terminal.type(QUESTION + ENTER)
        terminal.expect("self.tokens >= 0", 60)
        # The end of the reply leaves an empty line above the prompt.
        terminal.until(lambda: terminal.lines()[-3:-1] == ["", "›"])
        terminal.type("/s")
        terminal.expect_screen("/switch")
        # The whole frame is there when the toolbar is, and the cursor is back in the input.
        terminal.until(lambda: terminal.lines()[-1].startswith("Rate limiting"))
        terminal.until(lambda: terminal.screen()[terminal.buffer.cursor.y] == "› /s")


# The picture ------------------------------------------------------------------------------

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 8.4, 19, 14
MARGIN, BAR = 18, 38
BACKGROUND, FOREGROUND, FRAME = "#1b1f27", "#d5dae3", "#343b48"
FONTS = "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"

PALETTE = {
    "black": "#2b303b",
    "red": "#e06c75",
    "green": "#98c379",
    "brown": "#e5c07b",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#d5dae3",
    "brightblack": "#7f8898",
    "brightred": "#ff7b86",
    "brightgreen": "#b5e890",
    "brightbrown": "#ffd98f",
    "brightyellow": "#ffd98f",
    "brightblue": "#82c4ff",
    "brightmagenta": "#de8ff5",
    "brightcyan": "#6fd4e0",
    "brightwhite": "#ffffff",
}


class Style(NamedTuple):
    """How a run of cells looks."""

    colour: str
    background: str
    bold: bool
    italic: bool
    underlined: bool


def style_of(cell: Any) -> Style:
    """The style of one of pyte's cells."""
    colour = colour_of(cell.fg, FOREGROUND)
    background = colour_of(cell.bg, BACKGROUND)
    if cell.reverse:
        colour, background = background, colour
    return Style(colour, background, cell.bold, cell.italics, cell.underscore)


def colour_of(name: str, default: str) -> str:
    if name == "default":
        return default
    return PALETTE.get(name) or f"#{name}"


class Run(NamedTuple):
    """Neighbouring cells of one style."""

    column: int
    text: str
    style: Style


def runs(cells: list[Any]) -> Iterator[Run]:
    """The runs of one row, without blank ones on the plain background."""
    styled = [(column, cell.data, style_of(cell)) for column, cell in enumerate(cells)]
    for style, group in groupby(styled, key=lambda item: item[2]):
        members = list(group)
        text = "".join(data for _column, data, _style in members)
        if text.strip() or style.background != BACKGROUND:
            yield Run(members[0][0], text, style)


def svg(rows: list[list[Any]], title: str) -> str:
    """The picture of a window that shows ``rows``."""
    width = round(COLUMNS * CELL_WIDTH + 2 * MARGIN)
    height = len(rows) * CELL_HEIGHT + BAR + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">',
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10" '
        f'fill="{BACKGROUND}" stroke="{FRAME}"/>',
        *(
            f'<circle cx="{22 + 20 * number}" cy="{BAR / 2}" r="6" fill="{colour}"/>'
            for number, colour in enumerate(("#e06c75", "#e5c07b", "#98c379"))
        ),
        f'<text x="{width / 2}" y="{BAR / 2 + 5}" text-anchor="middle" fill="#7f8898" '
        f'font-family="system-ui, sans-serif" font-size="13">agno-shell</text>',
        f'<g font-family="{FONTS}" font-size="{FONT_SIZE}" xml:space="preserve">',
    ]
    for number, cells in enumerate(rows):
        top = BAR + number * CELL_HEIGHT
        found = list(runs(cells))
        parts += [_rectangle(run, top) for run in found if run.style.background != BACKGROUND]
        parts += [_text(run, top) for run in found if run.text.strip()]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _rectangle(run: Run, top: float) -> str:
    return (
        f'<rect x="{MARGIN + run.column * CELL_WIDTH:.1f}" y="{top}" '
        f'width="{len(run.text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}" '
        f'fill="{run.style.background}"/>'
    )


def _text(run: Run, top: float) -> str:
    """One ``<text>``; its width is given, so that every font keeps the columns."""
    text = run.text.rstrip()
    blanks = len(text) - len(text.lstrip())
    text = text.lstrip()
    look = [f'fill="{run.style.colour}"']
    if run.style.bold:
        look.append('font-weight="bold"')
    if run.style.italic:
        look.append('font-style="italic"')
    if run.style.underlined:
        look.append('text-decoration="underline"')
    return (
        f'<text x="{MARGIN + (run.column + blanks) * CELL_WIDTH:.1f}" y="{top + 14}" '
        f'textLength="{len(text) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs" '
        f"{' '.join(look)}>{escape(text, quote=False)}</text>"
    )


def cells_of(terminal: Terminal) -> list[list[Any]]:
    """The rows of the screen up to the last one that shows something."""
    screen = terminal.buffer
    rows = [[screen.buffer[y][x] for x in range(COLUMNS)] for y in range(ROWS)]
    while rows and not "".join(cell.data for cell in rows[-1]).strip():
        rows.pop()
    return _with_cursor(_without_id(rows), screen.cursor)


def _without_id(rows: list[list[Any]]) -> list[list[Any]]:
    """The session's id is random; the picture always shows the same one."""
    for row in rows:
        text = "".join(cell.data for cell in row)
        if found := re.search(r"\(([0-9a-f]{8})\)", text):
            for offset, letter in enumerate("3f2a9c1d"):
                row[found.start(1) + offset] = row[found.start(1) + offset]._replace(data=letter)
    return rows


def _with_cursor(rows: list[list[Any]], cursor: Any) -> list[list[Any]]:
    if cursor.y < len(rows):
        cell = rows[cursor.y][cursor.x]
        rows[cursor.y][cursor.x] = cell._replace(reverse=not cell.reverse)
    return rows


def main() -> None:
    with Terminal(COLUMNS, ROWS) as terminal:
        play(terminal)
        picture = svg(cells_of(terminal), "A session of agno-shell")
    TARGET.write_text(picture, encoding="utf-8")
    sys.stdout.write(f"{TARGET} is drawn.\n")


if __name__ == "__main__":
    main()
