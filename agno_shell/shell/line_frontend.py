"""Without a capable terminal: lines come from standard input, text goes to standard output."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import BinaryIO, NamedTuple, TextIO

from prompt_toolkit.completion import Completer

from agno_shell.contracts import Line
from agno_shell.errors import UsageError
from agno_shell.shell.frontend import Frontend, Option
from agno_shell.shell.lines import safe, text_lines
from agno_shell.toolkit.terminal_text import clean_line

PROMPT = "> "

ANSWERS = {b"y": True, b"yes": True, b"n": False, b"no": False, b"": False}

READ_AHEAD = 64
"""Lines that may wait; an endless input must not fill the memory."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a longer line is no message."""


class InputLine(NamedTuple):
    """A line of standard input."""

    number: int
    """Counted from 1."""
    data: bytes


class LineFrontend(Frontend):
    """Reads one message a line. ``ask`` says whether a user sits there who wants a prompt."""

    def __init__(self, source: BinaryIO, sink: TextIO, *, ask: bool) -> None:
        self._source = source
        self._sink = sink
        self._ask = self.echoes = ask
        self.is_script = not ask
        self._empty = 0
        self._left = self._ended = False
        self._waiting = False
        """Whether the prompt stands there and nothing was typed yet."""
        self._again: deque[InputLine | None] = deque()
        self._lines: asyncio.Queue[InputLine | None] = asyncio.Queue()
        self._read = 0
        """Lines that were read so far."""
        self._at = 0
        """The line that is in work, or the last one."""
        self._room = threading.Semaphore(READ_AHEAD)
        self._interrupted: Callable[[], None] = lambda: None

    @property
    def has_user(self) -> bool:
        return self._ask and not self._left and not self._ended

    @property
    def width(self) -> int:
        return 0

    async def start(
        self,
        *,
        interrupted: Callable[[], None],
        queue_changed: Callable[[], None],
        completer: Completer,
    ) -> None:
        self._interrupted = interrupted
        loop = asyncio.get_running_loop()
        # Not everywhere can a loop take signals; there Ctrl-C keeps its usual meaning.
        with suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, self._interrupt)
        # A daemon, because a blocking read of a terminal cannot be cancelled.
        threading.Thread(target=self._pump, args=(loop,), daemon=True).start()

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read lines, a few ahead, until the input ends or cannot be read."""
        # The loop is closed when the shell ends before its input does.
        with suppress(RuntimeError):
            try:
                while (line := self._read_line()).data:
                    self._room.acquire()
                    loop.call_soon_threadsafe(self._lines.put_nowait, line)
            except OSError as error:
                self.has_refused = True
                self._say(f"Standard input cannot be read: {error.strerror}.")
            loop.call_soon_threadsafe(self._lines.put_nowait, None)

    def _read_line(self) -> InputLine:
        """The next line; one that is too long is passed over, and that is said."""
        self._read += 1
        while len(line := self._source.readline(LONGEST_LINE)) == LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = self._source.readline(LONGEST_LINE)
            size = f"{LONGEST_LINE // 1024**2} MiB"
            self._refuse(f"Line {self._read:,} of the input is longer than {size}")
            self._read += 1
        return InputLine(self._read, line)

    async def read(self) -> str | None:
        while True:
            self._prompt(PROMPT)
            self._waiting = self._ask
            line = await self._next()
            self._waiting = False
            self._at = line.number if line else 0
            if line is None:
                return None
            text = self._decode(line)
            if text is not None:
                return text

    async def _next(self) -> InputLine | None:
        if self._left or self._ended:
            return None
        line = self._again.popleft() if self._again else await self._take()
        self._ended = line is None
        return None if self._left else line

    async def _take(self) -> InputLine | None:
        line = await self._lines.get()
        self._room.release()
        return line

    def _decode(self, line: InputLine) -> str | None:
        """The line as text; None, and a sentence, when it is none."""
        if b"\0" in line.data:
            self._refuse(f"Line {line.number:,} of the input is binary, not text,")
            return None
        try:
            return line.data.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            at = f"byte {error.start + 1:,} of it, 0x{line.data[error.start]:02x}"
            self._refuse(f"Line {line.number:,} of the input is not UTF-8 ({at})")
            return None

    def leave(self) -> None:
        self._left = True
        self._lines.put_nowait(None)
        self._interrupted()

    async def confirm(self, question: str) -> bool | None:
        line = await self._answer(f"{clean_line(question, 1000)} [y/N] ")
        if line is None:
            return None
        answer = line.data.strip().lower()
        if answer not in ANSWERS:
            self._again.append(line)
        return ANSWERS.get(answer, False)

    async def ask(self, question: str) -> str | None:
        line = await self._answer(f"{clean_line(question, 1000)} ")
        return None if line is None else (self._decode(line) or "").strip()

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        width = len(str(len(options)))
        lines = [(("", f"{number:>{width}}  "), *each) for number, each in enumerate(options, 1)]
        line = await self._answer("Number, or Enter for none: ", lines) if options else None
        if line is None:
            return None
        answer = line.data.strip()
        if answer.isdigit() and len(answer) <= width and 0 < int(answer) <= len(options):
            return int(answer) - 1
        if answer:
            self._again.append(line)
        return None

    async def ask_choice(self, options: Sequence[Option], *, default: int) -> int | None:
        if not options:
            return None
        lines: list[Line] = [(("", f"{option.letter}  {option.label}"),) for option in options]
        line = await self._answer(f"A letter, or Enter for {options[default].letter}: ", lines)
        if line is None:
            return None
        answer = line.data.strip().lower().decode("utf-8", "replace")
        if not answer:
            return default
        letters = [option.letter for option in options]
        if answer in letters:
            return letters.index(answer)
        self._again.append(line)
        return None

    async def _answer(self, prompt: str, lines: Iterable[Line] = ()) -> InputLine | None:
        """The line that answers a question, which ``lines`` and ``prompt`` put; None where
        there is no user. What is no answer is to be read again."""
        if not self.has_user:
            return None
        # What was typed before the question stands there is no answer to it.
        await asyncio.sleep(0)
        while not self._lines.empty():
            self._again.append(await self._take())
        if None in self._again:
            return None
        self.print_lines(lines)
        self._prompt(prompt)
        line = await self._take()
        if line is None:
            self._again.append(None)
        return None if self._left else line

    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        # What is printed while the prompt waits leaves its line, and another one follows.
        leave_prompt = self._waiting
        for line in lines:
            text = "".join(part for _style, part in safe(line)).rstrip()
            # Empty lines are written with the text that follows them, if any does.
            if text:
                self._write("\n" * (self._empty + leave_prompt) + f"{text}\n")
                self._empty, leave_prompt = 0, False
            else:
                self._empty += 1
        if self._waiting and not leave_prompt:
            self._prompt(PROMPT)

    def print_error(self, lines: Iterable[Line]) -> None:
        if not self.is_script:
            self.print_lines(lines)
            return
        where = f"line {self._at:,}: " if self._at else ""
        for line in lines:
            if text := "".join(part for _style, part in safe(line)).rstrip():
                self._say(f"{where}{text}")

    def print_gap(self) -> None:
        self._empty = max(1, self._empty)

    def set_live(self, source: Callable[[], list[Line]] | None) -> None:
        """Only finished lines are shown."""

    def touch(self) -> None:
        """Only finished lines are shown."""

    def set_toolbar(self, line: Line) -> None:
        """There is no place for it."""

    def fill(self, text: str) -> None:
        """Shown, to be copied: no program can begin the line that a user types here."""
        if self.has_user:
            self.print_lines(text_lines(text))

    def restore(self, text: str) -> None:
        """It stands on the screen, or in the script, already."""

    async def edit(self, text: str) -> str | None:
        raise UsageError(
            "An editor cannot be shown here.", hint="The text may stand behind the command."
        )

    def copy(self, text: str) -> bool:
        return False

    def clear(self) -> None:
        """Nothing can be cleared."""

    def take_back(self) -> None:
        """What was typed ahead is on the screen of the user's terminal already."""

    async def stop(self) -> None:
        with suppress(NotImplementedError, RuntimeError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        if self._ask:
            self._write("\n")

    def _interrupt(self) -> None:
        self._write("\n")
        self._interrupted()
        if not self.busy:
            self._prompt(PROMPT)

    def _prompt(self, text: str) -> None:
        if self._ask:
            self._write(text)

    def _refuse(self, what: str) -> None:
        self.has_refused = True
        self._say(f"{what} and was not sent.")

    def _say(self, sentence: str) -> None:
        if sys.stderr:
            print(f"agno-shell: {sentence}", file=sys.stderr, flush=True)  # noqa: T201

    def _write(self, text: str) -> None:
        encoding = self._sink.encoding or "utf-8"
        self._sink.write(text.encode(encoding, "replace").decode(encoding))
        self._sink.flush()
