from __future__ import annotations

import pytest

from agno_shell.toolkit import wording


def test_counts() -> None:
    assert [wording.count(n, "message") for n in (0, 1, 2000)] == [
        "0 messages",
        "1 message",
        "2,000 messages",
    ]


def test_counts_with_a_verb() -> None:
    assert wording.count(1, "message", "are") == "1 message is"
    assert wording.count(2, "message", "were") == "2 messages were"
    assert wording.count(0, "message", "follow") == "0 messages follow"
    assert [wording.count(n, "reply") for n in (1, 3)] == ["1 reply", "3 replies"]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345, "12.3 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (4_200_000_000, "4.2 GB"),
        (5 * 10**15, "5,000.0 TB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    assert wording.size(size) == words
