"""A large paste stays one message: a short stand-in is shown, the text is kept beside it."""

from __future__ import annotations

import re

LARGE = 2_000
"""Characters from which on a paste is shown as a stand-in; drawing more slows each key."""

MANY_LINES = 30


class Pastes:
    """The large pastes of the message in work."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def take(self, text: str) -> str:
        """What to put into the input for a pasted text."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = len(text.splitlines()) or 1
        if len(text) <= LARGE and lines <= MANY_LINES:
            return text
        number = len(self._texts) + 1
        stand_in = f"[paste {number}: {len(text):,} characters, {lines:,} lines]"
        self._texts[stand_in] = text
        return stand_in

    def expand(self, text: str) -> str:
        """The input with every stand-in replaced by what was pasted."""
        if not self._texts:
            return text
        # In one pass, because a pasted text may itself hold the words of a stand-in.
        stand_ins = re.compile("|".join(map(re.escape, self._texts)))
        return stand_ins.sub(lambda match: self._texts[match[0]], text)

    def clear(self) -> None:
        """Forget them: the message was sent."""
        self._texts.clear()
