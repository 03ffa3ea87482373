from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from agno_shell.conversation.journal import Outbox
from agno_shell.conversation.path import with_ids
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Message, Session, new_id, now


class Door(MemoryStorage):
    """A storage that can be full, and whose writing can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.open_door = threading.Event()
        self.open_door.set()
        self.entered = threading.Event()

    def append(self, session_id: str, message: Message) -> Session:
        self.entered.set()
        assert self.open_door.wait(10)
        if self.full:
            raise StorageError("The disk is full.")
        return super().append(session_id, message)


def said(text: str) -> Message:
    return Message(new_id(), "user", text, now())


@pytest.fixture
async def door() -> AsyncIterator[tuple[Door, Outbox, list[str]]]:
    storage, saved = Door(), list[str]()
    store = StoreThread(lambda: storage)
    yield storage, Outbox(store, lambda _session, message: saved.append(message.content)), saved
    storage.open_door.set()
    await store.close()


Made = tuple[Door, Outbox, list[str]]


async def test_what_cannot_be_written_waits_and_goes_first(door: Made) -> None:
    storage, outbox, saved = door
    one, two = storage.create("One").session_id, storage.create("Two").session_id
    storage.full = True
    for text in ("a", "b"):
        assert isinstance(await outbox.put(one, said(text)), StorageError)
    storage.full = False
    assert await outbox.put(two, said("elsewhere")) is None
    assert [message.content for message in outbox.refused()] == ["a", "b"]
    assert (outbox.sessions(), len(outbox.waiting(two))) == ([one], 0)
    assert await outbox.put(one, said("c")) is None
    assert [message.content for message in storage.tree(one)] == ["a", "b", "c"]
    assert saved == ["elsewhere", "a", "b", "c"]
    assert outbox.refused() == []


async def test_two_who_send_at_the_same_time_write_each_message_once(door: Made) -> None:
    storage, outbox, _saved = door
    session_id = storage.create("One").session_id
    storage.full = True
    await outbox.put(session_id, said("once"))
    storage.full = False
    await asyncio.gather(outbox.send(session_id), outbox.send(session_id))
    assert [message.content for message in storage.tree(session_id)] == ["once"]


async def test_who_stops_waiting_does_not_make_a_message_be_written_twice(door: Made) -> None:
    storage, outbox, saved = door
    session_id = storage.create("One").session_id
    storage.open_door.clear()
    sending = asyncio.create_task(outbox.put(session_id, said("once")))
    await asyncio.to_thread(storage.entered.wait, 10)
    # It is on its way: nothing says yet that it cannot be saved.
    assert (len(outbox.waiting(session_id)), outbox.refused()) == (1, [])
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending
    storage.open_door.set()
    await outbox.send(session_id)
    assert [message.content for message in storage.tree(session_id)] == ["once"]
    assert saved == ["once"]


def test_what_a_message_names_is_renamed_with_it() -> None:
    message = said("in short")._replace(id="s", parent="b", covers="a")
    assert with_ids(message, {"s": "s2", "a": "a2"}) == message._replace(id="s2", covers="a2")
    assert with_ids(message, {"b": "b2"}) == message._replace(parent="b2")


async def test_a_storage_that_does_not_say_what_it_saved_has_saved_nothing(
    door: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, outbox, saved = door
    one = storage.create("One").session_id
    monkeypatch.setattr(storage, "append", lambda _session_id, _message: None)
    error = await outbox.put(one, said("a"))
    assert str(error) == (
        "The storage Door failed: TypeError: append() returned NoneType, not Session."
    )
    monkeypatch.undo()
    assert await outbox.put(one, said("b")) is None
    assert saved == ["a", "b"]


async def test_a_storage_that_calls_sys_exit_ends_nothing(
    door: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, outbox, _saved = door
    one = storage.create("One").session_id

    def leave(_session_id: str, _message: Message) -> Session:
        raise SystemExit(3)

    monkeypatch.setattr(storage, "append", leave)
    error = await outbox.put(one, said("a"))
    assert str(error) == "The storage Door failed: SystemExit: 3."


async def test_a_storage_that_does_not_answer_is_not_waited_for_twice(
    door: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agno_shell.conversation.journal.BRIEF_SECONDS", 0.02)
    storage, outbox, saved = door
    session = storage.create("One").session_id
    storage.open_door.clear()
    first = asyncio.ensure_future(outbox.put(session, said("a")))
    await asyncio.to_thread(storage.entered.wait, 10)
    outbox.hurry()  # Ctrl-C; without it that is said after ten seconds
    error = await first
    assert "the storage does not answer" in str(error)
    async with asyncio.timeout(20):
        assert isinstance(await outbox.put(session, said("b")), StorageError)
    assert [message.content for message in outbox.refused()] == ["a", "b"]
    storage.open_door.set()
    assert await outbox.put(session, said("c")) is None
    assert saved == ["a", "b", "c"]
    assert [message.content for message in storage.tree(session)] == ["a", "b", "c"]
    assert outbox.refused() == []


async def test_a_hurry_does_not_make_a_sound_storage_late(door: Made) -> None:
    storage, outbox, saved = door
    session = storage.create("One").session_id
    putting = asyncio.ensure_future(outbox.put(session, said("a")))
    await asyncio.sleep(0)
    outbox.hurry()
    assert await putting is None
    assert saved == ["a"]
