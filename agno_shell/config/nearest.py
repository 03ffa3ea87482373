"""The word that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that is most like ``word`` in any letter case, if any is at least this
    alike (0 to 1)."""
    import difflib

    by_folded: dict[str, str] = {}
    for each in known:
        by_folded.setdefault(each.casefold(), each)
    # The cost grows with the product of the lengths, and nobody misspells at such length.
    found = difflib.get_close_matches(word[:100].casefold(), by_folded, n=1, cutoff=likeness)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, meant: str) -> str:
    """The sentence that names ``meant``, and says what is wrong where only the letter case is."""
    case = " Small and capital letters are not the same there." * (
        word != meant and word.casefold() == meant.casefold()
    )
    return f'Did you mean "{meant}"?{case}'
