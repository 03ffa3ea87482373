from __future__ import annotations

import pytest

from agno_shell.toolkit.nearest import alike, did_you_mean, nearest

KNOWN = ("provider.model", "Shell", "theme")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("provider.modle", "provider.model"),
        ("PROVIDER.MODEL", "provider.model"),
        ("SHELL", "Shell"),
        ("THEM", "theme"),
        ("x" * 1000, None),
        ("", None),
    ],
)
def test_the_nearest_in_any_letter_case(word: str, meant: str | None) -> None:
    assert nearest(word, KNOWN) == meant


def test_only_the_letter_case_is_wrong() -> None:
    assert "Small and capital letters" in did_you_mean("SHELL", "Shell")
    assert did_you_mean("Shel", "Shell") == 'Did you mean "Shell"?'


def test_several_the_nearest_first() -> None:
    known = ("other", "them", "Themes", "THEME", "theme")
    assert alike("theme", known, 3) == ["THEME", "Themes", "them"]
    assert alike("theme", known, 1) == ["THEME"]
    assert alike("thema", known, 3, likeness=0.99) == []
