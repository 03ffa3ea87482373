"""Whole numbers, as a person types them."""

from __future__ import annotations

DIGITS = 9
"""More are no number of anything here."""


def whole_number(text: str) -> int | None:
    """A number from 0 to 999,999,999 in ASCII digits alone; None: it is none.

    ``int()`` alone takes "٣" and "1_0", and raises for thousands of digits.
    """
    if text.isascii() and text.isdigit() and len(text) <= DIGITS:
        return int(text)
    return None
