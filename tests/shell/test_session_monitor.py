"""What a person is told of another shell; :class:`SessionMonitor` looks when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agno_shell.errors import StorageError
from agno_shell.events import Finished
from agno_shell.shell import session_monitor
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, Session, new_id, now

SitDown = Callable[..., Any]


class Ours(MemoryStorage):
    full = False

    def append(self, session_id: str, message: Message) -> Session:
        if self.full:
            raise StorageError("The disk is full.")
        return super().append(session_id, message)


class Two(NamedTuple):
    """Our seat, our storage, and the other shell's storage, in one session."""

    seat: Any
    ours: Ours
    other: MemoryStorage
    session_id: str

    def says(self, text: str) -> None:
        path = self.other.messages(self.session_id, last=1)
        parent = path[-1].id if path else None
        self.other.append(self.session_id, Message(new_id(), "user", text, now(), parent=parent))

    async def looks(self) -> None:
        """A look, as soon as nothing else is in work."""
        await self.rests()
        await self.seat.shell.session_monitor.look()

    async def rests(self) -> None:
        await self.seat.until(lambda: not self.seat.shell.frontend.busy)

    def text(self) -> str:
        """What is on the screen, with the broken lines joined."""
        text: str = self.seat.terminal.text()
        return " ".join(text.split())


@pytest.fixture
async def two(sit_down: SitDown, monkeypatch: pytest.MonkeyPatch) -> Two:
    monkeypatch.setattr(session_monitor, "INTERVAL", 3600)
    store = MemoryStore()
    ours, other = Ours(store), MemoryStorage(store)
    session = other.create("Shared")
    seat = await sit_down(ours, session=session.session_id)
    await seat.sees("no messages yet")
    return Two(seat, ours, other, session.session_id)


def short(two: Two) -> str:
    return two.session_id[:8]


async def test_growth_elsewhere_is_said_and_switch_goes_on_from_it(two: Two) -> None:
    two.seat.type("mine\r")
    await two.seat.sees("echo: mine")
    await two.rests()
    two.says("theirs")
    two.says("theirs 2")
    await two.looks()
    await two.seat.sees(f"2 messages were added to this session elsewhere. /switch {short(two)}")
    await two.seat.sees("2 added elsewhere")
    assert "› theirs" not in two.text()
    two.seat.type(f"/switch {short(two)}\r")
    await two.seat.sees("› theirs 2")
    await two.seat.sees_not("2 added elsewhere")
    two.seat.type(f"/switch {short(two)}\r")
    await two.seat.sees("is open already")
    two.seat.type("after them\r")
    await two.seat.sees("echo: theirs")
    await two.rests()
    said = [message.content for message in two.other.messages(two.session_id)]
    # Three questions that nobody had answered are asked as one.
    reply = "echo: theirs\n\ntheirs 2\n\nafter them"
    assert said == ["mine", "echo: mine", "theirs", "theirs 2", "after them", reply]


async def test_one_message_is_one_and_more_of_them_only_count(two: Two) -> None:
    two.says("one")
    await two.looks()
    await two.seat.sees("1 message was added to this session elsewhere.")
    for number in range(2, 5):
        two.says("more")
        await two.looks()
        await two.seat.sees(f"{number} added elsewhere")
    assert two.text().count("to this session elsewhere") == 1


async def test_who_goes_on_here_is_told_of_what_comes_then(two: Two) -> None:
    two.says("one")
    await two.looks()
    two.seat.type("mine\r")
    await two.seat.sees("echo: mine")
    await two.looks()
    await two.seat.sees_not("1 added elsewhere")
    two.says("another")
    await two.looks()
    await two.seat.until(lambda: two.text().count("1 message was added") == 2)


async def test_a_message_under_ours_is_said_after_the_reply(
    two: Two, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append(["half ", gate, "whole", Finished()])
    two.seat.type("question\r")
    await two.seat.sees("half")
    two.says("in between")
    await two.seat.shell.session_monitor._watch.look()
    gate.set()
    await two.seat.sees("half whole")
    await two.looks()
    await two.seat.sees("1 message was added to this session elsewhere, on another branch.")


async def test_the_toolbar_counts_while_a_reply_streams(
    two: Two, provider: ScriptedProvider
) -> None:
    two.says("before")
    await two.looks()
    await two.seat.sees("1 added elsewhere")
    gate = asyncio.Event()
    provider.scripts.append(["half ", gate, "whole", Finished()])
    two.seat.type("question\r")
    await two.seat.sees("half")
    two.says("meanwhile")
    two.says("meanwhile 2")
    await two.seat.shell.session_monitor.glance()
    # The one before is behind who went on here.
    await two.seat.sees("2 added elsewhere")
    assert two.text().count("to this session elsewhere") == 1
    gate.set()
    await two.seat.sees("half whole")
    await two.looks()
    await two.seat.sees("2 messages were added to this session elsewhere")
    await two.seat.sees("2 added elsewhere")


async def test_the_toolbar_counts_while_a_question_waits(two: Two) -> None:
    two.seat.type("/delete\r")
    await two.seat.sees("[y/N]")
    two.says("meanwhile")
    await two.seat.shell.session_monitor.glance()
    await two.seat.sees("1 added elsewhere")
    two.other.delete(two.session_id)
    await two.seat.shell.session_monitor.glance()
    assert two.seat.shell.engine.open_session.missing is None
    two.seat.type("n\r")
    await two.looks()
    await two.seat.sees("This session was deleted elsewhere")


async def test_nobody_looks_while_a_reply_streams(
    two: Two, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    shell = two.seat.shell

    async def look(*, for_command: bool = False) -> None:
        looks.append(shell.frontend.busy)

    monkeypatch.setattr(session_monitor, "INTERVAL", 0)
    monkeypatch.setattr(shell.session_monitor, "look", look)
    task = asyncio.create_task(shell.session_monitor.run())
    gate = asyncio.Event()
    provider.scripts.append(["half ", gate, "whole", Finished()])
    two.seat.type("question\r")
    await two.seat.sees("half")
    seen = len(looks)
    gate.set()
    await two.seat.sees("half whole")
    await two.seat.until(lambda: len(looks) > seen)
    task.cancel()
    assert not any(looks)


async def test_another_name_is_in_the_toolbar_and_nothing_is_drawn_without_one(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = two.seat.shell
    await two.seat.until(lambda: all(task.done() for task in shell.background._tasks[:1]))
    drawn: list[bool] = []
    set_toolbar = shell.frontend.set_toolbar
    monkeypatch.setattr(
        shell.frontend, "set_toolbar", lambda line: (drawn.append(True), set_toolbar(line))
    )
    await two.looks()
    await two.looks()
    assert not drawn
    before = two.text()
    two.other.update(two.session_id, name="Renamed there")
    await two.looks()
    assert drawn
    await two.seat.sees("Renamed there · model-x")
    assert two.text() == before.replace("Shared · model-x", "Renamed there · model-x")


async def test_a_deletion_elsewhere_and_undelete_here(two: Two) -> None:
    two.other.delete(two.session_id)
    await two.looks()
    await two.looks()
    two.seat.type("meanwhile\r")
    await two.seat.sees("echo: meanwhile")
    await two.seat.sees("The reply was not saved either.")
    assert two.text().count("was deleted elsewhere and is in the trash. /undelete") == 2
    two.seat.type(f"/undelete {short(two)}\r")
    await two.seat.sees("restored")
    await two.seat.sees("Everything that was said is saved now.")
    said = [message.content for message in two.other.messages(two.session_id)]
    assert said == ["meanwhile", "echo: meanwhile"]


async def test_a_session_that_was_restored_elsewhere_is_back(two: Two) -> None:
    trashed = two.other.delete(two.session_id)
    await two.looks()
    two.seat.type("meanwhile\r")
    await two.seat.sees("echo: meanwhile")
    await two.rests()
    two.other.restore(trashed.trash_id)
    await two.looks()
    await two.seat.sees("This session is back, and what was said here is saved in it.")
    assert two.other.open(two.session_id).message_count == 2
    two.seat.type("on\r")
    await two.seat.sees("echo: on")
    assert "Everything that was said" not in two.text()


async def test_a_purged_session_is_gone_and_its_words_can_be_written_to_a_file(two: Two) -> None:
    two.other.purge(two.other.delete(two.session_id).trash_id)
    await two.looks()
    await two.seat.sees("This session is gone, and the trash does not have it")
    assert "/save PATH writes it to a file." in two.text()
    assert "/undelete" not in two.text()


async def test_one_is_asked_before_one_leaves_a_session_that_is_in_memory_only(two: Two) -> None:
    two.other.purge(two.other.delete(two.session_id).trash_id)
    await two.looks()
    two.seat.type("/new Next\r")
    await two.seat.sees("Leave it behind for good?")
    two.seat.type("n\r")
    await two.seat.sees("It stays open.")
    assert two.seat.shell.engine.session.session_id == two.session_id
    two.seat.type("/switch Next\r")
    await two.seat.until(lambda: two.text().count("Leave it behind for good?") == 2)
    two.seat.type("y\r")
    await two.seat.sees("Next (")
    two.seat.type("/new Another\r")
    await two.seat.sees("Another (")
    assert two.text().count("Leave it behind for good?") == 2


async def test_deleting_the_open_session_oneself_is_no_news(two: Two) -> None:
    two.seat.type("/delete\r")
    await two.seat.sees("[y/N]")
    two.seat.type("y\r")
    await two.seat.sees("deleted")
    await two.looks()
    assert "deleted elsewhere" not in two.text()


async def test_what_is_saved_later_is_said_to_be(two: Two) -> None:
    two.ours.full = True
    two.seat.type("precious\r")
    await two.seat.sees("The message was not saved: The disk is full.")
    await two.seat.sees("The reply was not saved either.")
    assert "/save PATH writes the conversation to a file." in two.text()
    await two.rests()
    two.ours.full = False
    two.seat.type("next\r")
    await two.seat.sees("Everything that was said is saved now.")
    assert two.other.open(two.session_id).message_count == 4
    two.seat.type("last\r")
    await two.seat.sees("echo: last")
    await two.rests()
    assert two.text().count("is saved now") == 1


# What the store has lost ------------------------------------------------------------------


async def test_what_the_store_has_lost_is_said_and_brought_back(two: Two) -> None:
    two.seat.type("mine\r")
    await two.seat.sees("echo: mine")
    await two.looks()
    two.ours.store.sessions[two.session_id].messages.clear()
    two.other.update(two.session_id, description="rolled back")
    kept = two.ours.store.sessions[two.session_id]
    kept.session = kept.session._replace(message_count=0)
    await two.looks()
    await two.seat.sees("/recover adds them")
    assert (
        "2 messages of this session are not in the store any more: the file was emptied or "
        "replaced elsewhere. They stay in this shell, and /recover adds them to what is there now."
    ) in two.text()
    await two.looks()
    assert two.text().count("not in the store any more") == 1
    assert two.other.messages(two.session_id) == [], "nothing is written back by itself"
    two.seat.type("/recover\r")
    await two.seat.sees("2 messages are in the store again, behind what was there.")
    assert [each.content for each in two.other.messages(two.session_id)] == ["mine", "echo: mine"]
    await two.looks()
    two.seat.type("/recover\r")
    await two.seat.sees("The store has everything that this shell shows of the session.")
    assert "added to this session elsewhere" not in two.text()


async def test_a_loss_is_said_after_the_next_message_without_a_look(two: Two) -> None:
    two.seat.type("mine\r")
    await two.seat.sees("echo: mine")
    await two.rests()
    kept = two.ours.store.sessions[two.session_id]
    kept.messages.clear()
    two.seat.type("more\r")
    await two.seat.sees("2 messages of this session are not in the store any more")
    two.seat.type("/recover\r")
    await two.seat.sees("4 messages are in the store again")
    found = [each.content for each in two.other.messages(two.session_id)]
    assert found == ["mine", "echo: mine", "more", "echo: more"]
