"""Durations as users write and read them: ``15m`` in a setting, ``15 min`` in a sentence."""

from __future__ import annotations

OFF = "off"

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_MOST_DIGITS = 5


def seconds_of(text: str) -> int:
    """The seconds in ``90s``, ``15m`` or ``1h``; 0 for ``off`` and no text. Raises ``ValueError``,
    which says what the text must be instead."""
    if text in ("", OFF):
        return 0
    digits, unit = text[:-1], text[-1:]
    # int() alone takes "٣" and "1_0".
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    if plain and int(digits) and unit in _SECONDS:
        return int(digits) * _SECONDS[unit]
    raise ValueError('must be a time such as "15m", "1h" or "90s", or "off"')


def spoken(seconds: float) -> str:
    """``40 s``, ``15 min``, ``1 h 5 min``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{minutes} min"] if minutes or not hours else parts)
