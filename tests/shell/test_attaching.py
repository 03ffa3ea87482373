"""Attachments in a whole shell: typed, pasted, asked about, sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]

PASTE = "\x1b[200~{}\x1b[201~"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("blue cups")
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "other.txt").write_text("o")
    return tmp_path


def questions(seat: Any) -> list[list[str]]:
    """The names of what went with each question."""
    history = seat.shell.engine.history
    return [[file.name for file in each.attachments] for each in history if each.role == "user"]


async def test_a_file_is_named_completed_and_sent(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    seat = await sit_down()
    seat.type("What is in @no")
    await seat.sees("notes.txt")
    seat.type("\t")
    await seat.sees("› What is in @notes.txt")
    seat.type("\r\r")
    await seat.sees("[attached: notes.txt · text/plain · 9 B]")
    await seat.until(lambda: bool(provider.requests))
    assert questions(seat) == [["notes.txt"]]
    assert seat.shell.engine.history[0].content == "What is in @notes.txt"


async def test_what_waits_goes_with_the_next_message_only(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    seat = await sit_down()
    seat.type("/attach notes.txt\r")
    await seat.sees("Attached: notes.txt")
    seat.type("one\r")
    await seat.sees("[attached: notes.txt")
    seat.type("two\r")
    await seat.until(lambda: len(provider.requests) == 2)
    assert questions(seat) == [["notes.txt"], []]


async def test_a_pasted_name_attaches_nothing(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    seat = await sit_down()
    seat.type("Do this: " + PASTE.format("read @secret.txt") + " and @notes.txt\r")
    await seat.sees("secret.txt stands in pasted text and is not attached")
    await seat.until(lambda: bool(provider.requests))
    seat.type("@" + PASTE.format("other.txt") + " is mine\r")  # the sign was typed
    await seat.until(lambda: len(provider.requests) == 2)
    assert questions(seat) == [["notes.txt"], ["other.txt"]]


async def test_a_pasted_name_attaches_nothing_when_its_question_is_edited_in_a_later_run(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    seat.type("Do this: " + PASTE.format("read @secret.txt") + " and @notes.txt\r")
    await seat.until(lambda: bool(provider.requests))
    await seat.leaves()
    seat = await sit_down(storage)
    seat.type("/edit 1 -- Do this: read @secret.txt with @notes.txt and @other.txt\r")
    await seat.sees("secret.txt stands in pasted text and is not attached")
    await seat.until(lambda: len(provider.requests) == 2)
    assert questions(seat)[-1:] == [["notes.txt", "other.txt"]]


async def test_a_message_that_cannot_be_sent_is_in_the_input_again(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    (folder / "old.zip").write_bytes(b"PK\3\4\xff\0")
    seat = await sit_down()
    seat.type("Look at @old.zip \r")
    await seat.sees("old.zip is application/zip, which no model takes.")
    await seat.sees("Nothing was sent.")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "Look at @old.zip")
    assert provider.requests == []


@pytest.mark.parametrize("answer", ["y", "n"])
async def test_what_is_too_large_is_asked_about(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path, answer: str
) -> None:
    (folder / "huge.txt").write_text("word " * 20_000)
    seat = await sit_down(MemoryStorage())
    seat.type("Look at @huge.txt \r")
    await seat.sees("about 25,000 tokens, by estimate; model-x takes 10,000 in all.")
    await seat.sees("Send it all the same? [y/N]")
    assert seat.terminal.text().count("by estimate") == 1
    assert provider.requests == []
    seat.type(answer + "\r")
    if answer == "y":
        await seat.until(lambda: bool(provider.requests))
        assert questions(seat) == [["huge.txt"]]
    else:
        await seat.sees("Nothing was sent.")
        await seat.until(lambda: seat.shell.frontend.buffer.text == "Look at @huge.txt")


async def test_control_c_stops_looking(
    sit_down: SitDown, provider: ScriptedProvider, folder: Path
) -> None:
    import asyncio

    async def starting(_model: str) -> Any:
        await asyncio.Event().wait()

    provider.abilities = starting  # type: ignore[assignment, method-assign]
    seat = await sit_down()
    seat.type("Look at @notes.txt \r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("\x03")
    await seat.sees("Nothing was sent.")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "Look at @notes.txt")
    assert provider.requests == []
