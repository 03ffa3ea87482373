from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from agno_shell.conversation.driver import Driver
from agno_shell.conversation.engine import Engine
from agno_shell.conversation.turn import Turn
from agno_shell.errors import StorageError, UsageError
from agno_shell.events import TextDelta, TurnEvent
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of
from agno_shell.types import Memory, Message, Session, new_id, now


async def run(turn: Turn) -> None:
    await events_of(turn)


async def test_opening_makes_a_session_current_and_brings_its_memory_back(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    first = make_engine(storage)
    made = await first.create("One")
    await run(first.turn("remember me"))
    await first.create("Two")
    again = make_engine(storage)
    await again.open(made.session_id)
    assert await again.store(lambda s: s.current()) == made.session_id
    await run(again.turn("who?"))
    sent = [message.content for message in provider.requests[-1].messages]
    assert sent == ["remember me", "echo: remember me", "who?"]


async def test_the_model_is_the_sessions_then_the_agents_then_the_default(
    engine: Engine,
) -> None:
    assert engine.current.choice.model == "model-x"
    await engine.set_agent("analyst")
    assert engine.current.choice.model == "model-a"
    await engine.set_model("model-b")
    assert engine.current.choice.model == "model-b"
    await engine.set_agent("poet")
    assert engine.current.choice.model == "model-b"
    await engine.set_agent("analyst")
    assert engine.current.choice.model == "model-a"
    assert engine.session.agent == "analyst"


async def test_an_agent_brings_its_instructions_and_parameters(
    engine: Engine, provider: ScriptedProvider
) -> None:
    await engine.set_agent("poet")
    await run(engine.turn("Rain"))
    request = provider.requests[0]
    assert [m.content for m in request.messages] == ["Answer in verse.", "Rain"]
    assert request.parameters == {"temperature": 0.9}


async def test_an_unknown_agent_is_named_with_the_known_ones(engine: Engine) -> None:
    with pytest.raises(UsageError) as caught:
        await engine.set_agent("poett")
    assert "poett" in str(caught.value)
    assert "analyst, poet" in caught.value.hint


async def test_an_agent_that_was_removed_from_the_configuration_is_not_fatal(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    first = make_engine(storage)
    made = await first.create("One")
    await first.set_agent("poet")
    later = make_engine(storage, agents={})
    await later.open(made.session_id)
    assert later.current.agent is None
    assert later.session.agent == "poet"
    await run(later.turn("Hi"))
    assert [m.content for m in provider.requests[-1].messages] == ["Hi"]


async def test_without_a_model_the_offline_provider_answers(
    make_engine: Callable[..., Engine],
) -> None:
    engine = make_engine(default=None)
    await engine.create("One")
    assert engine.current.choice == ("offline", "offline")
    await engine.set_model("gpt-x")
    assert engine.current.choice == ("scripted", "gpt-x")
    await engine.set_model("offline")
    assert engine.current.choice == ("offline", "offline")


async def test_only_as_much_of_a_long_session_is_read_as_the_window_takes(
    make_engine: Callable[..., Engine],
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agno_shell.conversation.path.FIRST_LOAD", 4)
    asked: list[int | None] = []

    class Watched(MemoryStorage):
        def messages(self, session_id: str, last: int | None = None) -> list[Message]:
            asked.append(last)
            return super().messages(session_id, last)

    storage = Watched()
    session = storage.create("Long")
    parent = None
    for number in range(100):
        role = "user" if number % 2 == 0 else "assistant"
        said = Message(new_id(), role, f"{number} " * 10, now(), parent=parent)  # type: ignore[arg-type]
        storage.append(session.session_id, said)
        parent = said.id
    provider.window = 100
    engine = make_engine(storage)
    await engine.open(session.session_id)
    assert asked == [4]
    await run(engine.turn("and now?"))
    assert asked == [4, 8, 16]
    sent = provider.requests[0].messages
    assert sent[-1].content == "and now?"
    assert sent[-2].content == "99 " * 10
    assert len(sent) < 10


async def test_system_text_stays_the_same_from_turn_to_turn(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    engine = make_engine(facts={"domain": "finance"})
    await engine.create("One")
    await run(engine.turn("a"))
    await run(engine.turn("b"))
    first, second = (request.messages[0] for request in provider.requests)
    assert first.content == "Facts:\n- domain: finance"
    assert first == second


async def test_a_server_named_for_a_session_is_asked_again_without_being_named(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    first = make_engine(storage)
    made = await first.create("Local")
    assert first.current.api_base is None
    await first.editor.update(api_base="http://localhost:1/v1")
    later = make_engine(storage)
    await later.open(made.session_id)
    await run(later.turn("Hi"))
    assert provider.requests[0].api_base == "http://localhost:1/v1"
    await later.editor.update(api_base=None)
    assert later.current.api_base is None


async def test_what_could_not_be_saved_is_still_said_after_a_switch(
    make_engine: Callable[..., Engine], provider: ScriptedProvider
) -> None:
    class Full(MemoryStorage):
        def append(self, session_id: str, message: Message) -> Session:
            raise StorageError("The disk is full.")

    engine = make_engine(Full())
    first = await engine.create("First")
    await run(engine.turn("precious"))
    await engine.create("Second")
    assert list(engine.history) == []
    await engine.open(first.session_id)
    await run(engine.turn("and now?"))
    sent = [message.content for message in provider.requests[-1].messages]
    assert sent == ["precious", "echo: precious", "and now?"]
    assert len(engine.journal.unsaved) == 4


class Held(MemoryStorage):
    """Does not say what is to be remembered before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()
        self.let.set()

    def memories(self, session_id: str) -> list[Memory]:
        self.asked.set()
        assert self.let.wait(10)
        return super().memories(session_id)


async def test_a_session_that_is_half_open_takes_nothing_of_the_one_before(
    make_engine: Callable[..., Engine],
) -> None:
    storage = Held()
    engine = make_engine(storage)
    other = await engine.create("Other")
    first = await engine.create("First")
    storage.remember(first.session_id, "of the first")
    await engine.refresh()
    storage.asked.clear()
    storage.let.clear()
    opening = asyncio.create_task(engine.open(other.session_id))
    await asyncio.to_thread(storage.asked.wait, 10)
    opening.cancel()
    await asyncio.wait([opening])
    storage.let.set()
    assert [memory.text for memory in engine.open_session.memories] == ["of the first"]
    assert engine.session.session_id == first.session_id


# Whoever drives it ------------------------------------------------------------------------


class Recording(Driver):
    """Keeps what is emitted; ``watch`` sees each event as it comes."""

    def __init__(self, watch: Callable[[TurnEvent], object] = lambda _event: None) -> None:
        self.events: list[TurnEvent] = []
        self.watch = watch

    def emit(self, event: TurnEvent) -> None:
        self.events.append(event)
        self.watch(event)


async def test_without_a_driver_a_question_is_asked_and_its_reply_returned(
    engine: Engine,
) -> None:
    reply = await engine.ask("Hello")
    assert reply is not None
    assert (reply.content, reply.status) == ("echo: Hello", "complete")
    assert engine.last_turn is not None
    assert not engine.stop(), "nothing is in work"


async def test_a_driver_sees_every_event_and_stops_the_turn(
    engine: Engine, provider: ScriptedProvider
) -> None:
    stopped: list[bool] = []

    def watch(event: TurnEvent) -> None:
        if isinstance(event, TextDelta):
            stopped.append(engine.stop())

    engine.driver = driver = Recording(watch)
    provider.scripts.append(["half", asyncio.Event()])
    reply = await engine.ask("Hello")
    assert reply is not None
    assert (reply.content, reply.status) == ("half", "interrupted")
    assert stopped == [True]
    kinds = [type(event).__name__ for event in driver.events]
    assert kinds == ["MessageSaved", "RequestPrepared", "TextDelta", "Interrupted", "MessageSaved"]


async def test_who_is_cancelled_while_waiting_for_a_turn_stops_it_and_keeps_what_was_shown(
    engine: Engine, provider: ScriptedProvider
) -> None:
    began = asyncio.Event()
    engine.driver = Recording(lambda event: isinstance(event, TextDelta) and began.set())
    provider.scripts.append(["half", asyncio.Event()])
    asking = asyncio.create_task(engine.ask("Hello"))
    await began.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [each.content for each in engine.history] == ["Hello", "half"]
    assert engine.history[-1].status == "interrupted"
    assert engine.unsaved == []


async def test_what_cannot_be_sent_is_given_back(engine: Engine, tmp_path: Path) -> None:
    class GivenBack(Recording):
        texts: ClassVar[list[str]] = []

        @property
        def has_user(self) -> bool:
            return True

        def not_sent(self, text: str) -> None:
            self.texts.append(text)

    engine.driver = GivenBack()
    (tmp_path / "empty.txt").touch()
    with pytest.raises(UsageError):
        await engine.ask(f"See @{tmp_path}/empty.txt")
    assert GivenBack.texts == [f"See @{tmp_path}/empty.txt"]
    assert engine.history == []
