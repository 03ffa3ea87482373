"""What one speaker says in a reply: it becomes a message of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agno_shell.events import ReasoningDelta, TextDelta
from agno_shell.types import Growth, Message, ProviderTool, Status, new_id, now


class Extent(NamedTuple):
    """How far a part has come: pieces of its text and reasoning, and tools."""

    text: int = 0
    reasoning: int = 0
    tools: int = 0


class Part:
    """Grows at its end alone, so that any beginning of it can be had later, in whatever
    thread."""

    def __init__(self, parent: str | None, speaker: str | None = None) -> None:
        self.id = new_id()
        self.parent = parent
        self.speaker = speaker
        self.length = 0
        """Characters of the text."""
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tools: list[ProviderTool] = []
        self._halves: dict[type, str] = {}
        """The first halves of characters whose second halves have not come yet."""
        self._said_at: datetime | None = None

    @property
    def extent(self) -> Extent:
        """All of it."""
        return Extent(len(self._text), len(self._reasoning), len(self._tools))

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    def say(self, event: TextDelta | ReasoningDelta) -> None:
        """Add a piece of text or of reasoning."""
        if text := self._without_half(type(event), event.text):
            self._add(type(event), text)

    def add_tool(self, tool: ProviderTool) -> None:
        """Add a tool that the provider has run."""
        self._tools.append(tool)
        self._said_at = self._said_at or now()

    def end(self) -> None:
        """Nothing more comes: halves of characters stay what they are."""
        for kind, half in self._halves.items():
            self._add(kind, half)
        self._halves.clear()

    def _add(self, kind: type, text: str) -> None:
        if kind is ReasoningDelta:
            self._reasoning.append(text)
        else:
            self._text.append(text)
            self.length += len(text)
        self._said_at = self._said_at or now()

    def _without_half(self, kind: type, text: str) -> str:
        """What is whole by now. Some servers cut a character beyond U+FFFF in two, half of it
        in each piece: written piece by piece, it would be another text."""
        if text.isascii() and not self._halves:
            return text  # most of them
        text = _joined(self._halves.pop(kind, "") + text)
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._halves[kind], text = text[-1], text[:-1]
        return text

    def growth(self, since: Extent, provider: str) -> Growth:
        """What has come ``since``, but for tools."""
        text = "".join(self._text[since.text :])
        return Growth(self.id, text, "".join(self._reasoning[since.reasoning :]), provider)

    def message(self, upto: Extent, provider: str, model: str) -> Message:
        """The message of what had come when it was this far."""
        reasoning = "".join(self._reasoning[: upto.reasoning])
        private = {"reasoning": reasoning} if reasoning else {}
        return self._message(upto, "interrupted", {provider: private} if private else {}, model)

    def whole(self, status: Status, data: Mapping[str, Any], model: str) -> Message:
        """The message of all that has come; ``data`` is the provider's, by its name."""
        return self._message(self.extent, status, data, model)

    def _message(
        self, upto: Extent, status: Status, data: Mapping[str, Any], model: str
    ) -> Message:
        return Message(
            self.id,
            "assistant",
            "".join(self._text[: upto.text]),
            # The same in each state of the reply, so that a storage need only keep what was
            # added to the one before.
            self._said_at or now(),
            parent=self.parent,
            status=status,
            model=model,
            provider_data=data,
            speaker=self.speaker,
            provider_tools=tuple(self._tools[: upto.tools]),
        )


def _joined(text: str) -> str:
    """The text with the halves of each character put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
