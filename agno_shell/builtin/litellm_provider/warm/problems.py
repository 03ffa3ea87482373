"""Why there is no server to connect to."""

from __future__ import annotations


class NotWarmError(Exception):
    """The text is a sentence: what is the matter, and where. A process of the shell's own
    answers then."""
