from __future__ import annotations

import pytest

from agno_shell.toolkit import findings
from agno_shell.types import Finding

WRONG = Finding("here", "It is broken.", "Mend it.")
HEALED = Finding("there", "It was broken.", "It was mended.", healed=True)
NOTE = Finding("elsewhere", "It is odd.", note=True)


def test_what_is_wrong_comes_first_and_nothing_is_left_out() -> None:
    assert list(findings.report([NOTE, HEALED, WRONG])) == [
        ("Wrong:", "class:error"),
        ("  here: It is broken. Mend it.", ""),
        ("Mended:", "bold"),
        ("  there: It was broken. It was mended.", ""),
        ("Worth knowing:", "bold"),
        ("  elsewhere: It is odd.", ""),
    ]
    assert list(findings.report([])) == []


def test_what_is_the_same_in_several_places_is_listed_once() -> None:
    found = [Finding(f"/f{each}", "It is odd.", f"chmod 600 /f{each}") for each in range(6)]
    other = Finding("/g", "It is odd.", "Look at it.")
    assert list(findings.report([*found, other])) == [
        ("Wrong:", "class:error"),
        (
            "  /f0: It is odd. chmod 600 /f0 The same holds for /f1, /f2, /f3 and 2 more.",
            "",
        ),
        ("  /g: It is odd. Look at it.", ""),
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], False),
        ([WRONG], False),
        ([WRONG._replace(repairable=True)], True),
        ([NOTE._replace(repairable=True), WRONG], False),
    ],
)
def test_whether_a_repair_is_worth_offering(found: list[Finding], expected: bool) -> None:
    assert findings.can_be_repaired(found) is expected


def test_a_finding_is_one_line_that_cannot_act_on_the_terminal() -> None:
    line = findings.sentence(Finding("a\x1b[2Jb\nc", "\u202ed\r.", "x" * 2000))
    assert line.startswith("a␛[2Jb c: ‹U+202E›d")
    assert len(line) == findings.LIMIT


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "all is well."),
        ([NOTE], "all is well."),
        ([WRONG], "1 thing is wrong."),
        ([WRONG, WRONG, NOTE], "2 things are wrong."),
        ([HEALED], "1 thing was mended."),
        ([WRONG, HEALED, HEALED], "1 thing is wrong and 2 things were mended."),
    ],
)
def test_the_verdict(found: list[Finding], expected: str) -> None:
    assert findings.verdict(found, "it") == f"Looked at it: {expected}"


def test_what_was_looked_at() -> None:
    expected = "the configuration, 1 plugin, and 128 sessions with 4,211 messages"
    assert findings.looked_at(1, 128, 4211) == expected


def test_json_holds_every_field() -> None:
    assert findings.records([HEALED]) == [
        {
            "where": "there",
            "problem": "It was broken.",
            "advice": "It was mended.",
            "healed": True,
            "note": False,
            "repairable": False,
        }
    ]
