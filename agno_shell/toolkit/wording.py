"""Counts and sizes in words, for the command line and for slash commands alike."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB")


_OF_ONE = {"are": "is", "were": "was", "follow": "follows"}
"""What verbs become behind one thing."""


def count(number: int, noun: str, verb: str = "") -> str:
    """``1 message``, ``2,000 messages``, ``3 replies``; with the verb ``are``: ``1 message is``,
    ``2,000 messages are``."""
    if number == 1:
        return f"{number:,} {noun} {_OF_ONE[verb]}" if verb else f"{number:,} {noun}"
    several = f"{noun[:-1]}ies" if noun.endswith("ly") else f"{noun}s"
    return f"{number:,} {several} {verb}".rstrip()


def size(number: int) -> str:
    """A number of bytes in decimal units: ``912 B``, ``12.3 kB``, ``1.0 MB``."""
    if number < 1000:
        return f"{number} B"
    shown, place = number / 1000, 0
    while shown >= 999.95 and place < len(_UNITS) - 1:  # it would be rounded to 1000.0
        shown, place = shown / 1000, place + 1
    return f"{shown:,.1f} {_UNITS[place]}"
