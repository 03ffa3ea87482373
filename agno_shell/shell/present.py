"""The events of a turn, and stored messages, as lines on a front."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.events import (
    Ending,
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ReasoningDelta,
    RequestPrepared,
    TextDelta,
    TurnEvent,
)
from agno_shell.shell.front import Front
from agno_shell.shell.lines import one_line, text_lines, wrapped
from agno_shell.shell.rendering import GuardedRenderer
from agno_shell.terminal_text import Cleaner, clean_line
from agno_shell.types import Message, ToolCall

TICK_SECONDS = 0.5
"""How often the waiting line is drawn anew."""

REASONING_SHOWN = 400
"""Characters of the newest reasoning that the live line shows."""

REQUEST_SECONDS = 0.008
"""Drawing a question waits this long, so that its request leaves first."""

QUESTION_CHARACTERS = 4_000
QUESTION_LINES = 40

KEPT_HERE = (
    "What was said stays in this shell and is tried again with the next message; "
    "/save PATH writes the conversation to a file."
)

NOT_WHOLE = {
    "interrupted": "stopped; what was shown is kept",
    "incomplete": "cut off; what came is kept",
    "failed": "no answer came",
}


class Presenter:
    """Shows one turn after the other."""

    def __init__(self, front: Front, renderer: Renderer) -> None:
        self._front = front
        self._renderer = GuardedRenderer(renderer, self.notice)
        self._stream: RenderStream | None = None
        self._cleaner = Cleaner()
        self._reasoning = ""
        self._model = ""
        self._since = 0.0
        self.prepared: RequestPrepared | None = None
        """What the turn in work, or the last one, sent."""
        self.ending: Ending | None = None
        self.not_saved: str | None = None
        """Why something of the turn in work, or of the last one, was not saved at first."""

    def warm_up(self) -> None:
        """Let the renderer import what it needs; runs in a thread."""
        self._renderer.begin(self._front.width)

    async def show(self, events: AsyncGenerator[TurnEvent, None], model: str) -> None:
        """Show a turn to its end."""
        self._stream, self._cleaner, self._reasoning = None, Cleaner(), ""
        self._model, self._since = clean_line(model), time.monotonic()
        self.prepared = self.ending = self.not_saved = None
        self._front.set_live(self._live)
        ticker = asyncio.create_task(self._tick())
        try:
            async with aclosing(events):
                async for event in events:
                    self._show(event)
        finally:
            ticker.cancel()
            self._front.set_live(None)

    def messages(self, messages: Sequence[Message]) -> None:
        """Show stored messages as they looked when they were said."""
        for message in messages:
            if message.role == "user":
                self.question(message.content)
            elif message.content or message.status != "complete":
                self._stored(message)

    def question(self, text: str, *, saved: bool = False, after: float = 0.0) -> None:
        """Show what the person said; of a very long text the beginning, and how long it is.
        That it is all ``saved`` is said only of what is."""
        shown = "\n".join(text[:QUESTION_CHARACTERS].split("\n")[:QUESTION_LINES])
        lines = text_lines(shown, "class:question")
        if len(shown) < len(text):
            left = f"… {len(text) - len(shown):,} more characters"
            lines.append((("class:notice", left + ", all of them saved" * saved),))
        first: Line = (("class:prompt", "› "), *lines[0])
        rest = ((("", "  "), *line) for line in lines[1:])
        self._front.print_lines([first, *rest, ()], after=after)

    def notice(self, text: str, style: str = "class:notice") -> None:
        """Show a few words of the shell's own."""
        self._front.print_lines(text_lines(wrapped(text, self._front.width), style))

    def _stored(self, message: Message) -> None:
        stream = self._renderer.begin(self._front.width)
        cleaner = Cleaner()
        lines = stream.feed(cleaner.feed(message.content) + cleaner.finish())
        self._front.print_lines([*lines, *stream.finish()])
        if note := NOT_WHOLE.get(message.status):
            self.notice(f"({note})")
        self._front.print_lines([()])

    def _show(self, event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            self._text(event.text)
        elif isinstance(event, ReasoningDelta):
            self._reasoning = (self._reasoning + event.text)[-REASONING_SHOWN:]
            self._front.touch()
        elif isinstance(event, RequestPrepared):
            self.prepared = event
        elif isinstance(event, ToolCall):
            self.notice(f"The model asked for the tool {clean_line(event.name)}; none is set up.")
        elif isinstance(event, MessageSaved | NotSaved) and event.message.role == "user":
            # Only now, because what is shown as said is saved.
            self._said(event)
        elif isinstance(event, NotSaved):
            self._not_saved(event)
        elif isinstance(event, Finished | Failed | Interrupted):
            self._end(event)
        elif not isinstance(event, MessageSaved):
            self._front.touch()

    def _said(self, event: MessageSaved | NotSaved) -> None:
        if not self._front.echoes:
            saved = isinstance(event, MessageSaved)
            self.question(event.message.content, saved=saved, after=REQUEST_SECONDS)
        if isinstance(event, NotSaved):
            self._not_saved(event)

    def _not_saved(self, event: NotSaved) -> None:
        if event.reason == self.not_saved:
            self.notice("The reply was not saved either.\n", "class:error")
            return
        self.not_saved = event.reason
        self.notice(f"{one_line(event.reason)} {KEPT_HERE}\n", "class:error")

    def _text(self, text: str) -> None:
        if self._stream is None:
            self._stream = self._renderer.begin(self._front.width)
        lines = self._stream.feed(self._cleaner.feed(text))
        if lines:
            self._front.print_lines(lines)
        else:
            self._front.touch()

    def _end(self, ending: Ending) -> None:
        self.ending = ending
        if self._stream:
            rest = self._stream.feed(self._cleaner.finish())
            self._front.print_lines([*rest, *self._stream.finish()])
        # From here on nothing is live: the last line is in the scrollback.
        self._front.set_live(None)
        if isinstance(ending, Failed):
            self.notice(ending.sentence(), "class:error")
        elif isinstance(ending, Interrupted):
            self.notice(f"({NOT_WHOLE['interrupted']})")
        elif ending.reason == "length":
            self.notice("(The reply reached its length limit and is not whole.)", "class:error")
        elif ending.reason == "content_filter":
            self.notice("(The provider's content filter ended the reply.)", "class:error")
        self._front.print_lines([()])

    def _live(self) -> list[Line]:
        if self._stream:
            return self._stream.tail()
        waited = time.monotonic() - self._since
        shown = f" {waited:.0f} s" if waited >= 1 else ""
        lines: list[Line] = [(("class:busy", f"{self._model} …{shown}"),)]
        if self._reasoning:
            lines.insert(0, (("class:notice", clean_line(self._reasoning, REASONING_SHOWN)),))
        elif waited >= 2:
            lines = [(*lines[0], ("class:notice", "  Ctrl-C stops"))]
        return lines

    async def _tick(self) -> None:
        while self._stream is None:
            await asyncio.sleep(TICK_SECONDS)
            self._front.touch()
