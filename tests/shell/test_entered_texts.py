"""What is entered while a reply streams is sent, or is there again after any end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.errors import StorageError
from agno_shell.events import Finished
from agno_shell.shell.entered import EnteredFile
from agno_shell.shell.entered_texts import put_back
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.types import Message, Session

SitDown = Callable[..., Any]
PASTE = "\x1b[200~{}\x1b[201~"
LARGE = "".join(f"line {number}\n" for number in range(800)) + "end"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "entered")


def kept(folder: str) -> str:
    """Everything that is kept."""
    return "".join(each.read_text() for each in Path(folder).glob("*.jsonl"))


def kept_in(folder: str, session_id: str) -> str:
    """What is kept of one session."""
    return "".join(each.read_text() for each in Path(folder).glob(f"{session_id}.*.jsonl"))


async def busy(seat: Any, provider: ScriptedProvider) -> asyncio.Event:
    """A reply that streams until the event is set."""
    goes_on = asyncio.Event()
    provider.scripts.append(["So far", goes_on, ", so good", Finished()])
    seat.type("Go\r")
    await seat.sees("So far")
    return goes_on


def left_by_the_dead(folder: str, seat_or_id: Any, *texts: str) -> None:
    from agno_shell.shell.entered import Entry
    from agno_shell.types import new_id, now

    file = EnteredFile(folder, seat_or_id)
    file.add([Entry(new_id(), text, now()) for text in texts])
    file.close()


async def test_what_waits_is_on_the_disk_until_it_is_sent(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage, entered_dir=folder)
    goes_on = await busy(seat, provider)
    seat.type(PASTE.format(LARGE) + " please\r/info\r")
    await seat.until(lambda: "/info" in kept(folder))
    assert r"line 799\nend please" in kept(folder)
    assert '"Go"' not in kept(folder), "what is sent does not wait"
    goes_on.set()
    await seat.until(lambda: kept(folder) == "" and not seat.shell.frontend.busy)
    said = [each.content for each in storage.tree(seat.shell.engine.session.session_id)]
    assert said[2] == LARGE + " please"
    await seat.leaves()
    assert list(Path(folder).iterdir()) == []


async def test_leaving_says_what_waits_and_it_comes_back(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    store = MemoryStore()
    seat = await sit_down(MemoryStorage(store), entered_dir=folder)
    await busy(seat, provider)
    seat.type("second\r")
    seat.type(PASTE.format(LARGE) + "\r")
    await seat.until(lambda: seat.shell.frontend.queued == 2)
    seat.type("\x04")
    await seat.sees("2 messages were entered but not sent: they come back when this session is")
    await seat.sees("again. Leave anyway?")
    await seat.sees("[y/N]")
    seat.type("n\r")
    await seat.sees("[paste 2: ")
    assert len(provider.requests) == 1, "nothing is sent by itself"
    # Left with what was taken back in the input, it is still not lost.
    seat.shell.leaving.must(15)
    await asyncio.wait_for(seat.task, 20)
    assert "2 messages were entered but not sent" in seat.terminal.text()

    again = await sit_down(MemoryStorage(store), entered_dir=folder)
    await again.sees("2 messages that were entered here but not sent are back")
    await again.sees("› second")
    assert len(provider.requests) == 1, "nothing is sent by itself"
    again.type(" one\r")
    await again.sees("echo: second one")
    await again.sees("› [paste 1: ")
    again.type("\r")
    await again.until(lambda: len(provider.requests) == 3)
    assert provider.requests[2].messages[-1].content == LARGE
    await again.until(lambda: kept(folder) == "")


async def test_what_is_cleared_does_not_come_back(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    storage = MemoryStorage()
    left_by_the_dead(folder, storage.create("Here").session_id, "first", "second")
    seat = await sit_down(storage, entered_dir=folder)
    await seat.sees("› first")
    seat.type("\x03")
    await seat.sees("› second")
    seat.type("\x03")
    await seat.until(lambda: kept(folder) == "")
    seat.type("\x04")
    await asyncio.wait_for(seat.task, 20)
    assert "not sent:" not in seat.terminal.text()
    assert provider.requests == []


async def test_what_was_saved_in_the_last_moment_is_not_put_back(
    sit_down: SitDown, folder: str
) -> None:
    from agno_shell.types import new_id, now

    storage = MemoryStorage()
    session_id = storage.create("Here").session_id
    left_by_the_dead(folder, session_id, "saved\n", " /also saved\n", "not saved")
    first = Message(new_id(), "user", "saved", now())
    for each in (first, Message(new_id(), "user", "/also saved", now(), parent=first.id)):
        storage.append(session_id, each)
    seat = await sit_down(storage, entered_dir=folder)
    await seat.sees(put_back(1)[:60])
    await seat.sees("› not saved")


async def test_it_comes_back_with_its_own_session(sit_down: SitDown, folder: str) -> None:
    storage = MemoryStorage()
    other = storage.create("Other").session_id
    storage.set_current(storage.create("Here").session_id)
    left_by_the_dead(folder, other, "for the other")
    seat = await sit_down(storage, entered_dir=folder)
    await asyncio.sleep(0.05)
    assert "for the other" not in seat.terminal.text()
    seat.type("/switch Other\r")
    await seat.sees("› for the other")


async def test_what_waits_goes_along_to_another_session(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    storage = MemoryStorage()
    other = storage.create("Other").session_id
    here = storage.create("Here").session_id
    storage.set_current(here)
    seat = await sit_down(storage, entered_dir=folder)
    goes_on = await busy(seat, provider)
    still_busy = asyncio.Event()
    provider.scripts.append(["Sure", still_busy, Finished()])
    for text in ("/switch Other", "for the other", "later"):
        seat.type(f"{text}\r")
    await seat.until(lambda: "later" in kept(folder))
    goes_on.set()
    await seat.sees("Sure")
    await seat.until(lambda: "later" in kept_in(folder, other))
    await seat.until(lambda: kept_in(folder, here) == "")
    still_busy.set()
    await seat.until(lambda: len(provider.requests) == 3 and kept(folder) == "")


async def test_what_could_not_be_saved_is_kept_for_the_next_shell(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    class Full(MemoryStorage):
        full = False

        def append(self, session_id: str, message: Message) -> Session:
            if self.full:
                raise StorageError("The disk is full.")
            return super().append(session_id, message)

    storage = Full()
    seat = await sit_down(storage, entered_dir=folder)
    storage.full = True
    seat.type("lost?\r")
    await seat.sees("echo: lost?")
    await seat.until(lambda: not seat.shell.frontend.busy)
    assert "lost?" in kept(folder)
    storage.full = False
    seat.type("next\r")
    await seat.sees("echo: next")
    await seat.until(lambda: kept(folder) == "")


async def test_a_message_that_does_not_leave_stays_with_its_session(
    sit_down: SitDown, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.zip").write_bytes(b"PK\3\4\xff\0")
    seat = await sit_down(entered_dir=folder)
    seat.type("look at @old.zip \r")
    await seat.sees("Nothing was sent")
    assert "look at @old.zip" in kept(folder)
    seat.type("\x03")
    await seat.until(lambda: kept(folder) == "")


async def test_a_key_that_a_command_is_given_is_not_written(
    sit_down: SitDown, provider: ScriptedProvider, folder: str
) -> None:
    seat = await sit_down(entered_dir=folder)
    await busy(seat, provider)
    seat.type("/set x sk-obviously-fake-0123456789\r")
    seat.type("after\r")
    await seat.until(lambda: "after" in kept(folder))
    assert "obviously-fake" not in kept(folder)


async def test_what_cannot_be_kept_is_never_promised(
    sit_down: SitDown, provider: ScriptedProvider, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even after something else about the file went well."""
    synced = []

    def refuse(_file: EnteredFile, _entries: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(EnteredFile, "add", refuse)
    monkeypatch.setattr(EnteredFile, "sync", lambda file: synced.append(file))
    monkeypatch.setattr("agno_shell.shell.entered_texts.SYNC_SECONDS", 0.0)
    seat = await sit_down(entered_dir=folder)
    await busy(seat, provider)
    seat.type("waits\r")
    await seat.until(lambda: len(synced) == 1)
    seat.type("\x04")
    await seat.sees("1 message was entered but not sent, and cannot be kept (No space left on")


async def test_a_disk_that_cannot_be_written_is_said(
    sit_down: SitDown, provider: ScriptedProvider, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    seat = await sit_down(entered_dir=str(tmp_path / "file"))
    await seat.reads("cannot be kept on the disk")
    goes_on = await busy(seat, provider)
    seat.type("waits\r\x04")
    await seat.reads("1 message was entered but not sent, and cannot be kept (")
    goes_on.set()
