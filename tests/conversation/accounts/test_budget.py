from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.contracts import Tool, ToolBox, ToolFactory
from agno_shell.conversation.driver import Driver
from agno_shell.conversation.engine import Engine
from agno_shell.errors import ProviderError, StorageError
from agno_shell.events import Failed, Finished, Interrupted, TurnEvent, UsageReported
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Session, ToolCall, ToolSchema, Usage, new_id, now

Make = Callable[..., Engine]
LIMIT = "provider.max_cost_per_session"


async def run(engine: Engine, text: str = "Go") -> list[TurnEvent]:
    return await events_of(engine.turn(text))


def costs(dollars: float | None) -> list[Any]:
    return ["Yes", UsageReported(Usage(10, 1, cost=dollars)), Finished()]


def stored(*prices: float | None) -> tuple[MemoryStorage, Session]:
    """A session whose replies cost so much, each on a branch of its own."""
    storage = MemoryStorage()
    session = storage.create("Dear")
    question = Message(new_id(), "user", "Hi", now())
    storage.append(session.session_id, question)
    for price in prices:
        usage = Usage(5, 5, cost=price)
        reply = Message(new_id(), "assistant", "Yo", now(), question.id, model="m", usage=usage)
        storage.append(session.session_id, reply)
    return storage, session


class User(Driver):
    """Gives the answers, one after the other, to what the engine asks."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    async def may_spend(self, question: str) -> bool:
        self.questions.append(question)
        return self.answers.pop(0)


async def test_without_a_limit_nothing_is_asked_and_nothing_is_read(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    class Unreadable(MemoryStorage):
        def tree(self, session_id: str) -> list[Message]:
            raise AssertionError("nobody needs it")

    engine = make_engine(Unreadable())
    await engine.create("Free")
    provider.scripts.extend([costs(1e6), costs(1e6)])
    for _turn in range(2):
        assert isinstance((await run(engine))[-2], Finished)


async def test_a_session_that_has_cost_its_limit_asks_before_anything_is_sent(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    engine = make_engine(values={LIMIT: 1.0})
    user = engine.driver = User(False)
    await engine.create("Dear")
    provider.scripts.append(costs(1.25))
    await run(engine, "first")
    assert user.questions == []
    events = await run(engine, "second")
    assert user.questions == [
        "This session has cost $1.25, and the limit is $1.00. Let it cost up to $2.00?"
    ]
    failed = next(event for event in events if isinstance(event, Failed))
    assert failed.kind == "not_sent"
    assert (
        failed.message == "Nothing was sent: this session has cost $1.25, and the limit is $1.00."
    )
    assert "max_cost_per_session" in failed.hint
    assert len(provider.requests) == 1
    # The question is kept all the same.
    session_id = engine.session.session_id
    messages = await engine.store(lambda storage: storage.messages(session_id))
    assert [(m.role, m.content) for m in messages[2:]] == [("user", "second"), ("assistant", "")]


async def test_where_there_is_no_person_the_answer_is_no(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(2.0)
    engine = make_engine(storage, values={LIMIT: 1.0})
    await engine.open(session.session_id)
    events = await run(engine)
    assert any(isinstance(event, Failed) and event.kind == "not_sent" for event in events)
    assert provider.requests == []


async def test_who_agrees_is_asked_again_only_at_the_next_limit(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(1.0)
    engine = make_engine(storage, values={LIMIT: 1.0})
    user = engine.driver = User(True, True)
    await engine.open(session.session_id)
    provider.scripts.extend([costs(0.5), costs(0.25), costs(2.5), costs(0.0)])
    for asked in (1, 1, 1, 2):  # after 1, 1.5, 1.75 and 4.25 dollars
        await run(engine)
        assert len(user.questions) == asked
    assert user.questions[1].endswith("the limit is $2.00. Let it cost up to $5.00?")


async def test_what_was_spent_on_every_branch_and_in_earlier_runs_counts(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(0.5, None, 0.75)
    engine = make_engine(storage, values={LIMIT: 1.0})
    user = engine.driver = User(False)
    await engine.open(session.session_id)
    await run(engine)
    assert user.questions == [
        "This session has cost $1.25 (1 reply of unknown cost not counted), "
        "and the limit is $1.00. Let it cost up to $2.00?"
    ]


async def test_a_request_that_would_pass_the_limit_is_asked_about_where_its_price_is_known(
    make_engine: Make, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def price(_model: str) -> float:
        return 0.01

    monkeypatch.setattr(provider, "input_price", price)
    storage, session = stored(0.9)
    engine = make_engine(storage, values={LIMIT: 1.0})
    user = engine.driver = User(False, True)
    await engine.open(session.session_id)
    await run(engine, "word " * 100)
    [question] = user.questions
    assert question.startswith("This session has cost $0.9000, the next request costs about $1.")
    assert question.endswith("before its reply, and the limit is $1.00. Let it cost up to $3.00?")
    assert provider.requests == []
    assert isinstance((await run(engine, "word"))[-2], Finished)


async def test_the_price_of_a_model_does_not_hold_for_another_server(
    make_engine: Make, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def price(_model: str) -> float:
        return 0.01

    monkeypatch.setattr(provider, "input_price", price)
    storage, session = stored(0.9)
    engine = make_engine(storage, values={LIMIT: 1.0})
    user = engine.driver = User(False)
    await engine.open(session.session_id)
    await engine.editor.update(api_base="http://127.0.0.1:8000/v1")
    await run(engine, "word " * 100)
    assert user.questions == []
    assert len(provider.requests) == 1


async def test_a_provider_that_cannot_say_its_price_is_asked_all_the_same(
    make_engine: Make, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def price(_model: str) -> float:
        raise ProviderError("The model process did not start.")

    monkeypatch.setattr(provider, "input_price", price)
    storage, session = stored(0.9)
    engine = make_engine(storage, values={LIMIT: 1.0})
    await engine.open(session.session_id)
    assert isinstance((await run(engine))[-2], Finished)


class Clock(ToolBox):
    async def tools(self) -> list[Tool]:
        async def tell(_arguments: Any) -> str:
            return "noon"

        return [Tool(ToolSchema("clock", "", {"type": "object"}), tell)]


async def test_each_round_with_tools_is_looked_at(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    box = ToolFactory("clock", "", lambda _options: Clock())
    engine = make_engine(values={LIMIT: 1.0}, boxes=[box])

    async def once(_call: Any, _tool: Any) -> Any:
        return "once"

    engine.tools.approve = once
    await engine.create("Dear")
    usage = UsageReported(Usage(10, 1, cost=1.5))
    provider.scripts.append([ToolCall("c", "clock", "{}"), usage, Finished("tool_calls")])
    events = await run(engine, "What time is it?")
    assert len(provider.requests) == 1
    assert any(isinstance(event, Failed) and event.kind == "not_sent" for event in events)
    session_id = engine.session.session_id
    messages = await engine.store(lambda storage: storage.messages(session_id))
    assert [message.role for message in messages] == ["user", "assistant", "tool", "assistant"]


async def test_control_c_at_the_question_ends_the_turn(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(2.0)
    engine = make_engine(storage, values={LIMIT: 1.0})
    await engine.open(session.session_id)
    turn = engine.turn("Go")

    class Stops(Driver):
        async def may_spend(self, question: str) -> bool:
            turn.stop()
            await asyncio.Event().wait()
            return True

    engine.driver = Stops()
    events = await events_of(turn)
    assert any(isinstance(event, Interrupted) for event in events)
    assert provider.requests == []


async def test_what_another_shell_has_spent_meanwhile_counts(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(0.25)
    engine = make_engine(storage, values={LIMIT: 1.0})
    await engine.open(session.session_id)
    await run(engine)
    usage = Usage(5, 5, cost=2.0)
    other = Message(new_id(), "assistant", "Yo", now(), model="m", usage=usage)
    storage.append(session.session_id, other)
    await run(engine)  # it is noticed at the latest when something is saved
    events = await run(engine)
    assert any(isinstance(event, Failed) and "$2.25" in event.message for event in events)


async def test_a_session_that_cannot_be_read_counts_as_far_as_it_is_known(
    make_engine: Make, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, session = stored(2.0)

    def broken(_session_id: str) -> list[Message]:
        raise StorageError("The disk is gone.")

    engine = make_engine(storage, values={LIMIT: 1.0})
    monkeypatch.setattr(storage, "tree", broken)
    await engine.open(session.session_id)
    events = await run(engine)
    assert any(isinstance(event, Failed) and "$2.00" in event.message for event in events)
    with pytest.raises(StorageError):
        await engine.budget.spent(session.session_id)


async def test_the_sums_of_a_session_hold_what_is_not_stored_as_well(
    make_engine: Make, provider: ScriptedProvider
) -> None:
    storage, session = stored(0.5)
    engine = make_engine(storage)
    await engine.open(session.session_id)
    provider.scripts.append(costs(0.25))
    await run(engine)
    engine.ledger.add_usage(session.session_id, Usage(7, 1, cost=0.125))
    figures = await engine.budget.spent(session.session_id)
    assert (figures.replies, figures.cost, figures.input_tokens) == (3, 0.875, 22)
