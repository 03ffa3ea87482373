"""The drawing of a tree as a person sees it, and going to a branch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.commands.tree_lines import lines
from agno_shell.builtin.commands.tree_shape import Row
from agno_shell.contracts import Line
from agno_shell.errors import UsageError
from agno_shell.toolkit.terminal_text import clean
from agno_shell.toolkit.text_table import text_width
from agno_shell.types import Message, now

MOMENT = now()
TODAY = MOMENT.astimezone().date()


def text(line: Line) -> str:
    return "".join(part for _style, part in line)


def turn(question: Any = "question", reply: Any = "reply", **changes: Any) -> Any:
    return (
        Message("q", "user", question, MOMENT),
        Message("r", "assistant", reply, MOMENT, "q")._replace(**changes),
    )


@pytest.fixture
async def branches(context: Any) -> Any:
    """Two turns; the second was edited, and its question answered twice."""
    for words in ("one", "two"):
        await context.engine.ask(words)
    await context.engine.edit(context.engine.history[2].id, "zwei")
    await context.engine.retry("model-b")
    context.calls.clear()
    return context


def offered(context: Any, at: Any = -1) -> Any:
    return [text(line).rstrip().rpartition("  ")[0].rstrip() for line in context.ui.offered[at]]


def test_without_a_width_no_line_is_filled_up_with_blanks() -> None:
    (line,) = lines([Row("", turn(), is_head=True, key="q")], 0, TODAY)
    assert text(line).startswith("* question  reply  ")
    assert "   " not in text(line)


async def test_the_branches_are_offered_and_the_list_begins_at_the_head(
    branches: Any, type_line: Callable[..., Any]
) -> None:
    branches.ui.choices.append(None)
    branches.ui.width = 80
    printed = await type_line(branches, "/tree")
    assert offered(branches) == [
        "  1 one  2 echo: one",
        "  ├─ two  echo: two",
        "  3 zwei",
        "  ├─ echo: zwei",
        "* 4 echo: zwei",
    ]
    assert branches.ui.defaults == [4]
    # Nobody chose: the drawing stays on the screen.
    assert printed.splitlines() == [text(line) for line in branches.ui.offered[0]]
    assert max(map(len, printed.splitlines())) <= 80
    assert branches.calls == []


async def test_a_row_that_is_picked_is_gone_to(
    branches: Any, type_line: Callable[..., Any]
) -> None:
    branches.ui.choices.append(1)
    printed = await type_line(branches, "/tree")
    assert [message.content for message in branches.engine.history] == [
        "one",
        "echo: one",
        "two",
        "echo: two",
    ]
    assert [message.content for message in branches.ui.shown] == ["two", "echo: two"]
    assert printed == "The conversation stands here now; what you type next follows this."


async def test_where_it_stands_already_nothing_happens(
    branches: Any, type_line: Callable[..., Any]
) -> None:
    branches.ui.choices.append(4)
    assert await type_line(branches, "/tree") == "The conversation stands there already."
    assert branches.calls == []


async def test_dots_show_more_when_they_are_picked(
    make_context: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    context = make_context(choices=[1, 11, 5])
    for number in range(40):
        await context.engine.ask(f"question {number}")
    await type_line(context, "/tree")
    assert offered(context, 0)[0].startswith("  1 question 0")
    assert text(context.ui.offered[0][1]) == "  … 38 turns"
    assert text(context.ui.offered[1][11]) == "  … 18 turns"
    assert len(context.ui.offered[2]) == 40
    assert context.ui.defaults == [2, 22, 39]
    assert len(context.engine.history) == 12


async def test_before_the_first_message_every_branch_is_there(
    branches: Any, type_line: Callable[..., Any]
) -> None:
    await branches.engine.undo(9)
    branches.ui.choices.append(0)
    await type_line(branches, "/tree")
    assert not any(line.startswith("*") for line in offered(branches))
    assert branches.ui.defaults == [4]
    assert [message.content for message in branches.engine.history] == ["one", "echo: one"]


async def test_an_empty_session_has_no_tree(context: Any, type_line: Callable[..., Any]) -> None:
    assert "Nothing has been said" in await type_line(context, "/tree")
    with pytest.raises(UsageError):
        await type_line(context, "/tree 3")


def test_a_row_tells_time_state_and_models_where_there_are_several() -> None:
    rows = [
        Row("", turn(model="openai/model-a"), 1),
        Row("├─ ", turn(model="x/model-b", status="interrupted"), None),
        Row("", turn(reply="", status="failed"), 3, is_head=True),
    ]
    clock = MOMENT.astimezone().strftime("%H:%M")
    first, second, third = (text(line) for line in lines(rows, 80, TODAY))
    assert first.startswith("  1 question  2 reply   ")
    assert first.endswith(f"  model-a · {clock}")
    assert second.startswith("  ├─ question  reply   ")
    assert second.endswith(f"  stopped · model-b · {clock}")
    assert third.startswith("* 3 question  4 no answer   ")
    assert third.endswith(f"  {clock}")
    assert {len(first), len(second), len(third)} == {80}
    [alone] = lines(rows[:1], 80, TODAY)
    assert "model-a" not in text(alone)


def test_a_day_that_is_not_today_is_named() -> None:
    def when(moment: Any) -> Any:
        message = Message("q", "user", "x", moment)
        return text(lines([Row("", (message,), 1)], 80, date(2026, 7, 20))[0]).split()[2:]

    noon = MOMENT.astimezone().replace(2026, 3, 5, 12, 0)
    assert when(noon) == ["Mar", "5"]
    assert when(noon - timedelta(days=365)) == ["2025-03-05"]


def test_the_last_reply_with_words_is_shown() -> None:
    messages = (
        *turn("question", "I look it up."),
        Message("t", "tool", "found", MOMENT, "r"),
        Message("s", "assistant", "It is so.", MOMENT, "t"),
        Message("u", "summary", "in short", MOMENT, "s"),
    )
    [line] = lines([Row("", messages, 5)], 60, TODAY)
    assert text(line).startswith("  5 question  8 It is so.")
    [line] = lines([Row("", messages[2:3], 7)], 60, TODAY)
    assert text(line).startswith("  7 (tool) found")


WORDS = st.text(max_size=120)


@given(WORDS, WORDS, st.integers(1, 200), st.booleans())
def test_no_row_is_wider_than_there_is_room_nor_acts_on_a_terminal(
    question: Any, reply: Any, width: Any, deep: Any
) -> None:
    lead = "│  " * 4 * deep + "├─ " * deep
    rows = [Row(lead, turn(question, reply, model="m" * 50), 9, is_head=True)] * 2
    rows.append(Row("", turn("x", "y", model="other"), 1))
    for line in lines(rows, width, TODAY):
        assert text_width(text(line)) <= max(width, text_width(lead) + 6)
        assert "\n" not in text(line)
        assert clean(text(line)) == text(line)
