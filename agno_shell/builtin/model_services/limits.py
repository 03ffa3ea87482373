"""How long, and how much, a reply may take. Seconds, and bytes of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LONGEST_ERROR = 65_536
"""Bytes of the body of an error; what is behind them is not read."""

_LONGEST_ESCAPE = 6
"""Bytes that JSON may need for one byte of text, as in ``\\u0000``."""

_ENVELOPE = 1_048_576
"""Bytes that may stand around the text in one line."""


class Limits(NamedTuple):
    """The limits of one reply; keep-alives never count as tokens."""

    connect: float = 10.0
    first_token: float = 60.0
    between_tokens: float = 60.0
    whole_reply: float = 900.0
    reply_bytes: float = 16 * 1024 * 1024

    @classmethod
    def from_settings(cls, settings: Mapping[str, float]) -> Limits:
        """Limits of ``[provider.limits]``; what is not set there stays as it is here."""
        known = {name: float(settings[name]) for name in cls._fields if name in settings}
        return cls(**known)


def seconds(value: float) -> str:
    """``value`` as a user reads it: ``1 second``, ``0.5 seconds``."""
    return "1 second" if value == 1 else f"{value:g} seconds"


def longest_line(reply_bytes: float) -> float:
    """Bytes in a line of a reply that may have so many bytes of text."""
    return _LONGEST_ESCAPE * reply_bytes + _ENVELOPE
