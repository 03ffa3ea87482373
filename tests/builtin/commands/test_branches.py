from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.builtin.commands.branches import fork_name
from agno_shell.errors import SessionNotFoundError, UsageError
from agno_shell.testing.fake_context import FakeProvider


@pytest.fixture(autouse=True)
def no_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)


@pytest.fixture
async def talk(context: Any) -> Any:
    """Three turns, numbered 1 to 6."""
    for text in ("one", "two", "three"):
        await context.engine.ask(text)
    context.calls.clear()
    return context


def contents(context: Any) -> Any:
    return [message.content for message in context.engine.history]


# Back and forth --------------------------------------------------------------------------


async def test_undo_names_what_it_took_back(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    printed = (await type_line(context, "/undo")).splitlines()
    assert printed == ["Taken back: › three", "Nothing is deleted: /redo brings it back."]
    assert contents(context)[-1] == "echo: two"
    assert context.ui.filled == []


async def test_undo_of_several_names_each_and_says_when_there_were_no_more(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    printed = (await type_line(context, "/undo 9")).splitlines()
    assert printed[:4] == ["Taken back: 3 turns", "  › three", "  › two", "  › one"]
    assert printed[4] == "There were no more."
    assert talk.calls == [("undo", 9)]
    printed = await type_line(context, "/redo 2")
    assert printed.splitlines() == ["Brought back: 2 turns", "  › one", "  › two"]
    assert await type_line(context, "/redo 5") == "Brought back: › three\nThere were no more."


async def test_of_many_turns_ten_are_named(context: Any, type_line: Callable[..., Any]) -> None:
    for number in range(14):
        await context.engine.ask(f"question {number}")
    printed = (await type_line(context, "/undo 14")).splitlines()
    assert printed[0] == "Taken back: 14 turns"
    assert printed[-3:-1] == ["  › question 4", "  … and 4 more"]


async def test_a_long_question_is_named_by_its_beginning(
    context: Any, type_line: Callable[..., Any]
) -> None:
    await context.engine.ask("first\nline \x1b[2J" + "x" * 500)
    line = (await type_line(context, "/undo")).splitlines()[0]
    assert line.startswith("Taken back: › first line ␛[2Jxxx")
    assert line.endswith("…")
    assert len(line) < 80


@pytest.mark.parametrize("line", ["/undo x", "/undo 0", "/redo -1"])
async def test_a_number_is_a_number(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str
) -> None:
    with pytest.raises(UsageError, match="takes a number from 1 up"):
        await type_line(context, line)
    assert talk.calls == []


# Once more -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("/retry", None),
        ("/retry --model a/b", "a/b"),
        ("/retry --model=a/b", "a/b"),
        ('/retry --model "a/b"', "a/b"),
    ],
)
async def test_retry_takes_a_model(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str, model: Any
) -> None:
    await type_line(context, line)
    assert talk.calls == [("retry", model)]


@pytest.mark.parametrize(
    "line", ["/retry model-b", "/retry --model", "/retry --model a b", "/retry --model --x"]
)
async def test_retry_takes_nothing_else(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str
) -> None:
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert talk.calls == []


async def test_the_models_are_offered_behind_the_flag(
    make_context: Callable[..., Any], complete: Callable[..., Any]
) -> None:
    context = make_context(provider=FakeProvider(models=["model-a", "model-b"]))
    assert [each.text for each in await complete(context, "/retry ")] == ["--model "]
    assert [each.text for each in await complete(context, "/retry --model m")] == [
        "--model model-a",
        "--model model-b",
    ]


async def test_continue_goes_on_and_takes_no_words(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    with pytest.raises(UsageError, match="The last reply is whole"):
        await type_line(context, "/continue")
    assert talk.calls == [("resume",)]
    with pytest.raises(UsageError, match="/continue takes no arguments"):
        await type_line(context, "/continue with the second part")
    assert talk.calls == [("resume",)]


# In other words --------------------------------------------------------------------------


async def test_edit_puts_itself_into_the_input_line(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    context.ui.width = 80
    printed = await type_line(context, "/edit")
    assert context.ui.filled == ["/edit 5 -- three"]
    assert "Ctrl-C leaves everything as it is" in printed
    await type_line(context, "/edit 3")
    assert context.ui.filled[1:] == ["/edit 3 -- two"]
    assert talk.calls == []


async def test_without_a_screen_edit_says_how_to_give_the_words(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    printed = await type_line(context, "/edit 3")
    assert "/edit 3 -- TEXT asks it in other words" in printed
    assert "Change the line" not in printed


async def test_what_stands_behind_the_dashes_is_asked(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    old = context.engine.history[2]
    await type_line(context, "/edit 3 -- zwei\n  -- or 2?")
    assert talk.calls == [("edit", old.id, "zwei\n  -- or 2?")]
    assert contents(context) == ["one", "echo: one", "zwei\n  -- or 2?", "echo: zwei\n  -- or 2?"]
    await type_line(context, "/edit -- drei")
    assert contents(context)[2] == "drei"


@pytest.mark.parametrize("variable", ["VISUAL", "EDITOR"])
async def test_an_editor_is_used_where_one_is_set(
    make_context: Callable[..., Any],
    type_line: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    variable: Any,
) -> None:
    monkeypatch.setenv(variable, "vi")
    context = make_context(edits=["zwei\n", None])
    await context.engine.ask("two")
    await type_line(context, "/edit")
    assert context.ui.edited == ["two"]
    assert contents(context) == ["zwei", "echo: zwei"]
    assert await type_line(context, "/edit 1") == "Nothing was changed."
    assert contents(context) == ["zwei", "echo: zwei"]
    assert context.ui.filled == []


@pytest.mark.parametrize("text", ["x" * 2_001, "line\n" * 30 + "end"])
async def test_a_long_question_goes_to_the_editor(
    make_context: Callable[..., Any], type_line: Callable[..., Any], text: str
) -> None:
    context = make_context(edits=["shorter"])
    await context.engine.ask(text)
    await type_line(context, "/edit")
    assert context.ui.edited == [text]
    assert contents(context)[0] == "shorter"


async def test_the_same_words_are_not_asked_again(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    assert "Nothing was changed" in await type_line(context, "/edit 3 --   two ")
    assert talk.calls == []


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("/edit 4", "Message 4 is none of yours"),
        ("/edit 7", "There is no message 7: the conversation has 6 messages"),
        ("/edit 0", "There is no message 0"),
        ("/edit two", "A message's number is expected, not 'two'"),
        ("/edit 3 zwei", "A message's number is expected, not '3 zwei'"),
        ("/edit ٣", "A message's number is expected"),
        ("/edit 3 --", "A question cannot be empty"),
    ],
)
async def test_what_cannot_be_edited(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str, complaint: Any
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        await type_line(context, line)
    assert caught.value.hint
    assert talk.calls == []
    assert context.ui.filled == []


async def test_without_a_question_there_is_nothing_to_edit(
    context: Any, type_line: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="no question to edit"):
        await type_line(context, "/edit")


# A session of its own --------------------------------------------------------------------


async def test_fork_makes_a_session_and_opens_it(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    before = context.engine.session
    printed = await type_line(context, "/fork")
    assert context.engine.session.name == "First (fork)"
    assert contents(context)[-1] == "echo: three"
    assert printed == (
        f"'First (fork)' ({context.engine.session.session_id[:8]}) is a copy of 'First' "
        f"({before.session_id[:8]}); /switch {before.session_id[:8]} leads back there."
    )
    await type_line(context, "/fork")
    assert context.engine.session.name == "First (fork 2)"


@pytest.mark.parametrize(
    "line", ["/fork My plan --at 4", "/fork --at 4 My plan", '/fork "My plan" --at=4']
)
async def test_fork_takes_a_name_and_a_place(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str
) -> None:
    fourth = context.engine.history[3]
    printed = await type_line(context, line)
    assert talk.calls == [("fork", "My plan", fourth.id)]
    assert contents(context) == ["one", "echo: one", "two", "echo: two"]
    assert " up to message 4; /switch" in printed


async def test_a_name_that_is_taken_is_said(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    printed = await type_line(context, "/fork First")
    assert "1 other session of this name" in printed


@pytest.mark.parametrize("line", ["/fork --at", "/fork X --at nine", "/fork --at 9"])
async def test_what_cannot_be_forked(
    context: Any, type_line: Callable[..., Any], talk: Any, line: str
) -> None:
    with pytest.raises(UsageError):
        await type_line(context, line)
    assert talk.calls == []
    assert len(context.memory.sessions()) == 1


def test_a_fork_has_a_name_of_its_own() -> None:
    assert fork_name("Bread", []) == "Bread (fork)"
    assert fork_name("Bread", ["Bread (fork)"]) == "Bread (fork 2)"
    assert fork_name("Bread (fork)", ["Bread (fork)"]) == "Bread (fork 2)"
    assert fork_name("Bread (fork 2)", []) == "Bread (fork)"
    taken = ["Bread (fork)", "Bread (fork 2)", "Bread (fork 3)"]
    assert fork_name("Bread (fork 2)", taken) == "Bread (fork 4)"
    assert len(fork_name("x" * 200, [])) == 200


async def test_a_session_that_is_gone_is_said(
    context: Any, type_line: Callable[..., Any], talk: Any
) -> None:
    context.memory.delete(context.engine.session.session_id)
    with pytest.raises(SessionNotFoundError):
        await type_line(context, "/fork")
