"""A reply is written before it is told, and never holds up who shows it for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from agno_shell.conversation import reply_writer as room
from agno_shell.conversation.models import Choice
from agno_shell.conversation.reply import Reply
from agno_shell.conversation.reply_writer import ReplyWriter
from agno_shell.conversation.store import StoreThread
from agno_shell.errors import StorageError
from agno_shell.events import Event, Interrupted, MessageSaved, ReasoningDelta, TextDelta
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.types import Growth, Message


class Disk(MemoryStorage):
    """Notes what it is asked for, and can be full, or stand still."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[str] = []
        self.extended: list[Growth] = []
        self.full = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def save_partial(self, session_id: str, message: Message | None) -> None:
        self._wait()
        super().save_partial(session_id, message)
        self.saved.append(message.content if message else "")

    def extend_partial(self, session_id: str, growth: Growth) -> None:
        self._wait()
        super().extend_partial(session_id, growth)
        self.extended.append(growth)

    def _wait(self) -> None:
        self.goes_on.wait(20)
        if self.full:
            raise StorageError("The disk is full.")


class Lab(NamedTuple):
    disk: Disk
    session_id: str
    reply: Reply
    keeping: ReplyWriter
    told: list[str | None]

    async def take(self, *texts: str) -> None:
        events: list[Event] = [TextDelta(text) for text in texts]
        await self.keeping.take(events)

    @property
    def kept(self) -> Message:
        (message,) = self.disk.partials(self.session_id)
        return message


@pytest.fixture
def make_lab() -> Iterator[Callable[[], Lab]]:
    disks = []

    def make() -> Lab:
        disk = Disk()
        disks.append(disk)
        told: list[str | None] = []
        session_id = disk.create("Test").session_id
        reply = Reply(None, Choice("scripted", "model-x"))
        store = StoreThread(lambda: disk)

        async def save(message: Message) -> MessageSaved:
            await store(lambda storage: storage.append(session_id, message))
            return MessageSaved(message)

        keeping = ReplyWriter(store, session_id, reply, told.append, save)
        return Lab(disk, session_id, reply, keeping, told)

    yield make
    for disk in disks:
        disk.goes_on.set()


async def test_the_first_piece_is_saved_and_others_are_added(make_lab: Callable[[], Lab]) -> None:
    lab = make_lab()
    await lab.keeping.take([ReasoningDelta("hm"), TextDelta("one ")])
    assert (lab.kept.content, lab.kept.status) == ("one ", "interrupted")
    assert lab.kept.provider_data == {"scripted": {"reasoning": "hm"}}
    await lab.take("two ", "three ")
    await lab.keeping.take([ReasoningDelta(", so")])
    assert lab.kept.content == "one two three "
    assert lab.kept.provider_data == {"scripted": {"reasoning": "hm, so"}}
    assert lab.disk.saved == ["one "]
    reply_id = lab.kept.id
    assert lab.disk.extended == [
        Growth(reply_id, "two three ", "", "scripted"),
        Growth(reply_id, "", ", so", "scripted"),
    ]
    lab.keeping.end()


async def test_what_brings_no_text_asks_for_nothing(make_lab: Callable[[], Lab]) -> None:
    lab = make_lab()
    await lab.take()
    await lab.take("")
    assert lab.disk.partials(lab.session_id) == []


async def test_all_of_it_is_kept_once_a_second_for_a_power_cut(
    make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SYNC_SECONDS", 0.0)
    lab = make_lab()
    await lab.take("one ")
    await lab.take("two ")
    async with asyncio.timeout(20):
        while lab.disk.saved[-1] != "one two ":
            await asyncio.sleep(0.001)
    await lab.take("three ")
    assert lab.kept.content == "one two three "
    lab.keeping.end()


async def test_nothing_is_kept_of_a_reply_that_is_over(
    make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SYNC_SECONDS", 0.0)
    lab = make_lab()
    await lab.take("one ")
    lab.keeping.end()
    lab.disk.append(lab.session_id, lab.reply.finish(Interrupted()))
    await asyncio.sleep(0.01)
    assert lab.disk.partials(lab.session_id) == []


async def test_a_reply_that_cannot_be_added_to_is_saved_whole(
    make_lab: Callable[[], Lab],
) -> None:
    lab = make_lab()
    await lab.take("one ")
    lab.disk.save_partial(lab.session_id, None)  # somebody has removed it
    await lab.take("two ")
    assert lab.kept.content == "one two "
    assert lab.told == [None, None]
    lab.keeping.end()


async def test_a_full_disk_is_told_and_the_text_goes_on(
    make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make_lab()
    await lab.take("one ")
    lab.disk.full = True
    await lab.take("two ")
    await lab.take("three ")
    assert lab.told == [
        None,
        "The reply is shown, but not kept while it streams: The disk is full.",
    ]
    lab.disk.full = False
    monkeypatch.setattr(lab.keeping, "_not_before", 0.0)
    await lab.take("four ")
    assert lab.kept.content == "one two three four "
    assert lab.told[2:] == [None]
    lab.keeping.end()


async def test_a_disk_that_stands_still_is_waited_for_once(
    make_lab: Callable[[], Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0.05)
    lab = make_lab()
    await lab.take("one ")
    lab.disk.goes_on.clear()
    await lab.take("two ")
    assert lab.told == [None, room.SLOW]
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(100):
        await lab.take(f"{number} ")
    assert loop.time() - began < 20 * room.PATIENCE
    lab.disk.goes_on.set()
    async with asyncio.timeout(20):
        while not lab.kept.content.endswith(" 99 "):
            await asyncio.sleep(0.001)
    assert lab.told[2:] == [None, None]
    lab.keeping.end()
