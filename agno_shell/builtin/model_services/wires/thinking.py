"""Thoughts that a model writes into its text, between ``<think>`` and ``</think>``."""

from __future__ import annotations

from collections.abc import Iterator

from agno_shell.events import ReasoningDelta, TextDelta

BEGIN, END = "<think>", "</think>"


class ThinkTags:
    """Tells the thoughts at the beginning of a reply from its text, wherever the pieces that
    arrive are split. Tags behind the first word of the reply are text: somebody may be
    writing about them."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"
        """``before`` any word; ``begun`` to think, where line ends are skipped; ``thinking``;
        ``behind`` the thoughts, where white space is skipped; ``saying`` the text."""

    def feed(self, text: str) -> Iterator[TextDelta | ReasoningDelta]:
        """What a piece of text brings; the end of it that may be half a tag is held back."""
        self._held += text
        if self._state == "before":
            stripped = self._held.lstrip()
            if stripped.startswith(BEGIN):
                self._state, self._held = "begun", stripped.removeprefix(BEGIN)
            elif BEGIN.startswith(stripped):
                return  # a tag may still become of it
            else:
                self._state = "saying"
        if self._state == "begun":
            self._held = self._held.lstrip("\n")
            self._state = "thinking" if self._held else "begun"
        if self._state == "thinking":
            yield from self._think()
        if self._state == "behind":
            self._held = self._held.lstrip()
            self._state = "saying" if self._held else "behind"
        if self._state == "saying" and self._held:
            said, self._held = self._held, ""
            yield TextDelta(said)

    def _think(self) -> Iterator[ReasoningDelta]:
        thought, tag, behind = self._held.partition(END)
        if tag:
            self._state, self._held = "behind", behind
        else:
            kept = next(
                size for size in range(len(END) - 1, -1, -1) if thought.endswith(END[:size])
            )
            thought, self._held = thought[: len(thought) - kept], thought[len(thought) - kept :]
        if thought:
            yield ReasoningDelta(thought)

    def end(self) -> Iterator[TextDelta | ReasoningDelta]:
        """What was held back, at the end of the reply."""
        held, self._held = self._held, ""
        if held and self._state in ("before", "saying"):
            yield TextDelta(held)
        elif held and self._state == "thinking":
            yield ReasoningDelta(held)
