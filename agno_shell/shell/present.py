"""The events of a turn, as lines on a front."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from agno_shell.contracts import Line, Renderer
from agno_shell.errors import AgnoShellError, SessionNotFoundError
from agno_shell.events import (
    Ending,
    Failed,
    FellBack,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    RequestPrepared,
    Retrying,
    SpeakerChanged,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
)
from agno_shell.shell.endings import TurnSummary
from agno_shell.shell.frontend import Frontend
from agno_shell.shell.lines import one_line, text_lines, wrapped
from agno_shell.shell.live import Live
from agno_shell.shell.rendering import GuardedRenderer
from agno_shell.shell.stored import message_lines, question_lines, speaker_line
from agno_shell.shell.tool_lines import ProviderCalls, call_lines, result_lines
from agno_shell.toolkit.terminal_text import Cleaner, clean_line
from agno_shell.types import Message, ToolCall

TICK_SECONDS = 0.5
"""How often a line that holds a time is drawn anew."""

PROGRESS_SECONDS = 0.3
"""What is done sooner does not say how far it has come."""

REQUEST_SECONDS = 0.008
"""Drawing a question waits this long, so that its request leaves first."""

KEPT_HERE = (
    "What was said stays in this shell and is tried again with the next message; "
    "/save PATH writes the conversation to a file."
)

NOT_SAVED_EITHER = {
    "assistant": "The reply was not saved either.\n",
    "tool": "The result of the tool was not saved either.\n",
}


class Presenter:
    """Shows one turn after the other."""

    def __init__(
        self, frontend: Frontend, renderer: Renderer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._frontend = frontend
        self._renderer = GuardedRenderer(renderer, self.notice)
        self._clock = clock
        self._live = Live("", clock)
        self._turn_summary = TurnSummary(clock)
        self._cleaner = Cleaner()
        self._shown_call: ToolCall | None = None
        """The call that stands in the scrollback and has no result yet."""
        self._tool_began: float | None = None
        self._provider_calls = ProviderCalls(clock)
        self._is_below_text = False
        """Whether what is printed next stands right below the text of a reply."""
        self.prepared: RequestPrepared | None = None
        """What the turn in work, or the last one, sent last."""
        self.has_failed = False
        """Whether anything that was asked for here was not done."""
        self.not_saved: str | None = None
        """Why something of the turn in work, or of the last one, was not saved at first."""
        self._progress_from: float | None = None
        """When the command in work begins to show how far it has come."""

    def warm_up(self) -> None:
        """Let the renderer import what it needs; runs in a thread."""
        self._renderer.begin(self._frontend.width)

    @contextmanager
    def showing(self, model: str) -> Iterator[None]:
        """Around a turn, of which every event goes to :meth:`take`."""
        self._live, self._turn_summary = Live(model, self._clock), TurnSummary(self._clock)
        self._cleaner = Cleaner()
        self._shown_call = self._tool_began = None
        self._provider_calls = ProviderCalls(self._clock)
        self._is_below_text = False
        self.prepared = self.not_saved = None
        self._frontend.set_live(self._live_lines)
        ticker = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticker.cancel()
            self._frontend.set_live(None)

    def progress(self, text: str) -> None:
        """Show how far a command has come, below what it has shown; empty: it is over."""
        line, moment = clean_line(text), self._clock()
        if not line:
            if self._progress_from is not None:
                self._frontend.set_live(None)
            self._progress_from = None
            return
        if self._progress_from is None:
            self._progress_from = moment + PROGRESS_SECONDS
        if moment >= self._progress_from:
            self._frontend.set_live(lambda: [(("class:notice", line),)])

    def messages(self, messages: Sequence[Message]) -> None:
        """Show stored messages as they looked when they were said."""
        for lines in message_lines(messages, self._renderer, self._frontend.width):
            self._frontend.print_lines(lines)

    def question(self, text: str) -> None:
        """Show what the user typed."""
        self._frontend.print_lines(question_lines(text))

    def notice(self, text: str, style: str = "class:notice") -> None:
        """Show a few words of the shell's own."""
        self._frontend.print_lines(text_lines(wrapped(text, self._frontend.width), style))

    def fail(self, text: str, style: str = "class:error") -> None:
        """Say that something was not done."""
        self.has_failed = True
        self.error(text, style)

    def show_error(self, error: AgnoShellError) -> None:
        """Say why something was not done, and what it could have been."""
        self.fail(one_line(error.sentence()))
        if isinstance(error, SessionNotFoundError):
            for candidate in error.candidates:
                self.error(f"  {clean_line(candidate)}")
        self._frontend.print_gap()

    def error(self, text: str, style: str = "class:error") -> None:
        """Say what went wrong."""
        self._frontend.print_error(text_lines(wrapped(text, self._frontend.width), style))

    # A call that waits for the user's leave -------------------------------------------

    def ask_about(self, call: ToolCall) -> None:
        """Show the whole of a call, and nothing at work until :meth:`asked`."""
        self._print_call(call, whole=True)
        self._live.is_asking = True
        self._frontend.touch()

    def asked(self) -> None:
        """The user has answered."""
        self._live.is_asking = False
        self._live.rest()
        self._frontend.touch()

    # Events -----------------------------------------------------------------------------

    def take(self, event: TurnEvent) -> None:
        """Show what happens in a turn."""
        match event:
            case TextDelta():
                self._text(event.text)
            case ReasoningDelta():
                self._reason(event.text)
            case MessageSaved() | NotSaved():
                self._saved(event)
            case RequestPrepared():
                self.prepared = event
                self._live.wait_for()
                self._frontend.touch()
            case Retrying():
                self._turn_summary.retry(event)
                self._live.retry(event)
                self._frontend.touch()
            case FellBack():
                self._turn_summary.fall_back(event)
                self._live.wait_for(event.to)
                self._frontend.touch()
            case ToolCall():
                self._begin()
            case ProviderToolStarted() | ProviderToolFinished():
                self._provider_tool(event)
            case SpeakerChanged(name):
                self._begin()
                self._print_below(self._provider_calls.others())
                self._print_below([speaker_line(name or self._live.model)])
            case ToolStarted():
                self._tool_started(event.call)
            case ToolFinished():
                self._tool_finished(event)
            case Finished() | Failed() | Interrupted():
                self._end(event)

    def _saved(self, event: MessageSaved | NotSaved) -> None:
        message = event.message
        if message.role == "user":
            # Only now, because what is shown as said is saved.
            if isinstance(event, MessageSaved) and self._frontend.waiting:
                self._frontend.waiting.sent()
            self._said(message, saved=isinstance(event, MessageSaved))
        elif message.role == "assistant":
            self._close_reply()
            self._turn_summary.next_reply()
        if isinstance(event, NotSaved):
            self._not_saved(event)

    def _said(self, message: Message, *, saved: bool) -> None:
        lines = question_lines(message.content, message.attachments, saved=saved)
        if self._frontend.echoes:
            # What was typed stands there already; what goes with it does not.
            lines = lines[-1 - len(message.attachments) : -1]
        self._frontend.print_lines(lines, after=REQUEST_SECONDS)

    def _not_saved(self, event: NotSaved) -> None:
        if event.reason == self.not_saved:
            self.error(NOT_SAVED_EITHER.get(event.message.role, ""))
            return
        self.not_saved = event.reason
        self.error(f"{one_line(event.reason)} {KEPT_HERE}\n")

    # The reply --------------------------------------------------------------------------

    def _begin(self) -> None:
        """Something of the reply has come: what happened before it is over."""
        if not self._turn_summary.has_begun:
            self._live.begun()
            for line in self._turn_summary.begin():
                self.notice(line)

    def _reason(self, text: str) -> None:
        self._begin()
        self._live.think().feed(text)
        self._frontend.touch()

    def _collapse(self) -> None:
        """Thoughts that have led to something become one line."""
        thinking, self._live.thinking = self._live.thinking, None
        if thinking:
            self.notice(f"(thought for {thinking.extent()})")

    def _text(self, text: str) -> None:
        self._begin()
        self._collapse()
        if self._live.stream is None:
            self._print_below(self._provider_calls.others())
            self._live.stream = self._renderer.begin(self._frontend.width)
            self._turn_summary.has_text = True
        if lines := self._live.stream.feed(self._cleaner.feed(text)):
            self._frontend.print_lines(lines)
        else:
            self._frontend.touch()

    def _close_reply(self) -> None:
        """The text of a reply is whole; the next one begins anew."""
        self._collapse()
        stream, self._live.stream = self._live.stream, None
        if stream:
            rest = stream.feed(self._cleaner.finish())
            self._frontend.print_lines([*rest, *stream.finish()])
            self._cleaner, self._is_below_text = Cleaner(), True

    def _end(self, ending: Ending) -> None:
        self.has_failed |= not isinstance(ending, Finished)
        thinking = None
        if isinstance(ending, Interrupted):  # its line says it, too
            thinking, self._live.thinking = self._live.thinking, None
        self._close_reply()
        self._print_below(self._provider_calls.others())
        # From here on nothing is live: the last line is in the scrollback.
        self._frontend.set_live(None)
        whole = isinstance(ending, Finished) and ending.reason not in ("length", "content_filter")
        for text, style in self._turn_summary.end(ending, thinking.extent() if thinking else ""):
            (self.notice if whole else self.error)(text, style)
        self._frontend.print_lines([()])

    # Tools ------------------------------------------------------------------------------

    def _print_call(self, call: ToolCall, *, whole: bool = False) -> None:
        if self._shown_call == call:
            return
        self._shown_call, self._turn_summary.has_tools = call, True
        self._print_below(call_lines(call, whole=whole, width=self._frontend.width))

    def _print_below(self, lines: list[Line]) -> None:
        """Print what stands apart from the text above it."""
        if not lines:
            return
        self._close_reply()
        gap: list[Line] = [()] if self._is_below_text else []
        self._frontend.print_lines([*gap, *lines])
        self._is_below_text = False

    def _provider_tool(self, event: ProviderToolStarted | ProviderToolFinished) -> None:
        """A tool that the provider runs itself begins, or is over."""
        self._begin()
        self._close_reply()
        calls = self._provider_calls
        if isinstance(event, ProviderToolStarted):
            self._print_below(calls.start(event.call))
        else:
            self._print_below(calls.finish(event))
        if calls.at_work:
            self._live.run(calls.at_work)
        else:
            self._live.rest()
        self._frontend.touch()

    def _tool_started(self, call: ToolCall) -> None:
        self._print_call(call)
        self._tool_began = self._clock()
        self._live.run(call.name)
        self._frontend.touch()

    def _tool_finished(self, event: ToolFinished) -> None:
        self._print_call(event.call)
        took = None if self._tool_began is None else self._clock() - self._tool_began
        self._shown_call = self._tool_began = None
        self._live.rest()
        self._frontend.print_lines([*result_lines(event.result, took), ()])

    # What is live -----------------------------------------------------------------------

    def _live_lines(self) -> list[Line]:
        return self._live.lines(self._frontend.width)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self._live.moves:
                self._frontend.touch()
