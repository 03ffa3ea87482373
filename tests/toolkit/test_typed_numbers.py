from __future__ import annotations

import pytest

from agno_shell.toolkit.typed_numbers import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("999999999", 999_999_999)])
def test_a_whole_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1_0", " 1", "٣", "²", "1" * 10])
def test_what_is_none(text: str) -> None:
    assert whole_number(text) is None
