"""Counts and sizes in words, for the command line and for slash commands alike."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB")


def count(number: int, noun: str) -> str:
    """``1 message``, ``2,000 messages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """A number of bytes in decimal units: ``912 B``, ``12.3 kB``, ``1.0 MB``."""
    if number < 1000:
        return f"{number} B"
    shown, place = number / 1000, 0
    while shown >= 999.95 and place < len(_UNITS) - 1:  # it would be rounded to 1000.0
        shown, place = shown / 1000, place + 1
    return f"{shown:,.1f} {_UNITS[place]}"
