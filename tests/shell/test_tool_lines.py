from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.contracts import Line
from agno_shell.shell.tool_lines import (
    ARGUMENT_LINES,
    ONE_LINE,
    RESULT_LINES,
    call_lines,
    result_lines,
    stored_call_line,
    stored_result_line,
)
from agno_shell.toolkit.terminal_text import clean
from agno_shell.toolkit.text_table import text_width
from agno_shell.types import Message, ToolCall, now


def text(lines: list[Line]) -> list[str]:
    return ["".join(part for _style, part in line) for line in lines]


def call(arguments: Any) -> ToolCall:
    return ToolCall("c", "tool", arguments if isinstance(arguments, str) else json.dumps(arguments))


def result(content: str, status: Any = "complete") -> Message:
    return Message("t", "tool", content, now(), status=status)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("", ["▷ tool"]),
        ("{}", ["▷ tool"]),
        ('{"a":1}', ['▷ tool {"a": 1}']),
        ("{broken", ["▷ tool {broken"]),
        ('{"a": "\\u202e\\u001b[2J"}', ['▷ tool {"a": "‹U+202E›\\u001b[2J"}']),
        ("[" * 30_000, ["▷ tool", "  " + "[" * 4000, "  … 26,000 more characters"]),
    ],
)
def test_short_arguments_stand_behind_the_name(arguments: str, shown: list[str]) -> None:
    assert text(call_lines(call(arguments))) == shown


def test_long_arguments_have_lines_of_their_own_of_which_the_first_are_shown() -> None:
    lines = text(call_lines(call({f"key {n:02}": "x" * 20 for n in range(40)})))
    assert lines[:3] == ["▷ tool", "  {", '    "key 00": "' + "x" * 20 + '",']
    assert len(lines) == 1 + ARGUMENT_LINES + 1
    assert lines[-1] == f"  … {42 - ARGUMENT_LINES} more lines"


@given(st.dictionaries(st.text(), st.text() | st.integers()))
def test_whole_arguments_hide_nothing_and_pass_for_nothing_else(arguments: dict[str, Any]) -> None:
    lines = text(call_lines(call({**arguments, "long": "x" * ONE_LINE}), whole=True))
    assert len(lines) == 1 + 1 + len({**arguments, "long": 0}) + 1
    shown = "\n".join(lines)
    for part in (*arguments, *(each for each in arguments.values() if isinstance(each, str))):
        escaped = json.dumps(part, ensure_ascii=False)
        escaped = escaped.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        assert clean(escaped) in shown


def test_no_row_of_a_wide_line_passes_for_a_line() -> None:
    value = "x" * 60 + '"danger": false' + "漢" * 60
    lines = text(call_lines(call({"a": value}), whole=True, width=40))
    assert lines[:2] == ["▷ tool", "  {"]
    assert lines[2].startswith('    "a": "xxx')
    assert all(line.startswith("  ↪ ") for line in lines[3:-1])
    assert all(text_width(line) <= 40 for line in lines)
    assert (
        "".join(line.removeprefix("  ").removeprefix("↪ ") for line in lines[2:-1]).strip()
        == (json.dumps({"a": value}, ensure_ascii=False)[1:-1])
    )


def test_of_a_result_the_first_lines_are_shown_and_its_size() -> None:
    assert text(result_lines(result("a\x1b\nb\n"), 0.25)) == ["  a␛", "  b", "  5 B · 0.2 s"]
    assert text(result_lines(result(""), 0.0)) == ["  0 B · 0.0 s"]
    lines = text(result_lines(result("\n".join("line" for _ in range(100))), None))
    assert len(lines) == RESULT_LINES + 2
    assert lines[-2:] == [f"  … {100 - RESULT_LINES} more lines", "  499 B"]
    assert text(result_lines(result("x" * 5000), None))[1] == "  … 4,000 more characters"


@pytest.mark.parametrize(("status", "word"), [("failed", "failed"), ("interrupted", "stopped")])
def test_a_result_that_is_none_says_so(status: str, word: str) -> None:
    assert text(result_lines(result("No.", status), 1.0)) == ["  No.", f"  {word} · 3 B · 1.0 s"]
    assert text([stored_result_line(result("No.", status))]) == [f"  No. · 3 B · {word}"]


def test_of_earlier_turns_each_takes_one_line() -> None:
    assert text([stored_call_line(call({"a": "b\nc" * 100}))])[0].startswith('▷ tool {"a": "b\\nc')
    assert text([stored_result_line(result("one\ntwo\x1b"))]) == ["  one two␛ · 8 B"]
    assert text([stored_result_line(result("x" * 1000))])[0].endswith("… · 1.0 kB")
    assert text([stored_result_line(result(""))]) == ["  0 B"]
