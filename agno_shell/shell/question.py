"""A question that is answered in the place of the input, which has its draft back then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

YES = ("y", "yes")
ANSWERS = (*YES, "n", "no", "")


class Question:
    """At most one at a time. ``changed`` is called when another prompt is to be shown."""

    def __init__(self, buffer: Buffer, changed: Callable[[], object]) -> None:
        self._buffer = buffer
        self._changed = changed
        self._answer: asyncio.Future[str] | None = None
        self._draft = Document()
        self._answers: Collection[str] = ()
        """Those that it takes; none: every one."""
        self.prompt = ""
        """What stands before the answer."""

    @property
    def is_open(self) -> bool:
        """Whether an answer is waited for."""
        return self._answer is not None

    async def confirm(self, prompt: str) -> bool:
        """Whether the answer is yes; what is neither yes nor no is no answer."""
        return (await self._ask(prompt, ANSWERS)).strip().lower() in YES

    async def ask(self, prompt: str) -> str:
        """The line that is entered, whatever it is."""
        return (await self._ask(prompt, ())).strip()

    async def _ask(self, prompt: str, answers: Collection[str]) -> str:
        self._answers = answers
        self._answer = asyncio.get_running_loop().create_future()
        self.prompt = prompt
        self._draft = self._buffer.document
        self._buffer.reset()
        self._changed()
        try:
            return await self._answer
        finally:
            self.answer("")

    def takes(self, text: str) -> bool:
        """Whether a text that was entered is an answer."""
        return self.is_open and (not self._answers or text.strip().lower() in self._answers)

    def answer(self, text: str) -> None:
        """Answer the question, if one is asked, and give the draft back at once: what is
        typed next belongs to it."""
        answer, self._answer = self._answer, None
        if answer is None:
            return
        if not answer.done():
            answer.set_result(text)
        self._buffer.document = self._draft
        self._changed()
