"""One long-lived prompt_toolkit application: the live window, the input, the toolbar."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer, DummyCompleter, DynamicCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.utils import get_cwidth

from agno_shell.contracts import Line
from agno_shell.errors import UsageError
from agno_shell.shell.chooser import Chooser
from agno_shell.shell.completion import completes
from agno_shell.shell.entered import Entry
from agno_shell.shell.frontend import Frontend, Option
from agno_shell.shell.history import InputHistory
from agno_shell.shell.keys import key_bindings
from agno_shell.shell.layout import build_layout
from agno_shell.shell.lines import safe, text_lines, wrapped
from agno_shell.shell.message_queue import MessageQueue
from agno_shell.shell.paste import Pastes
from agno_shell.shell.question import Question
from agno_shell.shell.resize import ResizableApplication
from agno_shell.shell.screen import Screen
from agno_shell.shell.style import STYLE
from agno_shell.shell.typed import escaped
from agno_shell.toolkit.terminal_text import clean_line

PROMPT = "› "


class TerminalFrontend(Frontend):
    """A user at a terminal. What is typed while a reply streams waits in a queue."""

    def __init__(
        self,
        source: Input,
        sink: Output,
        *,
        history: InputHistory,
        toolbar: bool = True,
        vi: bool = False,
    ) -> None:
        self.pastes = Pastes()
        self.waiting: MessageQueue = MessageQueue()
        self._leaving = 0
        """How often the user has left, and :meth:`read` has not said so yet."""
        self._history = history
        self._toolbar: Line = ()
        self._interrupted: Callable[[], None] = _nothing
        self._queue_changed: Callable[[], None] = _nothing
        self._completer: Completer = DummyCompleter()
        self._task: asyncio.Task[None] | None = None
        self._editing: asyncio.Task[None] | None = None
        self.buffer = Buffer(
            name="input",
            completer=DynamicCompleter(lambda: self._completer),
            complete_while_typing=Condition(lambda: completes(self.buffer.document)),
            history=history,
            enable_history_search=True,
            multiline=True,
        )
        self._question = Question(self.buffer, lambda: self._application.invalidate())
        self._chooser = Chooser(
            lambda: self.width,
            closed=self._list_closed,
            passed_on=self._typed_instead,
            stopped=self.interrupt,
        )
        self._application = ResizableApplication(
            layout=build_layout(
                self.buffer,
                prompt=self._prompt,
                live=lambda: self.screen.live_rows,
                chooser=self._chooser.container,
                toolbar=(lambda: self._toolbar) if toolbar else None,
            ),
            key_bindings=key_bindings(self),
            style=STYLE,
            include_default_pygments_style=False,
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            erase_when_done=True,
            input=source,
            output=sink,
        )
        # A lone Esc is known after 50 ms; prompt_toolkit's own half second is felt.
        self._application.ttimeoutlen = 0.05
        self._application.timeoutlen = 0.1
        self.screen = Screen(self._application)
        self.buffer.on_completions_changed += self._completions_changed
        self._has_typed = asyncio.Event()
        self.buffer.on_text_changed += self._text_changed

    # What the shell asks for ------------------------------------------------------------

    @property
    def has_user(self) -> bool:
        return self._application.is_running

    @property
    def width(self) -> int:
        return self.screen.width

    async def start(
        self,
        *,
        interrupted: Callable[[], None],
        queue_changed: Callable[[], None],
        completer: Completer,
    ) -> None:
        self._interrupted, self._queue_changed = interrupted, queue_changed
        self._completer = completer
        await self.show()

    async def show(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            # The first paint is the first thing that the application does.
            await asyncio.sleep(0)

    async def _run(self) -> None:
        # The end of the input, as when the terminal goes away, is leaving.
        try:
            await self._application.run_async(handle_sigint=True, set_exception_handler=False)
        except (EOFError, OSError):
            pass
        finally:
            self.leave()

    async def read(self) -> str | None:
        text = await self.waiting.get()
        if text is None:
            self._leaving -= 1
        return text

    async def confirm(self, question: str) -> bool | None:
        if self._leaving or not self.has_user:
            return None
        return await self._question.confirm(self._fitting(f"{clean_line(question, 1000)} [y/N] "))

    async def ask(self, question: str) -> str | None:
        if self._leaving or not self.has_user:
            return None
        return await self._question.ask(self._fitting(f"{clean_line(question, 1000)} "))

    async def choose(self, options: Sequence[Line], *, default: int = 0) -> int | None:
        if not await self._can_choose(options):
            return None
        # Who is typing meets no line that Enter would pick.
        picked = self._chooser.open(options, marked=not self._is_typing, default=default)
        self._application.layout.focus(self._chooser.window)
        return await self._picked(picked)

    async def ask_choice(self, options: Sequence[Option], *, default: int) -> int | None:
        if not await self._can_choose(options):
            return None
        lines: list[Line] = [(("", clean_line(option.label)),) for option in options]
        letters = "".join(option.letter for option in options)
        typing = self._is_typing
        picked = self._chooser.open(lines, marked=not typing, default=default, letters=letters)
        # Who is typing finishes that first: no letter of it is an answer.
        if not typing:
            self._application.layout.focus(self._chooser.window)
        return await self._picked(picked)

    async def _can_choose(self, options: Sequence[object]) -> bool:
        # What was typed before the list stands there belongs to the input.
        for _time in range(2):
            await asyncio.sleep(0)
        busy = self._question.is_open or self._chooser.is_open
        return bool(options) and not busy and not self._leaving and self.has_user

    @property
    def _is_typing(self) -> bool:
        return bool(self.buffer.text) or self._application.layout.is_searching

    async def _picked(self, picked: asyncio.Future[int | None]) -> int | None:
        self.screen.draw()
        try:
            return await picked
        finally:
            self._chooser.close()

    def print_lines(self, lines: Iterable[Line], *, after: float = 0.0) -> None:
        self.screen.print_lines(lines, after=after)

    def print_gap(self) -> None:
        if not self.screen.ends_empty:
            self.screen.print_lines([()])

    def set_live(self, source: Callable[[], list[Line]] | None) -> None:
        self.screen.set_live(source)

    def touch(self) -> None:
        self.screen.touch()

    def set_toolbar(self, line: Line) -> None:
        self._toolbar = safe(line)
        self._application.invalidate()

    def clear(self) -> None:
        self.screen.clear()

    def take_back(self) -> None:
        if texts := self.waiting.take_back():
            texts.extend([self.buffer.text] if self.buffer.text else [])
            self._fill("\n".join(self.pastes.take(text) for text in texts))

    def put_back(self, entries: Sequence[Entry]) -> None:
        self.waiting.put_back(entries)
        self._next_put_back()

    def _next_put_back(self) -> None:
        if not self.buffer.text and (text := self.waiting.next_put_back()) is not None:
            self._fill(self.pastes.take(text))

    def _fill(self, shown: str) -> None:
        self.buffer.document = Document(shown, len(shown))

    def fill(self, text: str) -> None:
        before = self.buffer.text
        gap = "\n" if before and not before[-1].isspace() else ""
        self.waiting.returned()
        self._fill(before + gap + self.pastes.take(text))

    def restore(self, text: str) -> None:
        if not self.buffer.text:
            self.fill(text)

    async def edit(self, text: str) -> str | None:
        from agno_shell.shell import editor

        if not self.has_user or self._application._running_in_terminal:
            return None
        return await editor.edit_instead(self._application, text, os.environ)

    def copy(self, text: str) -> bool:
        from agno_shell.shell.clipboard import terminal_sequence

        output = self._application.output
        if not self.has_user or not isinstance(output, Vt100_Output):
            return False
        output.write_raw(terminal_sequence(text, os.environ))
        output.flush()
        return True

    @property
    def keyboard(self) -> int | None:
        return self._application.input.fileno()

    @property
    def pasted(self) -> Sequence[str]:
        return self.pastes.naming

    async def stop(self) -> None:
        if self._editing:
            self._editing.cancel()
            await asyncio.gather(self._editing, return_exceptions=True)
        if self._application.is_running:
            self.screen.set_live(None)
            self.screen.draw()
            self._application.exit()
        if self._task:
            await self._task
        self.screen.finish()

    # What the keys ask for --------------------------------------------------------------

    def accept(self) -> None:
        """Take what is in the input as said."""
        text = self.pastes.expand(self.buffer.text)
        if self.pastes.begins(text):
            text = escaped(text)
        if self._question.takes(text):
            self._question.answer(text)
            return
        if self.buffer.text.strip():
            self._history.append_string(self.buffer.text)
        self.buffer.reset()
        # What is no answer was typed ahead: it waits its turn, and the question ends with no.
        self._question.answer("")
        self.waiting.put(text)
        self._queue_changed()
        self._next_put_back()
        self._return_to_question()

    def interrupt(self) -> None:
        """Ctrl-C: stop the reply, else answer a question with no, else clear the input."""
        if self._application._running_in_terminal:
            return  # it was meant for the editor, which has it as well
        if self._chooser.is_open and not (self._chooser.stays and self.busy):
            self._chooser.close()
        elif self._question.is_open:
            self._question.answer("")
        elif self.busy:
            self._interrupted()
        else:
            # A draft that was cleared by mistake is one key away: Up.
            if self.buffer.text.strip():
                self._history.append_draft(self.buffer.text)
            self.buffer.reset()
            self.waiting.clear_input()
            self._next_put_back()

    def leave(self) -> None:
        """Ctrl-D: leave the shell; a reply in work is stopped and kept."""
        self._leaving += 1
        self.waiting.leave()
        self._question.answer("")
        self._chooser.close()
        if self.busy:
            self._interrupted()

    def _list_closed(self) -> None:
        """Give the keys back to the input at once: what is typed next belongs to it."""
        self._application.layout.focus(self.buffer)
        self.screen.touch()

    def _typed_instead(self, text: str, entered: bool) -> None:
        """Take what was typed at a list, and not for it, into the input."""
        self._application.layout.focus(self.buffer)
        self.paste(text)
        if entered:
            self.accept()

    @property
    def question_waits(self) -> bool:
        """Whether a question waits for the message in the input to be finished."""
        return self._chooser.stays

    def to_question(self) -> None:
        """Give the keys to the question that waits; the message stays in the input."""
        self._chooser.mark()
        self._application.layout.focus(self._chooser.window)

    def _return_to_question(self) -> None:
        if self._chooser.stays and not self.buffer.text:
            self.to_question()

    def edit_input(self) -> None:
        """Open the input in an editor."""
        if not self._question.is_open and (self._editing is None or self._editing.done()):
            self._editing = asyncio.get_running_loop().create_task(self._edit_input())

    async def _edit_input(self) -> None:
        try:
            text = await self.edit(self.pastes.expand(self.buffer.text))
        except UsageError as error:
            self.print_lines(text_lines(wrapped(error.sentence(), self.width), "class:error"))
            return
        if text is not None:
            self._fill(self.pastes.take(text))

    def _fitting(self, question: str) -> str:
        """The question as a prompt; prompt_toolkit shows nothing at all where the prompt is
        wider than the window, so a long one goes above it."""
        if get_cwidth(question) < self.width - 10:
            return question
        self.print_lines(text_lines(wrapped(question.removesuffix(" [y/N] "), self.width)))
        return "[y/N] "

    def paste(self, text: str) -> None:
        """Put a pasted text, or the stand-in of a large one, into the input."""
        self.pastes.note(text)
        self.buffer.insert_text(self.pastes.take(text))

    def close_menu(self) -> None:
        """Take the completion that was chosen and give its rows back."""
        self.buffer.complete_state = None
        self.screen.shrink()

    def _prompt(self) -> StyleAndTextTuples:
        if self._question.is_open:
            return [("class:question", self._question.prompt)]
        return [("class:prompt", PROMPT)]

    def _text_changed(self, _buffer: Buffer) -> None:
        self._has_typed.set()
        self._return_to_question()

    async def typing(self) -> None:
        await self._has_typed.wait()

    def _completions_changed(self, buffer: Buffer) -> None:
        if buffer.complete_state is None and self._application.is_running:
            asyncio.get_running_loop().call_soon(self.screen.shrink)


def _nothing() -> None:
    """Before the shell has started, nobody is to be told."""
