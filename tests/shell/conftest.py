"""A shell on a pipe for a keyboard and an emulated screen."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pyte
import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input

from agno_shell.config import Config
from agno_shell.contracts import Storage
from agno_shell.conversation.engine import Engine
from agno_shell.shell.first_session import FirstSession
from agno_shell.shell.history import InputHistory
from agno_shell.shell.loop import Shell
from agno_shell.shell.terminal import FrameOutput, patch_parser
from agno_shell.shell.terminal_frontend import TerminalFrontend

COLUMNS, ROWS = 80, 24

PATIENCE = 20.0
"""Seconds; how long the slowest machine may take for one step."""

OF_CONVERSATION = ("agents", "default", "values", "boxes")
"""Options that make the conversation; the others are those of :meth:`Shell.run`."""


class EmulatedTerminal(io.StringIO):
    """What is written goes to a pyte screen with its scrollback."""

    def __init__(self) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self._stream = pyte.Stream(self.screen)
        self._lines: list[str] | None = None

    def write(self, text: str) -> int:
        self._lines = None
        self._stream.feed(text)
        return super().write(text)

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """The scrollback and the screen, without empty ends. Put together once for all who
        ask until more is written: who waits asks 500 times a second."""
        if self._lines is None:
            top = [
                "".join(line[column].data for column in range(COLUMNS)).rstrip()
                for line in self.screen.history.top
            ]
            self._lines = [*top, *(line.rstrip() for line in self.screen.display)]
        return self._lines

    def text(self) -> str:
        return "\n".join(self.lines()).strip()


class Seat:
    """A person at a running shell."""

    def __init__(self, shell: Shell, keyboard: PipeInput, terminal: EmulatedTerminal) -> None:
        self.shell = shell
        self.keyboard = keyboard
        self.terminal = terminal
        self.task: asyncio.Task[int] | None = None

    def type(self, text: str) -> None:
        self.keyboard.send_text(text)

    async def sees(self, text: str, *, seconds: float = PATIENCE) -> None:
        """Wait until ``text`` is on the screen or in the scrollback."""
        await self.until(lambda: text in self.terminal.text(), text, seconds)

    async def reads(self, text: str) -> None:
        """Like :meth:`sees`, wherever the lines are broken: for what is behind a path, which
        is as long as the folder of the tests is deep."""
        await self.until(lambda: text in " ".join(self.terminal.text().split()), text)

    async def sees_not(self, text: str) -> None:
        await self.until(lambda: text not in self.terminal.text(), f"no {text!r}")

    async def until(
        self, true: Callable[[], bool], what: str = "", seconds: float = PATIENCE
    ) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not true():
            if self.task and self.task.done():
                self.task.result()
            if loop.time() > end:
                raise AssertionError(f"never saw {what!r} in:\n{self.terminal.text()}")
            await asyncio.sleep(0.002)

    async def leaves(self) -> None:
        """Ctrl-D, and the shell ends."""
        self.type("\x04")
        assert self.task
        await asyncio.wait_for(self.task, PATIENCE)


@pytest.fixture
async def sit_down(
    make_engine: Callable[..., Engine],
) -> AsyncIterator[Callable[..., Any]]:
    """Starts a shell: ``seat = await sit_down()``."""
    seats: list[Seat] = []
    stack: list[Any] = []

    async def start(
        storage: Storage | None = None,
        *,
        remember: Callable[[Any], None] = lambda _values: None,
        history: Any = None,
        renderer: Any = None,
        vi: bool = False,
        entered_dir: str = "",
        **options: Any,
    ) -> Seat:
        context = create_pipe_input()
        keyboard = context.__enter__()
        stack.append(context)
        patch_parser(keyboard)
        terminal = EmulatedTerminal()
        output = FrameOutput(terminal, lambda: Size(ROWS, COLUMNS), term="xterm", enable_cpr=False)
        engine = make_engine(
            storage, **{key: options.pop(key) for key in OF_CONVERSATION if key in options}
        )
        plain = engine.plugins.renderers.get("plain").open(None)  # type: ignore[arg-type]
        frontend = TerminalFrontend(
            keyboard,
            output,
            history=history or InputHistory(None),
            vi=vi,
        )
        shell = Shell(
            engine,
            frontend,
            renderer or plain,
            Config(),
            remember=remember,
            greeting="Welcome.",
            entered_dir=entered_dir,
        )
        seat = Seat(shell, keyboard, terminal)
        seats.append(seat)
        seat.task = asyncio.create_task(shell.run(FirstSession(**options)))
        await seat.sees("›")
        await seat.sees("Welcome.")
        return seat

    yield start
    for seat in seats:
        if seat.task and not seat.task.done():
            seat.task.cancel()
            await asyncio.gather(seat.task, return_exceptions=True)
    for context in stack:
        context.__exit__(None, None, None)
