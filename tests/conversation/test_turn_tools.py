"""Turns in which the model calls tools."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from agno_shell.contracts import Permission, Tool, ToolBox, ToolFactory
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.turn import Turn
from agno_shell.errors import StorageError
from agno_shell.events import (
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ToolFinished,
    ToolStarted,
    TurnEvent,
)
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Message, Session, ToolCall, ToolSchema

NO_ARGUMENTS = {"type": "object", "properties": {}}


class Box(ToolBox):
    """Tools by name."""

    def __init__(self, functions: Mapping[str, Callable[..., Awaitable[str]]]) -> None:
        self.functions = functions

    async def tools(self) -> Sequence[Tool]:
        return [
            Tool(ToolSchema(name, f"The tool {name}.", NO_ARGUMENTS), run)
            for name, run in self.functions.items()
        ]


async def noon(_arguments: Mapping[str, Any]) -> str:
    return "12:00"


async def broken(_arguments: Mapping[str, Any]) -> str:
    raise RuntimeError("the spring is broken")


async def endless(_arguments: Mapping[str, Any]) -> str:
    await asyncio.Event().wait()
    return "never"


BOX = ToolFactory(
    "clock", "Tells the time.", lambda _o: Box({"noon": noon, "broken": broken, "endless": endless})
)


async def once(_call: ToolCall, _tool: Tool) -> Permission:
    return "once"


async def run(turn: Turn) -> list[TurnEvent]:
    return await events_of(turn)


async def stored(engine: Engine) -> list[Message]:
    session_id = engine.session.session_id
    return await engine.store(lambda storage: storage.messages(session_id))


def calls(*names: str) -> list[Any]:
    return [*(ToolCall(f"id-{name}", name, "{}") for name in names), Finished("tool_calls")]


@pytest.fixture
async def talk(make_engine: Callable[..., Engine]) -> Engine:
    engine = make_engine(boxes=[BOX], values={"tools.rounds": 3})
    engine.tools.approve = once
    await engine.create("Test")
    return engine


async def test_a_tool_is_run_and_the_model_answers_with_its_result(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.extend([["Let me see. ", *calls("noon")], ["It is noon.", Finished()]])
    events = await run(talk.turn("What time is it?"))
    question, asked, result, reply = await stored(talk)
    assert [type(event) for event in events if isinstance(event, ToolStarted | ToolFinished)] == [
        ToolStarted,
        ToolFinished,
    ]
    assert [event for event in events if isinstance(event, Finished | Failed)] == [Finished()]
    assert isinstance(events[-1], MessageSaved)
    assert (asked.content, asked.status, asked.tool_calls) == (
        "Let me see. ",
        "complete",
        (ToolCall("id-noon", "noon", "{}"),),
    )
    assert (result.role, result.tool_call_id, result.content) == ("tool", "id-noon", "12:00")
    assert [message.parent for message in (question, asked, result, reply)] == [
        None,
        question.id,
        asked.id,
        result.id,
    ]
    assert [m.role for m in provider.requests[1].messages] == ["user", "assistant", "tool"]
    assert [schema.name for schema in provider.requests[0].tools] == ["broken", "endless", "noon"]


@pytest.mark.parametrize(
    ("name", "status"), [("broken", "failed"), ("nothing-of-this-name", "failed")]
)
async def test_a_call_that_fails_has_a_result_and_the_model_goes_on(
    talk: Engine, provider: ScriptedProvider, name: str, status: str
) -> None:
    provider.scripts.extend([calls(name), ["I see.", Finished()]])
    await run(talk.turn("Go"))
    _question, _asked, result, reply = await stored(talk)
    assert (result.status, result.tool_call_id) == (status, f"id-{name}")
    assert result.content
    assert reply.content == "I see."


async def test_a_refused_call_does_not_run(talk: Engine, provider: ScriptedProvider) -> None:
    async def no(_call: ToolCall, _tool: Tool) -> Permission:
        return "no"

    talk.tools.approve = no
    provider.scripts.extend([calls("noon"), ["Then not.", Finished()]])
    events = await run(talk.turn("Go"))
    assert not any(isinstance(event, ToolStarted) for event in events)
    assert "12:00" not in (await stored(talk))[2].content


async def test_stopping_a_tool_leaves_a_result_for_every_call(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append(calls("noon", "endless", "broken"))
    turn = talk.turn("Go")

    def watch(event: TurnEvent) -> None:
        if isinstance(event, ToolStarted) and event.call.name == "endless":
            turn.stop()

    events = await events_of(turn, watch)
    assert [type(event) for event in events[-3:]] == [ToolFinished, Interrupted, MessageSaved]
    results = (await stored(talk))[2:]
    assert [(each.tool_call_id, each.status) for each in results] == [
        ("id-noon", "complete"),
        ("id-endless", "interrupted"),
        ("id-broken", "interrupted"),
    ]
    assert len(provider.requests) == 1
    await run(talk.turn("Go on"))
    assert [m.role for m in provider.requests[1].messages] == [
        *("user", "assistant", "tool", "tool", "tool", "assistant", "user"),
    ]


async def test_stopping_while_the_person_is_asked(talk: Engine, provider: ScriptedProvider) -> None:
    async def wait(_call: ToolCall, _tool: Tool) -> Permission:
        turn.stop()
        await asyncio.Event().wait()
        return "once"

    talk.tools.approve = wait
    provider.scripts.append(calls("noon"))
    turn = talk.turn("Go")
    events = await run(turn)
    assert any(isinstance(event, Interrupted) for event in events)
    assert [each.status for each in (await stored(talk))[2:]] == ["interrupted"]


async def test_whoever_reads_the_events_may_go_and_every_call_still_has_a_result(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append(calls("noon", "endless"))

    def watch(event: TurnEvent) -> None:
        if isinstance(event, ToolStarted) and event.call.name == "endless":
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await events_of(talk.turn("Go"), watch)
    results = (await stored(talk))[2:]
    assert [each.tool_call_id for each in results] == ["id-noon", "id-endless"]
    assert results[0].content == "12:00"


async def test_a_model_that_never_stops_calling_is_stopped_and_the_history_is_valid(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.extend([calls("noon")] * 4)
    events = await run(talk.turn("Go"))
    (ending,) = [event for event in events if isinstance(event, Finished | Failed)]
    assert isinstance(ending, Failed)
    assert "3 times" in ending.message
    assert len(provider.requests) == 3
    assert (await stored(talk))[-1].role == "tool"


async def test_a_model_that_was_down_is_not_asked_again_after_the_tools(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    values = {"provider.fallbacks": ("model-y",)}
    engine = make_engine(boxes=[BOX], values=values)
    engine.tools.approve = once
    await engine.create("Test")
    down = Failed("unreachable", "Nobody there.", temporary=True)
    provider.scripts.extend([[down], calls("noon"), ["Noon.", Finished()]])
    await run(engine.turn("Go"))
    assert [request.model for request in provider.requests] == ["model-x", "model-y", "model-y"]
    assert (await stored(engine))[-1].model == "model-y"


class Full(MemoryStorage):
    """A storage that keeps no results of tools."""

    def append(self, session_id: str, message: Message) -> Session:
        if message.role == "tool":
            raise StorageError("No space left on the device.")
        return super().append(session_id, message)


async def test_a_result_that_cannot_be_saved_is_sent_all_the_same(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    engine = make_engine(Full(), boxes=[BOX])
    engine.tools.approve = once
    await engine.create("Test")
    provider.scripts.extend([calls("noon"), ["Noon.", Finished()]])
    events = await run(engine.turn("Go"))
    assert sum(isinstance(event, NotSaved) for event in events) == 2
    assert provider.requests[1].messages[-1].content == "12:00"
    assert [message.role for message in engine.journal.unsaved] == ["tool", "assistant"]


async def test_stopped_while_the_last_result_is_saved_the_turn_has_its_ending(
    talk: Engine, provider: ScriptedProvider
) -> None:
    provider.scripts.append(calls("noon"))
    turn = talk.turn("Go")

    def watch(event: TurnEvent) -> None:
        if isinstance(event, MessageSaved) and event.message.role == "tool":
            turn.stop()

    events = await events_of(turn, watch)
    assert [e for e in events if isinstance(e, Finished | Failed | Interrupted)] == [Interrupted()]
    assert [message.role for message in await stored(talk)] == ["user", "assistant", "tool"]


async def test_asked_again_what_tools_have_said_stands_though_the_answer_fails(
    talk: Engine, provider: ScriptedProvider
) -> None:
    await run(talk.turn("What time is it?"))
    question = talk.history[0]
    provider.scripts.extend([calls("noon"), [Failed("server", "Down.")]])
    await run(talk.answer_turn(question.id))
    assert [message.role for message in talk.history] == ["user", "assistant", "tool", "assistant"]
    assert await stored(talk) == list(talk.history)
