from __future__ import annotations

import pytest

from agno_shell.toolkit.durations import seconds_of, spoken


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("off", 0),
        ("", 0),
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("007s", 7),
        ("99999h", 359_996_400),
    ],
)
def test_what_is_a_duration(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "15",
        "m",
        "0s",
        "-1m",
        "1.5h",
        "1_0m",
        "٣m",
        "15 m",
        "15M",
        "1h30m",
        "100000s",
        "on",
        "1d",
        "²s",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match='must be a time such as "15m", "1h" or "90s", or "off"'):
        seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (90_000, "25 h"),
    ],
)
def test_how_it_is_written(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
