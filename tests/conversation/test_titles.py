from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agno_shell.conversation.driver import Driver
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.titles import (
    EXCERPT,
    LONGEST,
    Titles,
    clean_title,
    first_exchange,
    has_default_name,
)
from agno_shell.errors import StorageError
from agno_shell.events import Failed, Finished, Request, UsageReported
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import (
    Message,
    Session,
    Usage,
    default_session_name,
    new_id,
    new_session,
    now,
)

Make = Callable[..., Engine]
ON = {"conversation.auto_title": True}


# Which sessions ---------------------------------------------------------------------------


def session(name: str, created_at: datetime) -> Session:
    return new_session(name, created_at=created_at)


MOMENT = datetime(2026, 7, 20, 10, 30, 59, tzinfo=UTC)


@pytest.mark.parametrize("hours", [-12, -9.5, 0, 5.75, 14])
@pytest.mark.parametrize("late", [0, 2])
def test_a_default_name_is_known_in_any_time_zone(hours: float, late: int) -> None:
    there = MOMENT + timedelta(hours=hours)
    name = f"Session {there:%Y-%m-%d %H:%M}"
    assert has_default_name(session(name, MOMENT + timedelta(seconds=late)))


@pytest.mark.parametrize(
    "name",
    [
        "Tax questions",
        "Session 2026-07-20 10:31",  # another minute: typed, or copied
        "Session 2026-07-20 10:28",
        "Session 2026-07-22 10:30",
        "Session 2026-07-20 10:30!",
        "Session 2026-07-20 10:3٠",
        "Session 2026-02-30 10:30",
        "session 2026-07-20 10:30",
    ],
)
def test_a_name_that_was_given_is_known_as_well(name: str) -> None:
    assert not has_default_name(session(name, MOMENT))


def test_the_name_that_the_shell_gives_is_a_default_name() -> None:
    assert has_default_name(new_session(default_session_name(now())))
    assert has_default_name(new_session(""))


def test_a_clock_at_the_end_of_time_is_no_error() -> None:
    assert not has_default_name(
        session("Session 2026-07-20 10:30", datetime.max.replace(tzinfo=UTC))
    )
    assert not has_default_name(
        session("Session 0001-01-01 00:00", datetime.min.replace(tzinfo=UTC) + timedelta(days=9))
    )


def test_the_first_exchange_is_the_first_question_with_a_whole_reply() -> None:
    def said(role: Any, content: str, status: Any = "complete") -> Message:
        return Message(new_id(), role, content, now(), status=status)

    failed = [said("user", "one"), said("assistant", "", "failed")]
    empty = [said("user", "two"), said("assistant", " ")]
    whole = [said("user", "three"), said("tool", "x"), said("assistant", "yes")]
    assert first_exchange([]) is None
    assert first_exchange([*failed, *empty]) is None
    assert first_exchange([*failed, *empty, *whole, *whole]) == (whole[0], whole[2])
    assert first_exchange([said("assistant", "nobody asked")]) is None


# What a model says ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Blue cups", "Blue cups"),
        ('"Blue cups."', "Blue cups"),
        ("„Blaue Tassen“\n", "Blaue Tassen"),
        ("**Title:** Blue cups", "Blue cups"),
        ("# Blue *cups*", "Blue *cups"),
        ("\n\n  Title: Blue\tcups  \nHere is why:", "Blue cups"),
        ("青い杯。", "青い杯"),
        ("<think>\nA name, well\n</think>\n\nBlue cups", "Blue cups"),
        ("<think>\nnever ends", ""),
        ("\x1b[31mRed\x07 cups\u202e\u200b", "[31mRed cups"),
        ("a\u2028b", "a"),
        ("Why?", "Why?"),
        ("", ""),
        ('"..."', ""),
    ],
)
def test_an_answer_becomes_one_clean_line(said: str, title: str) -> None:
    assert clean_title(said) == title


def test_a_long_answer_is_cut_between_words() -> None:
    title = clean_title("word " * 40)
    assert title == "word " * 10 + "word…"
    assert len(clean_title("x" * 200)) == LONGEST


# In the background ------------------------------------------------------------------------


@pytest.fixture
async def untitled(make_engine: Make) -> Engine:
    """A session that was given no name, titles switched on."""
    engine = make_engine(values=ON)
    await engine.create("")
    return engine


async def turn(engine: Engine, text: str = "Which cups?") -> Message | None:
    turn = engine.turn(text)
    await events_of(turn)
    return turn.reply


class Named(Driver):
    def __init__(self, named: Callable[[], object]) -> None:
        self.renamed = named  # type: ignore[method-assign, assignment]


def titles_of(engine: Engine, named: Callable[[], object]) -> Titles:
    engine.driver = Named(named)
    return engine.titles


async def titled(engine: Engine, titles: Titles, text: str = "Which cups?") -> str:
    """The session's name after a turn, once the title's request is over."""
    titles.after(await turn(engine, text))
    await asyncio.gather(*titles._tasks)
    return engine.session.name


async def test_a_session_gets_a_title_from_its_first_exchange(
    untitled: Engine, provider: ScriptedProvider
) -> None:
    named: list[str] = []
    titles = titles_of(untitled, lambda: named.append(untitled.session.name))
    provider.scripts.extend([["The blue ones.", Finished()], ['"Blue cups."', Finished()]])
    assert await titled(untitled, titles) == "Blue cups"
    assert named == ["Blue cups"]
    session_id = untitled.session.session_id
    kept = await untitled.store(lambda storage: storage.open(session_id))
    assert (kept.name, kept.message_count) == ("Blue cups", 2)
    request = provider.requests[1]
    assert request.model == "model-x"
    assert "Which cups?" in request.messages[-1].content
    assert "The blue ones." in request.messages[-1].content
    # One is enough.
    await titled(untitled, titles, "And now?")
    assert len(provider.requests) == 3


async def test_nothing_is_sent_when_it_is_off(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine()
    await engine.create("")
    await engine.ask("Which cups?")
    assert len(provider.requests) == 1


async def test_nothing_is_sent_for_a_session_with_a_name_or_without_an_answer(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine(values=ON)
    titles = titles_of(engine, lambda: None)
    await engine.create("Mine")
    assert await titled(engine, titles) == "Mine"
    await engine.create("")
    provider.scripts.append(["half", Failed("server", "Cut off.")])
    await titled(engine, titles)
    titles.after(None)
    assert len(provider.requests) == 2


async def test_without_a_model_nobody_is_asked(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine(values=ON, default=None)
    await engine.create("")
    await titled(engine, titles_of(engine, lambda: None))
    assert len(provider.requests) == 1


async def test_the_cheap_model_is_asked_where_one_is_set(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine(values={**ON, "conversation.title_model": "cheap"})
    await engine.create("")
    await engine.editor.update(api_base="http://localhost:1/v1")
    await titled(engine, titles_of(engine, lambda: None), "long " * 1_000)
    request = provider.requests[1]
    assert (request.model, request.api_base) == ("cheap", "http://localhost:1/v1")
    assert len(request.messages[-1].content) < 2 * EXCERPT + 200


async def test_a_plugin_sees_this_request_as_well(
    untitled: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    def censor(request: Request) -> Request:
        changed = tuple(
            m._replace(content=m.content.replace("cups", "XXX")) for m in request.messages
        )
        return Request(request.model, changed)

    register("censor", prepare_request=censor)
    await titled(untitled, titles_of(untitled, lambda: None))
    assert len(provider.requests) == 2
    assert "cups" not in provider.requests[1].messages[-1].content


async def test_a_broken_filter_keeps_this_request_back_as_well(
    untitled: Engine, provider: ScriptedProvider, register: Callable[..., None]
) -> None:
    titles = titles_of(untitled, lambda: pytest.fail("nothing was named"))
    reply = await turn(untitled)
    register("censor", prepare_request=lambda request: 1 // 0)
    titles.after(reply)
    await asyncio.gather(*titles._tasks)
    assert len(provider.requests) == 1


async def test_a_name_given_meanwhile_stays(make_engine: Make, provider: ScriptedProvider) -> None:
    storage = MemoryStorage()
    engine = make_engine(storage, values=ON)
    session_id = (await engine.create("")).session_id
    gate = asyncio.Event()
    titles = titles_of(engine, lambda: pytest.fail("nothing was named"))
    provider.scripts.extend([["Yes", Finished()], [gate, "Blue cups", Finished()]])
    titles.after(await turn(engine))
    while len(provider.requests) < 2:
        await asyncio.sleep(0)
    storage.update(session_id, name="Mine")  # in another shell
    gate.set()
    await asyncio.gather(*titles._tasks)
    assert storage.open(session_id).name == "Mine"


async def test_the_title_goes_to_the_session_it_was_made_for(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    engine = make_engine(storage, values=ON)
    first = (await engine.create("")).session_id
    gate = asyncio.Event()
    titles = titles_of(engine, lambda: pytest.fail("another one is open"))
    provider.scripts.extend([["Yes", Finished()], [gate, "Blue cups", Finished()]])
    titles.after(await turn(engine))
    other = (await engine.create("Other")).session_id
    gate.set()
    await asyncio.gather(*titles._tasks)
    assert (storage.open(first).name, storage.open(other).name) == ("Blue cups", "Other")
    assert engine.session.session_id == other


@pytest.mark.parametrize(
    "script",
    [
        [Failed("server", "It broke.")],
        [ValueError("a bug")],
        ["Half a ti"],
        ["Half a ti", Finished("length")],
        [Finished()],
        ["x" * 5_000, Finished()],
    ],
)
async def test_a_failure_is_silent_and_not_tried_again(
    untitled: Engine, provider: ScriptedProvider, script: list[Any]
) -> None:
    titles = titles_of(untitled, lambda: pytest.fail("nothing was named"))
    provider.scripts.extend([["Yes", Finished()], script])
    assert has_default_name(untitled.session)
    assert (await titled(untitled, titles)).startswith("Session ")
    await titled(untitled, titles, "Again")
    assert len(provider.requests) == 3


async def test_a_session_that_cannot_be_written_stays_as_it_is(
    untitled: Engine, monkeypatch: pytest.MonkeyPatch, provider: ScriptedProvider
) -> None:
    def refuse(*_given: Any, **_more: Any) -> Session:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(MemoryStorage, "update", refuse)
    titles = titles_of(untitled, lambda: pytest.fail("nothing was named"))
    assert (await titled(untitled, titles)).startswith("Session ")
    assert len(provider.requests) == 2


async def test_closing_gives_up_at_once_what_is_under_way(
    untitled: Engine, provider: ScriptedProvider
) -> None:
    titles = titles_of(untitled, lambda: None)
    provider.scripts.extend([["Yes", Finished()], [asyncio.Event()]])
    titles.after(await turn(untitled))
    while len(provider.requests) < 2:
        await asyncio.sleep(0)
    await asyncio.wait_for(titles.close(), 20)
    assert provider.closed_streams == 2


async def test_a_session_that_has_cost_its_limit_gets_no_title(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine(values={**ON, "provider.max_cost_per_session": 1.0})
    await engine.create("")
    titles = titles_of(engine, lambda: pytest.fail("nothing was named"))
    provider.scripts.append(["Yes", UsageReported(Usage(5, 5, cost=1.0)), Finished()])
    await titled(engine, titles)
    assert len(provider.requests) == 1


async def test_what_a_title_costs_is_counted(untitled: Engine, provider: ScriptedProvider) -> None:
    titles = titles_of(untitled, lambda: None)
    usage = UsageReported(Usage(50, 5, cost=0.001))
    provider.scripts.extend([["Yes", Finished()], ["Cups", usage, Finished()]])
    await titled(untitled, titles)
    ledger = untitled.ledger
    assert ledger.run.cost == 0.001
    assert ledger.in_session(untitled.session.session_id).input_tokens == 50
