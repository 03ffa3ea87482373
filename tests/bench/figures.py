"""Measured figures: how they are taken, compared with their targets and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import NamedTuple

RUNS = 9
"""Measurements of which the median counts."""


class Figure(NamedTuple):
    """One line of the report."""

    what: str
    value: float
    unit: str
    """``ms``, ``MB``, or ``x`` for a quotient of the value and its floor."""
    target: float | None = None
    """The most that ``value`` may be; None: it is shown for comparison only."""
    detail: str = ""
    """What the value was made from."""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.value <= self.target else "MISSED"


def interleaved(measurements: Sequence[Callable[[], float]], runs: int = RUNS) -> list[list[float]]:
    """The samples of each measurement, taken A B A B … so that a slow moment of the
    machine falls on all of them. One round before that warms the caches and is dropped."""
    samples: list[list[float]] = [[] for _ in measurements]
    for round_number in range(runs + 1):
        for measure, taken in zip(measurements, samples, strict=True):
            value = measure()
            if round_number:
                taken.append(value)
    return samples


def ratio(
    what: str, samples: Sequence[float], floor: Sequence[float], target: float | None, unit: str
) -> Figure:
    """The median of ``samples`` as a multiple of the median of ``floor``."""
    mine, least = median(samples), median(floor)
    return Figure(what, mine / least, "x", target, f"{mine:.1f} {unit} against {least:.1f} {unit}")


def middle(what: str, samples: Sequence[float], unit: str, target: float | None = None) -> Figure:
    """The median, with the largest sample beside it."""
    return Figure(
        what, median(samples), unit, target, f"largest {max(samples):.1f} of {len(samples)}"
    )


def longest(what: str, samples: Sequence[float], unit: str, target: float | None = None) -> Figure:
    """The largest, with the median beside it."""
    return Figure(
        what, max(samples), unit, target, f"median {median(samples):.1f} of {len(samples)}"
    )


def table(figures: Iterable[Figure]) -> str:
    """The figures as aligned text, ending in a newline."""
    rows = [("what", "value", "target", "", "measured")]
    rows += [
        (
            figure.what,
            f"{figure.value:.2f} {figure.unit}",
            "" if figure.target is None else f"{figure.target:g} {figure.unit}",
            figure.verdict,
            figure.detail,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(line.rstrip() + "\n" for line in lines)
