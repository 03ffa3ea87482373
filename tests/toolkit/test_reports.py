from __future__ import annotations

import json

import pytest

from agno_shell.contracts import Figures, Step
from agno_shell.toolkit.reports import (
    NO_FIGURES,
    dollars,
    figures_line,
    reply_line,
    seconds,
    tokens_per_second,
    trace_lines,
    trace_record,
)
from agno_shell.types import Message, Timing, Usage, now


def reply(usage: Usage | None = None, timing: Timing | None = None) -> Message:
    return Message("r", "assistant", "text", now(), usage=usage, timing=timing)


def test_the_figures_of_a_reply() -> None:
    line = reply_line(
        reply(Usage(12_000, 1_000, 40, 10_000, 0.00123), Timing(first_token=0.25, total=2.25))
    )
    assert line == (
        "12,000 tokens in (10,000 cached) · 1,000 out (40 reasoning) · first token 250 ms"
        " · 500 tokens/s · $0.0012"
    )


def test_what_is_not_known_is_not_made_up() -> None:
    assert reply_line(reply()) == NO_FIGURES
    assert reply_line(reply(Usage(input_tokens=5))) == "5 tokens in"
    assert reply_line(reply(Usage(output_tokens=5))) == "5 tokens out"
    assert reply_line(reply(None, Timing(1.5, 1.5))) == "first token 1.5 s"
    assert figures_line(Figures(2, unpriced=2)) == "2 replies · 2 of unknown cost"


def test_a_zero_that_is_known_is_shown() -> None:
    assert reply_line(reply(Usage(0, 0, cost=0.0))) == "0 tokens in · 0 out · $0"


def test_sums_of_several_replies() -> None:
    assert figures_line(Figures()) == ""
    assert figures_line(Figures(1, 10, 5)) == "1 reply · 10 tokens in · 5 out"
    whole = Figures(1_234, 1_000_000, 2_000, 30, 400, 12.5, unpriced=3)
    assert figures_line(whole) == (
        "1,234 replies · 1,000,000 tokens in (400 cached) · 2,000 out (30 reasoning)"
        " · $12.50 · 3 of unknown cost"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "$0"),
        (0.00001, "<$0.0001"),
        (0.0001, "$0.0001"),
        (0.25, "$0.2500"),
        (1, "$1.00"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars(value: float, shown: str) -> None:
    assert dollars(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 ms"), (0.2504, "250 ms"), (0.9996, "1.0 s"), (1234.56, "1,234.6 s")],
)
def test_seconds(value: float, shown: str) -> None:
    assert seconds(value) == shown


@pytest.mark.parametrize(
    ("usage", "timing"),
    [
        (None, Timing(0.1, 1.0)),
        (Usage(5, None), Timing(0.1, 1.0)),
        (Usage(5, 0), Timing(0.1, 1.0)),
        (Usage(5, 5), None),
        (Usage(5, 5), Timing(None, 1.0)),
        (Usage(5, 5), Timing(1.0, 1.0)),  # all of it came at once
    ],
)
def test_a_speed_that_cannot_be_known(usage: Usage | None, timing: Timing | None) -> None:
    assert tokens_per_second(reply(usage, timing)) is None


def test_the_speed_counts_from_the_first_token() -> None:
    assert tokens_per_second(reply(Usage(5, 100), Timing(1.0, 3.0))) == 50.0


TREE = Step(
    "turn",
    "m, complete",
    0.0,
    2.5,
    (
        Step("saved", "the question", 0.001),
        Step("request", "m: 3 messages", 0.002, 2.4, (Step("first token", "", 0.25),)),
        Step("saved", "the reply", 2.5),
    ),
)


def test_a_trace_is_a_tree_with_its_times_in_columns() -> None:
    assert trace_lines(TREE) == [
        "  0 ms  2.5 s  turn               m, complete",
        "  1 ms         ├─ saved           the question",
        "  2 ms  2.4 s  ├─ request         m: 3 messages",
        "250 ms         │  └─ first token",
        " 2.5 s         └─ saved           the reply",
    ]


def test_a_trace_fits_the_terminal() -> None:
    lines = trace_lines(TREE, 30)
    assert all(len(line) <= 30 for line in lines)
    assert lines[0].endswith("…")


def test_nothing_foreign_in_a_trace_acts() -> None:
    step = Step("turn", "evil\x1b[2J\nsecond line\u202e", 0.0)
    assert trace_lines(step) == ["0 ms    turn  evil␛[2J second line‹U+202E›"]


def test_a_trace_as_json() -> None:
    record = json.loads(json.dumps(trace_record(TREE)))
    assert record["name"] == "turn"
    assert record["took"] == 2.5
    assert record["steps"][1]["steps"] == [
        {"name": "first token", "detail": "", "began": 0.25, "took": None, "steps": []}
    ]
