"""The limits of a reply, from the settings and in words."""

from __future__ import annotations

import pytest

from agno_shell.builtin.model_services.limits import Limits, seconds


def test_what_is_not_set_stays_as_it_is() -> None:
    assert Limits.from_settings({}) == Limits(10, 60, 60, 900, 16 * 1024 * 1024)
    assert Limits.from_settings({"connect": 3, "unknown": 1}) == Limits(connect=3)


@pytest.mark.parametrize(
    ("value", "words"), [(1, "1 second"), (0.5, "0.5 seconds"), (60.0, "60 seconds")]
)
def test_seconds_in_words(value: float, words: str) -> None:
    assert seconds(value) == words
