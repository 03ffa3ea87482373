"""Several speakers in one reply, from the events of a provider to the messages."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.conversation.speakers import LONGEST_NAME, Change, InOrder, Speakers
from agno_shell.conversation.turn import Turn
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import (
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ProviderToolFinished,
    ProviderToolStarted,
    ReasoningDelta,
    RequestPrepared,
    SpeakerChanged,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import NEXT_SPEAKER, Message, Session, ToolCall, Usage, goes_on, new_id, now

ADA, BEN = SpeakerChanged("Ada"), SpeakerChanged("Ben")
CALL = ToolCall("t1", "delegate", '{"to": "Ada"}')


async def run(turn: Turn) -> list[TurnEvent]:
    return await events_of(turn)


async def stored(engine: Engine) -> list[Message]:
    session_id = engine.session.session_id
    return await engine.store(lambda storage: storage.messages(session_id))


def said(messages: list[Message]) -> list[tuple[str | None, str]]:
    return [(each.speaker, each.content) for each in messages if each.role == "assistant"]


# Who speaks --------------------------------------------------------------------------------


def changes(*events: TurnEvent) -> list[Change | None]:
    speakers = Speakers()
    return [speakers.feed(event) for event in events]


def test_a_speaker_begins_with_the_first_thing_that_is_said() -> None:
    text = TextDelta("Hi")
    assert changes(ADA, text, text) == [None, Change("Ada", ends_message=False), None]
    assert changes(text, ADA, TextDelta(""), text)[-1] == Change("Ada", ends_message=True)
    assert changes(text, ADA, SpeakerChanged(), text) == [None] * 4
    assert changes(ADA, text, SpeakerChanged(" "), text)[-1] == Change(None, ends_message=True)


@pytest.mark.parametrize("event", [CALL, ProviderToolStarted(CALL)])
def test_who_only_asks_for_something_has_said_nothing(event: TurnEvent) -> None:
    assert changes(ADA, event, BEN, TextDelta("Hi")) == [
        None,
        Change("Ada", ends_message=False),
        None,
        Change("Ben", ends_message=False),
    ]


@pytest.mark.parametrize("event", [ReasoningDelta("hm"), ProviderToolFinished(CALL)])
def test_thoughts_and_results_are_a_message(event: TurnEvent) -> None:
    assert changes(ADA, event, BEN, TextDelta("Hi"))[-1] == Change("Ben", ends_message=True)


def test_a_name_is_one_line_of_a_length() -> None:
    name = " Ada\n\tLovelace " + "x" * 1000
    (change,) = changes(SpeakerChanged(name), TextDelta("Hi"))[1:]
    assert change is not None
    assert change.name == f"Ada Lovelace {'x' * 1000}"[:LONGEST_NAME]


def test_what_is_saved_is_told_between_the_two() -> None:
    saved = MessageSaved(Message(new_id(), "assistant", "one", now()))
    kept: deque[MessageSaved | NotSaved] = deque([saved])
    in_order = InOrder(kept)
    one, two = TextDelta("one"), TextDelta("two")
    given: list[TurnEvent] = [one, ADA, two, Finished()]
    found = [each for event in given for each in in_order.passed_on(event)]
    assert found == [one, saved, ADA, two, Finished()]


# In a turn ---------------------------------------------------------------------------------


async def test_what_each_of_them_says_is_a_message_of_its_own(
    engine: Engine, provider: ScriptedProvider
) -> None:
    usage = UsageReported(Usage(30, 4))
    script: list[Any] = [
        ADA,
        "I loo",
        "k.",
        BEN,
        ReasoningDelta("hm"),
        "I don't.",
        usage,
        ADA,
        Finished(),
    ]
    provider.scripts.append(script)
    events = await run(engine.turn("Who?"))
    assert [type(event) for event in events] == [
        MessageSaved,
        RequestPrepared,
        SpeakerChanged,
        TextDelta,
        TextDelta,
        MessageSaved,
        SpeakerChanged,
        ReasoningDelta,
        TextDelta,
        UsageReported,
        Finished,
        MessageSaved,
    ]
    question, ada, ben = await stored(engine)
    assert said([ada, ben]) == [("Ada", "I look."), ("Ben", "I don't.")]
    assert (ada.parent, ben.parent) == (question.id, ada.id)
    assert (ada.status, ben.status) == ("complete", "complete")
    assert ada.extra == {"finish_reason": NEXT_SPEAKER}
    assert goes_on(ada)
    assert not goes_on(ben)
    assert (ada.usage, ben.usage) == (None, usage.usage)
    assert (ada.provider_data, ben.provider_data) == ({}, {"scripted": {"reasoning": "hm"}})
    assert ada.timing is None
    assert ben.timing is not None
    assert engine.ledger.run.replies == 1
    assert list(engine.history) == [question, ada, ben]


async def test_the_next_request_names_them_in_one_message(
    engine: Engine, provider: ScriptedProvider
) -> None:
    done = ProviderToolFinished(CALL, "Found.")
    provider.scripts.append(
        [
            "I ask Ada.",
            ADA,
            ProviderToolStarted(CALL),
            done,
            "Here.",
            SpeakerChanged(),
            "So.",
            Finished(),
        ]
    )
    await run(engine.turn("Who?"))
    await run(engine.turn("And then?"))
    assert provider.refused == []
    first, reply, last = provider.requests[-1].messages
    assert (first.content, last.content) == ("Who?", "And then?")
    assert reply.role == "assistant"
    assert reply.content == "I ask Ada.\n\n[Ada:]\n\nHere.\n\n[The model:]\n\nSo."
    assert (reply.speaker, reply.provider_tools) == (None, ())
    rows = (await engine.requests.receipt()).rows
    assert [row.joined for row in rows[:4]] == [False, False, True, True]


async def test_calls_of_ours_stand_with_the_last_of_them(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    engine = make_engine()
    await engine.create("Test")
    ours = ToolCall("o1", "unknown", "{}")
    provider.scripts.append([ADA, "I look.", ours, BEN, "And I wait.", Finished("tool_calls")])
    provider.scripts.append([ADA, "Nothing.", Finished()])
    await run(engine.turn("Look."))
    roles = [(each.role, each.speaker, each.tool_calls) for each in await stored(engine)]
    assert roles == [
        ("user", None, ()),
        ("assistant", "Ada", ()),
        ("assistant", "Ben", (ours,)),
        ("tool", None, ()),
        ("assistant", "Ada", ()),
    ]
    assert provider.refused == []
    _question, asked, _result = provider.requests[-1].messages
    assert asked.content == "[Ada:]\n\nI look.\n\n[Ben:]\n\nAnd I wait."
    assert asked.tool_calls == (ours,)


async def test_what_the_provider_ran_itself_is_kept_and_not_sent_back(
    engine: Engine, provider: ScriptedProvider
) -> None:
    done = ProviderToolFinished(CALL, "Found.")
    provider.scripts.append([ProviderToolStarted(CALL), done, "Here.", Finished()])
    await run(engine.turn("Who?"))
    await run(engine.turn("And then?"))
    assert [tool.result for tool in (await stored(engine))[1].provider_tools] == ["Found."]
    reply = provider.requests[-1].messages[1]
    assert (reply.content, reply.provider_tools, reply.tool_calls) == ("Here.", (), ())
    assert provider.refused == []


class Gated(MemoryStorage):
    """Saves what is called "Whole." only once the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.is_saving, self.gate = threading.Event(), threading.Event()

    def append(self, session_id: str, message: Message) -> Session:
        if message.content == "Whole.":
            self.is_saving.set()
            assert self.gate.wait(20)
        return super().append(session_id, message)


async def test_stopped_while_a_part_is_saved_the_turn_waits_for_it(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = Gated()
    engine = make_engine(storage)
    await engine.create("Test")
    provider.scripts.append([ADA, "Whole.", BEN, "Half", asyncio.Event()])
    turn = engine.turn("Who?")
    running = asyncio.create_task(run(turn))
    assert await asyncio.to_thread(storage.is_saving.wait, 20)
    turn.stop()
    await asyncio.sleep(0)
    storage.gate.set()
    saved = [event.message.content for event in await running if isinstance(event, MessageSaved)]
    assert saved == ["Who?", "Whole.", "Half"]


async def test_a_reply_that_is_stopped_keeps_all_who_spoke(
    engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([ADA, "Whole.", BEN, "Half", asyncio.Event()])
    turn = engine.turn("Who?")

    def watch(event: TurnEvent) -> None:
        if event == TextDelta("Half"):
            turn.stop()

    events = await events_of(turn, watch)
    assert Interrupted() in events
    _question, ada, ben = await stored(engine)
    assert (ada.content, ada.status) == ("Whole.", "complete")
    assert (ben.speaker, ben.content, ben.status) == ("Ben", "Half", "interrupted")


async def test_a_reply_in_which_only_the_first_has_spoken_is_an_answer(
    engine: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append([ADA, "All.", BEN, ReasoningDelta("hm"), Finished()])
    events = await run(engine.turn("Who?"))
    assert Finished() in events
    assert not any(isinstance(event, Failed) for event in events)
    assert said(await stored(engine)) == [("Ada", "All."), ("Ben", "")]


class Full(MemoryStorage):
    """Takes nothing once it is full."""

    is_full = False

    def append(self, session_id: str, message: Message) -> Session:
        if self.is_full:
            raise StorageError("Nothing was saved: the disk is full.")
        return super().append(session_id, message)


async def test_a_message_that_cannot_be_saved_is_said_and_kept_here(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = Full()
    engine = make_engine(storage)
    await engine.create("Test")
    provider.scripts.append([ADA, "one", BEN, "two", Finished()])

    def watch(_event: TurnEvent) -> None:
        storage.is_full = True

    events = await events_of(engine.turn("Who?"), watch)
    not_saved = [event.message.content for event in events if isinstance(event, NotSaved)]
    assert not_saved == ["one", "two"]
    assert said(list(engine.history)) == [("Ada", "one"), ("Ben", "two")]
    storage.is_full = False
    await engine.journal.save_again()
    assert said(await stored(engine)) == [("Ada", "one"), ("Ben", "two")]


async def test_after_a_crash_all_is_there_and_the_reply_can_go_on(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    engine = make_engine(storage)
    session = await engine.create("Test")
    done = ProviderToolFinished(CALL, "Found.")
    gate = asyncio.Event()
    provider.scripts.append([ADA, "Whole.", BEN, "Half ", done, "a wor", gate])
    task = asyncio.create_task(run(engine.turn("Who?")))
    while "a wor" not in "".join(each.content for each in storage.partials(session.session_id)):
        await asyncio.sleep(0)
    (kept,) = storage.partials(session.session_id)
    assert (kept.speaker, kept.content) == ("Ben", "Half a wor")
    assert [(tool.result, tool.at) for tool in kept.provider_tools] == [("Found.", 5)]
    left = MemoryStorage(storage.store)
    storage.store.writing.discard(storage._handle)  # it was killed
    left.open(session.session_id)
    assert said(left.messages(session.session_id)) == [("Ada", "Whole."), ("Ben", "Half a wor")]
    task.cancel()


async def test_a_reply_that_ended_with_one_of_several_can_go_on(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await run(engine.turn("Who?"))
    with pytest.raises(UsageError, match="whole"):
        await engine.moves.resume()
    head = engine.open_session.head
    extra: dict[str, Any] = {"finish_reason": NEXT_SPEAKER}
    await engine.journal.add(
        Message(new_id(), "assistant", "Ada's", now(), parent=head, speaker="Ada", extra=extra)
    )
    follow = await engine.moves.resume()
    await run(engine.turn_from(follow.start))
    assert provider.refused == []
