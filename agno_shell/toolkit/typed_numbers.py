"""Whole numbers, as users type them."""

from __future__ import annotations

DIGITS = 9
"""Digits; no number here has more."""


def whole_number(text: str) -> int | None:
    """A number from 0 to 999,999,999 in ASCII digits alone; None where it is not one.

    ``int()`` alone takes "٣" and "1_0", and raises for thousands of digits.
    """
    if text.isascii() and text.isdigit() and len(text) <= DIGITS:
        return int(text)
    return None
