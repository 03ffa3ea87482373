from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.journal import saved_or_not
from agno_shell.conversation.turn import Turn
from agno_shell.errors import ProviderError, StorageError
from agno_shell.events import (
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ReasoningDelta,
    RequestPrepared,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Session, Usage, new_id, now


async def run(turn: Turn) -> list[TurnEvent]:
    return await events_of(turn)


async def stored(engine: Engine) -> list[Message]:
    session_id = engine.session.session_id
    return await engine.store(lambda storage: storage.messages(session_id))


async def test_a_turn_saves_the_question_first_and_the_reply_last(
    engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["Hel", "lo", UsageReported(Usage(3, 2)), Finished()])
    events = await run(engine.turn("Hi"))
    assert [type(event) for event in events] == [
        MessageSaved,
        RequestPrepared,
        TextDelta,
        TextDelta,
        UsageReported,
        Finished,
        MessageSaved,
    ]
    question, reply = await stored(engine)
    assert (question.role, question.content, question.status) == ("user", "Hi", "complete")
    assert (reply.role, reply.content, reply.status) == ("assistant", "Hello", "complete")
    assert reply.parent == question.id
    assert reply.model == "model-x"
    assert reply.usage == Usage(3, 2)
    assert reply.timing is not None
    assert reply.timing.total is not None
    assert engine.session.message_count == 2


async def test_the_question_is_on_disk_before_the_request_leaves(
    engine: Engine, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append([gate, "late", Finished()])
    turn = engine.turn("Keep me")
    task = asyncio.create_task(run(turn))
    while not provider.requests:
        await asyncio.sleep(0)
    assert [message.content for message in await stored(engine)] == ["Keep me"]
    gate.set()
    await task


async def test_a_later_turn_is_sent_the_earlier_ones(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await run(engine.turn("one"))
    await run(engine.turn("two"))
    sent = [(message.role, message.content) for message in provider.requests[1].messages]
    assert sent == [("user", "one"), ("assistant", "echo: one"), ("user", "two")]


async def test_stopping_keeps_what_was_shown(engine: Engine, provider: ScriptedProvider) -> None:
    provider.scripts.append(["half an ans", asyncio.Event(), "wer", Finished()])
    turn = engine.turn("Go")

    def watch(event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            turn.stop()

    events = await events_of(turn, watch)
    assert isinstance(events[-2], Interrupted)
    reply = (await stored(engine))[-1]
    assert (reply.content, reply.status) == ("half an ans", "interrupted")
    assert provider.closed_streams == 1


async def test_stopping_before_the_provider_is_ready(
    engine: Engine, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_model: str) -> int:
        turn.stop()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(provider, "context_window", never)
    turn = engine.turn("Go")
    events = await run(turn)
    assert [type(event) for event in events] == [MessageSaved, Interrupted, MessageSaved]
    assert provider.requests == []


async def test_stopping_before_the_turn_has_begun(
    engine: Engine, provider: ScriptedProvider
) -> None:
    turn = engine.turn("Never mind")
    turn.stop()
    events = await run(turn)
    assert isinstance(events[-2], Interrupted)
    assert provider.requests == []


@pytest.mark.parametrize(
    ("script", "status", "content"),
    [
        ([Failed("unreachable", "Nobody there.")], "failed", ""),
        (["part", Failed("server", "Cut off.")], "incomplete", "part"),
        (["part"], "incomplete", "part"),
        (["part", Finished("length")], "incomplete", "part"),
        (["part", Finished("content_filter")], "incomplete", "part"),
        ([Finished()], "failed", ""),
        (["part", ValueError("a bug in a plugin")], "incomplete", "part"),
        ([ProviderError("No key.", kind="authentication")], "failed", ""),
    ],
)
async def test_only_a_whole_reply_is_stored_as_complete(
    engine: Engine,
    provider: ScriptedProvider,
    script: list[Any],
    status: str,
    content: str,
) -> None:
    provider.scripts.append(script)
    await run(engine.turn("Go"))
    reply = (await stored(engine))[-1]
    assert (reply.status, reply.content) == (status, content)
    # The next turn works, and an empty reply is not sent along.
    await run(engine.turn("Again"))
    sent = [message.content for message in provider.requests[-1].messages]
    assert sent == (["Go", content, "Again"] if content else ["Go\n\nAgain"])


async def test_the_kind_of_a_failure_is_kept(engine: Engine, provider: ScriptedProvider) -> None:
    provider.scripts.append([ProviderError("No key.", hint="Set one.", kind="authentication")])
    events = await run(engine.turn("Go"))
    assert Failed("authentication", "No key.", "Set one.") in events
    reply = (await stored(engine))[-1]
    assert reply.extra == {"error": {"kind": "authentication", "message": "No key."}}


async def test_reasoning_is_no_part_of_the_reply(
    engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([ReasoningDelta("hm"), "yes", Finished(provider_data={"sig": 1})])
    await run(engine.turn("Go"))
    reply = (await stored(engine))[-1]
    assert reply.content == "yes"
    assert reply.provider_data == {"scripted": {"sig": 1, "reasoning": "hm"}}


async def test_what_was_thought_is_kept_when_the_reply_is_stopped_before_its_first_word(
    engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([ReasoningDelta("so "), ReasoningDelta("far"), asyncio.Event()])
    turn = engine.turn("Go")

    def watch(event: TurnEvent) -> None:
        if event == ReasoningDelta("far"):
            turn.stop()

    await events_of(turn, watch)
    reply = (await stored(engine))[-1]
    assert (reply.content, reply.status) == ("", "interrupted")
    assert reply.provider_data == {"scripted": {"reasoning": "so far"}}


class Full(MemoryStorage):
    """A storage whose disk is full until it is freed."""

    full = False

    def append(self, session_id: str, message: Message) -> Session:
        if self.full:
            raise StorageError("No space left on the device.")
        return super().append(session_id, message)


async def test_what_cannot_be_saved_stays_in_memory_and_is_saved_later_in_order(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = Full()
    engine = make_engine(storage)
    await engine.create("Test")
    storage.full = True
    events = await run(engine.turn("one"))
    assert [type(event) for event in events if isinstance(event, NotSaved)] == [NotSaved] * 2
    assert [message.content for message in engine.journal.unsaved] == ["one", "echo: one"]
    storage.full = False
    await run(engine.turn("two"))
    assert not engine.journal.unsaved
    assert [message.content for message in await stored(engine)] == [
        "one",
        "echo: one",
        "two",
        "echo: two",
    ]
    assert [m.content for m in provider.requests[1].messages] == ["one", "echo: one", "two"]


async def test_what_is_told_of_a_reply_is_kept_already(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    engine = make_engine(storage)
    session = await engine.create("Test")
    thoughts = [ReasoningDelta(f"{number}? ") for number in range(5)]
    words = [TextDelta(f"{number} ") for number in range(200)]
    provider.scripts.append([*thoughts, *words, Finished()])
    told = reasoned = ""

    def watch(event: TurnEvent) -> None:
        nonlocal told, reasoned
        if isinstance(event, TextDelta | ReasoningDelta):
            (kept,) = storage.partials(session.session_id)
            if isinstance(event, TextDelta):
                told += event.text
            else:
                reasoned += event.text
            assert kept.content.startswith(told)
            if reasoned:
                assert kept.provider_data["scripted"]["reasoning"].startswith(reasoned)

    await events_of(engine.turn("Go"), watch)
    assert len(told) == 690
    assert storage.partials(session.session_id) == []


def test_that_nothing_was_saved_is_said_once() -> None:
    question = Message(new_id(), "user", "?", now())
    locked = StorageError("Nothing was saved: session x has been locked.", hint="Try again.")
    said = saved_or_not(question, locked)
    assert isinstance(said, NotSaved)
    assert said.reason == "The message was not saved: session x has been locked. Try again."
