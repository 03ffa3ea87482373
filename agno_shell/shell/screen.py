"""Finished lines to the scrollback, the line in work live above the input.

Finished lines are written once: erase the live part, write, draw the live part
again, in one flush. Nothing that is finished is ever drawn a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.renderer import print_formatted_text

from agno_shell.contracts import Line
from agno_shell.shell.lines import flat, last_rows, safe
from agno_shell.shell.terminal import FrameOutput

FRAME_SECONDS = 1 / 30

BURST_FRAMES = 2
"""Frames that may come early after a rest: the question, the wait and the first word of a
quick answer are each shown at once; what streams on comes in its steady rhythm."""

LiveSource = Callable[[], list[Line]]


class Screen:
    """What is shown of an application, apart from what its layout does by itself."""

    def __init__(self, application: Application[None]) -> None:
        self._application = application
        self._output = application.output
        self._pending: list[Line] = []
        self._live: LiveSource | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._next_frame = 0.0
        """When the next frame is due in the rhythm, in the loop's time."""
        self.ends_empty = False
        """Whether the last finished line is empty."""
        self.live_rows: list[Line] = []
        """What the live window shows now."""

    @property
    def width(self) -> int:
        return self._output.get_size().columns

    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        """Put finished lines into the scrollback with the next frame, which is drawn
        ``after`` so many seconds at the earliest."""
        finished = [safe(line) for line in lines]
        if finished:
            self.ends_empty = not any(text for _style, text in finished[-1])
        self._pending.extend(finished)
        self.touch(after)

    def set_live(self, source: LiveSource | None) -> None:
        """Show what ``source`` returns, asked once a frame, in the live window."""
        self._live = source
        self.touch()

    def touch(self, after: float = 0.0) -> None:
        """Something changed: draw a frame, at once after a rest, else in the rhythm."""
        if self._handle is not None:
            return
        loop = asyncio.get_running_loop()
        early = BURST_FRAMES * FRAME_SECONDS
        wait = max(after, self._next_frame - early - loop.time())
        self._handle = loop.call_later(wait, self.draw)

    def draw(self) -> None:
        """Draw a frame now."""
        if self._handle:
            self._handle.cancel()
            self._handle = None
        if not self._application.is_running:
            return
        if self._application._running_in_terminal:
            # An editor has the screen; what is pending is drawn when it gives it back.
            self._handle = asyncio.get_running_loop().call_later(FRAME_SECONDS, self.draw)
            return
        now = asyncio.get_running_loop().time()
        self._next_frame = max(self._next_frame, now) + FRAME_SECONDS
        self._update_live()
        if not self._pending:
            self._application.invalidate()
            return
        lines, self._pending = self._pending, []
        with self._frame():
            self._application.renderer.erase(leave_alternate_screen=False)
            self._write(lines)
            # The public invalidate() would draw in a later turn of the loop, and the
            # prompt would be gone until then.
            self._application._redraw()

    def finish(self) -> None:
        """Write what is pending below the finished application."""
        lines, self._pending = self._pending, []
        if lines:
            self._write(lines)

    def clear(self) -> None:
        """Empty the terminal; what is pending goes to the scrollback first."""
        self.draw()
        self._application.renderer.clear()
        self.touch()

    def shrink(self) -> None:
        """Give back rows that the layout no longer needs."""
        with self._frame():
            self._application.renderer.erase(leave_alternate_screen=False)
            self._application._redraw()

    def _update_live(self) -> None:
        size = self._output.get_size()
        lines = self._live() if self._live else []
        # Half of the screen is enough for a line in work; the input has the rest.
        height = max(1, size.rows // 2)
        self.live_rows = last_rows((flat(safe(line)) for line in lines), size.columns, height)

    def _frame(self) -> AbstractContextManager[None]:
        output = self._output
        return output.frame() if isinstance(output, FrameOutput) else nullcontext()

    def _write(self, lines: Iterable[Line]) -> None:
        fragments: StyleAndTextTuples = [
            fragment for line in lines for fragment in (*line, ("", "\n"))
        ]
        print_formatted_text(
            self._output,
            fragments,
            self._application.renderer.style,
            color_depth=self._application.color_depth,
        )
