from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from agno_shell.builtin.commands.search import SearchArguments, parse
from agno_shell.contracts import Progress
from agno_shell.errors import SessionNotFoundError, StorageError, UsageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.toolkit.text_table import text_width


def plain(line: Any) -> str:
    return "".join(text for _style, text in line)


@pytest.fixture
def talk(make_context: Callable[..., Any], say: Any) -> Any:
    """A context with a session about cups, and another one that is open."""

    def make(**arguments: Any) -> Any:
        context = make_context(**arguments)
        say(context, "user: where are the blue cups?", "assistant: Cups\nare out")
        context.know(context.memory.create("Other"))
        say(context, "user: no cup, but cups")
        return context

    return make


def first(context: Any) -> Any:
    return next(each for each in context.memory.sessions() if each.name == "First")


async def test_what_is_chosen_is_opened_at_the_message(
    talk: Any, type_line: Callable[..., Any]
) -> None:
    context = talk(choices=[0])
    assert await type_line(context, '/search "blue cups"') == ""
    asked = context.memory.tree(first(context).session_id)[0]
    assert (context.driver.switched, context.driver.switched_at) == (
        [first(context).session_id],
        [asked.id],
    )
    ((line,),) = context.ui.offered
    date = asked.created_at.astimezone().strftime("%Y-%m-%d")
    assert plain(line) == f"First  {date}  user  where are the blue cups?"
    assert ("bold", "blue cups") in line


async def test_a_session_that_was_deleted_since_it_was_found_can_be_brought_back(
    talk: Any, type_line: Callable[..., Any]
) -> None:
    context = talk(choices=[0])
    session = first(context)
    search = context.memory.search

    def then_deleted(query: Any, **limits: Any) -> Any:
        found = search(query, **limits)
        context.memory.delete(session.session_id)
        return found

    context.memory.search = then_deleted
    with pytest.raises(SessionNotFoundError, match="was deleted since it was found") as raised:
        await type_line(context, '/search "blue cups"')
    assert f"/undelete {session.session_id[:8]}" in raised.value.hint


async def test_what_was_found_stays_to_be_read_when_nothing_is_chosen(
    talk: Any, type_line: Callable[..., Any]
) -> None:
    context = talk(choices=[None])
    printed = (await type_line(context, "/search cups")).splitlines()
    assert len(printed) == 6
    assert context.driver.switched == []
    ids = [first(context).session_id[:8], context.engine.session.session_id[:8]]
    assert sorted({line[:8] for line in printed[::2]}) == sorted(ids)
    assert sorted(printed[1::2]) == [
        "  Cups are out",
        "  no cup, but cups",
        "  where are the blue cups?",
    ]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("cups", 3),
        ("--here cups", 1),
        ("--session First cups", 2),
        ("--session First --role assistant cups", 1),
        ("--limit 2 cups", 2),
        ("--since 2001-01-01 cups", 3),
        ("cup*", 3),
    ],
)
async def test_options_narrow_the_search(
    talk: Any, type_line: Callable[..., Any], typed: str, number: Any
) -> None:
    context = talk(choices=[None])
    await type_line(context, f"/search {typed}")
    assert len(context.ui.offered[0]) == number


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("saucer", "No message holds 'saucer'."),
        ("--here blue", "No message holds 'blue' within these limits."),
        ("--since 2999-01-01T12:00 cups", "No message holds 'cups' within these limits."),
        ("* ?", "There is no letter, digit or symbol in that, so nothing was searched."),
        ("x\x1by", "No message holds 'x␛y'."),
    ],
)
async def test_nothing_found_is_said(
    talk: Any, type_line: Callable[..., Any], typed: str, sentence: Any
) -> None:
    context = talk()
    assert await type_line(context, f"/search {typed}") == sentence
    assert context.ui.offered == []


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("tax return", SearchArguments("tax return")),
        ('"blue cups" sauc*', SearchArguments('"blue cups" sauc*')),
        ("--here x", SearchArguments("x", here=True)),
        (
            '--session "Tax return" --limit 5  x  y',
            SearchArguments("x  y", session="Tax return", limit=5),
        ),
        ("the --here option", SearchArguments("the --here option")),
        ("--hereafter x", SearchArguments("--hereafter x")),
        ("--unknown x", SearchArguments("--unknown x")),
        ("-- --here x", SearchArguments("--here x")),
        ("--here -- --role", SearchArguments("--role", here=True)),
        ("--role user x", SearchArguments("x", role="user")),
        (
            "--since 2026-01-31 x",
            SearchArguments("x", since=datetime(2026, 1, 31).astimezone()),
        ),
    ],
)
def test_options_stand_before_the_words(typed: str, wanted: Any) -> None:
    assert parse(typed) == wanted


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "--", "--here", "--role oracle x", "--role", "--since soon x"),
        *("--limit 0 x", "--limit ٣ x", "--session", "--since  "),
    ],
)
def test_a_wrong_use_says_what_is_right(typed: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(typed)
    assert raised.value.hint


async def test_an_unknown_session_is_an_error(talk: Any, type_line: Callable[..., Any]) -> None:
    with pytest.raises(SessionNotFoundError):
        await type_line(talk(), "/search --session Nowhere cups")


async def test_a_storage_that_cannot_search(talk: Any, type_line: Callable[..., Any]) -> None:
    context = talk()
    context.memory.can_search = False
    with pytest.raises(StorageError, match="cannot search") as raised:
        await type_line(context, "/search cups")
    assert raised.value.hint


async def test_on_a_narrow_screen_what_was_found_is_still_seen(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(choices=[0], width=80)
    say(context, "user: " + "so it went on and on " * 4 + "to the blue cups at last")
    await type_line(context, "/search cups")
    (line,) = context.ui.offered[0]
    assert plain(line).index("cups") < 75


@pytest.mark.parametrize("name", ["A name that is long itself", "とても長い名前のセッションである"])
async def test_in_forty_columns_what_was_found_is_seen_beside_the_name(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any, name: str
) -> None:
    storage = MemoryStorage()
    storage.set_current(storage.create(name).session_id)
    context = make_context(storage=storage, choices=[0], width=40)
    say(context, "user: 大阪はどうですか大阪はどうですか needle ですか")
    await type_line(context, "/search needle")
    ((line,),) = context.ui.offered
    shown = plain(line)
    assert shown.startswith(name[:3])
    assert text_width(shown[: shown.index("needle") + len("needle")]) <= 40 - 8


async def test_foreign_text_in_a_hit_does_not_act(
    make_context: Callable[..., Any], type_line: Callable[..., Any], say: Any
) -> None:
    context = make_context(choices=[None])
    await type_line(context, "/rename \x1b[31mred")
    say(context, "user: the \x1b[5mneedle\u202e")
    printed = await type_line(context, "/search 5mneedle")
    assert "\x1b" not in printed
    assert "\x1b" not in plain(context.ui.offered[0][0])
    assert "‹U+202E›" in printed


async def test_the_first_search_says_how_far_it_has_come(
    talk: Any, type_line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[Any] = []

    def prepare() -> Iterator[Any]:
        for done in range(3):
            order.append(done)
            yield Progress(done * 1000, 2000)

    context = talk(choices=[None, None])
    real = context.memory.search
    monkeypatch.setattr(context.memory, "prepare_search", prepare)
    monkeypatch.setattr(
        context.memory, "search", lambda *args, **kw: order.append("search") or real(*args, **kw)
    )
    await type_line(context, "/search cups")
    assert order == [0, 1, 2, "search"]
    assert context.ui.progresses[1] == "Indexing 1,000 of 2,000 sessions … Ctrl-C stops."
    assert context.ui.progresses[-1] == ""
    order.clear()
    await type_line(context, "/search --here cups")
    assert order == ["search"]
