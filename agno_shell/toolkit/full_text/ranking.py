"""Okapi BM25 as FTS5 computes it, for storages without an index."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

_K1, _B = 1.2, 0.75
_LEAST_WEIGHT = 1e-6


def scores(counts: Sequence[Sequence[int]], lengths: Sequence[int]) -> dict[int, float]:
    """A score for each text that holds every term; more is better.

    ``counts`` has, for each text, how often it holds each term, ``lengths`` its number of
    words. See "The bm25() function" in https://sqlite.org/fts5.html.
    """
    texts = len(counts)
    average = sum(lengths) / max(1, texts) or 1.0
    holders = [sum(1 for count in column if count) for column in zip(*counts, strict=True)]
    # A term in more than half of the texts would count against a text that holds it.
    weights = [max(log((texts - held + 0.5) / (held + 0.5)), _LEAST_WEIGHT) for held in holders]
    return {
        position: sum(
            weight * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length / average))
            for weight, count in zip(weights, row, strict=True)
        )
        for position, (row, length) in enumerate(zip(counts, lengths, strict=True))
        if all(row)
    }
