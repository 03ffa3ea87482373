"""The words that were probably meant."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 100
"""Characters that are looked at: the cost grows with the product of the lengths, and nobody
misspells at such length."""


def alike(word: str, known: Iterable[str], most: int, *, likeness: float = 0.6) -> list[str]:
    """Those of the known words that are most like ``word`` in any letter case, the nearest first;
    all are at least this alike (0 to 1). Of two that differ in letter case alone, the first."""
    from difflib import get_close_matches  # 10 ms that no start-up should pay

    by_folded: dict[str, str] = {}
    for each in known:
        by_folded.setdefault(each.casefold()[:LONGEST], each)
    found = get_close_matches(word[:LONGEST].casefold(), by_folded, most, likeness)
    return [by_folded[each] for each in found]


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The one that is most like ``word``, if any is."""
    return next(iter(alike(word, known, 1, likeness=likeness)), None)


def did_you_mean(word: str, meant: str) -> str:
    """The sentence that names ``meant``, and says what is wrong where only the letter case is."""
    case = " Small and capital letters are not the same there." * (
        word != meant and word.casefold() == meant.casefold()
    )
    return f'Did you mean "{meant}"?{case}'
