"""What the shell needs of the place where a user sits: a terminal, a pipe, or a test."""

from __future__ import annotations

import asyncio
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from prompt_toolkit.completion import Completer

from agno_shell.contracts import Line
from agno_shell.shell.entered import Entry
from agno_shell.shell.message_queue import MessageQueue

LEAVING_SIGNALS = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


def take_signals(leave: Callable[[int], object]) -> None:
    """Let the signals that end a program call ``leave`` with their number, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in LEAVING_SIGNALS:
        # Not every loop takes signals; there they end the program as ever.
        with suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, leave, number)


class Option(NamedTuple):
    """One of the answers to a question."""

    letter: str
    """A small letter of its own."""
    label: str


class Frontend(ABC):
    """Takes what is typed and shows what is said."""

    echoes = False
    """Whether what is typed stands on the screen already when :meth:`read` returns it."""

    is_script = False
    """Whether a program types here, which reads standard error and the exit status."""

    has_refused = False
    """Whether something that was typed here could not be handed on."""

    busy = False
    """Whether something is in work that can be stopped; the shell sets it."""

    waiting: MessageQueue | None = None
    """What was entered and is not sent yet, where the front has a place for it."""

    @property
    @abstractmethod
    def has_user(self) -> bool:
        """Whether somebody sits here who can be asked."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Columns; 0 when lines are not to be wrapped."""

    async def show(self) -> None:
        """Let the user type, before anybody takes it; :meth:`start` does the same otherwise."""
        return

    @abstractmethod
    async def start(
        self,
        *,
        interrupted: Callable[[], None],
        queue_changed: Callable[[], None],
        completer: Completer,
    ) -> None:
        """Show the prompt.

        ``interrupted`` is called when the user wants what is in work to stop,
        ``queue_changed`` when something was typed that has to wait.
        """

    @abstractmethod
    async def read(self) -> str | None:
        """The next thing typed, whole; None when the user leaves."""

    async def typing(self) -> None:
        """Return once anything is typed, or at once where that cannot be seen."""
        return

    @abstractmethod
    def leave(self) -> None:
        """The user leaves, or has to: :meth:`read` returns None after what is in work."""

    @abstractmethod
    async def confirm(self, question: str) -> bool | None:
        """Ask; only ``y`` or ``yes`` is a yes. None where there is nobody to ask. Nothing
        answers that was typed before the question stood there."""

    @abstractmethod
    async def ask(self, question: str) -> str | None:
        """Ask for a line of text. None where there is nobody to ask. Nothing answers that was
        typed before the question stood there."""

    @abstractmethod
    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        """Let the user pick a line; the index of the one picked, None for none. On a
        screen ``default`` is marked first. Where there is no user nothing is shown."""

    @abstractmethod
    async def ask_choice(self, options: Sequence[Option], *, default: int) -> int | None:
        """Ask for one of a few answers, by letter, or with the arrow keys and Enter; the
        question itself is shown before. The answer's index; None when none was given, and
        where there is no user. Nothing answers that was typed before the question stood
        there, and what is being typed can be finished first. Ctrl-C stops what is in work."""

    @abstractmethod
    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        """Show finished lines; they may be shown up to ``after`` seconds late, where
        drawing would hold up something that matters more."""

    def print_error(self, lines: Iterable[Line]) -> None:
        """Show finished lines that say what went wrong."""
        self.print_lines(lines)

    @abstractmethod
    def print_gap(self) -> None:
        """Show an empty line, unless the last finished line is one."""

    @abstractmethod
    def set_live(self, source: Callable[[], list[Line]] | None) -> None:
        """Show the line in work; None: there is none."""

    @abstractmethod
    def touch(self) -> None:
        """What the live source returns has changed."""

    @abstractmethod
    def set_toolbar(self, line: Line) -> None:
        """Show the line under the input."""

    @abstractmethod
    def clear(self) -> None:
        """Empty the screen."""

    @abstractmethod
    def fill(self, text: str) -> None:
        """Put text into the input, behind what stands there."""

    @abstractmethod
    def restore(self, text: str) -> None:
        """Put a text that was typed, and not taken, back into the input, unless something
        else is being typed there: then it is one Up away."""

    @abstractmethod
    async def edit(self, text: str) -> str | None:
        """Let the user change a text in an editor; None when nothing was saved, and where
        there is no terminal. ``UsageError`` when there is no editor, or it failed."""

    @abstractmethod
    def copy(self, text: str) -> bool:
        """Hand text to the terminal for its clipboard; False where there is no terminal.
        ``UsageError`` when it is too much for one."""

    @property
    def keyboard(self) -> int | None:
        """The descriptor from which keys are read; None where no keys are."""
        return None

    @property
    def pasted(self) -> Sequence[str]:
        """Texts that the user did not type themselves but pasted, in this run."""
        return ()

    @abstractmethod
    def take_back(self) -> None:
        """Put what waits in the queue back into the input."""

    def put_back(self, entries: Sequence[Entry]) -> None:  # noqa: B027 - where nothing waits
        """Put what an earlier shell has not sent into the input, one after the other."""

    @property
    def queued(self) -> int:
        """How many typed messages wait."""
        return self.waiting.queued if self.waiting else 0

    @abstractmethod
    async def stop(self) -> None:
        """Leave the place as it was found; what is pending is shown first."""
