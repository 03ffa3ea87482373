"""The word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that is most like ``word``, if any is at least this alike (0 to 1)."""
    import difflib

    # The cost grows with the product of the lengths, and nobody misspells at such length.
    found = difflib.get_close_matches(word[:100], known, n=1, cutoff=likeness)
    return found[0] if found else None
