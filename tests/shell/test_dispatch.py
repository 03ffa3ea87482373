"""What becomes of what is typed at a running shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.events import Finished
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]

ALT_ENTER = "\x1b\r"


def pasted(text: str) -> str:
    return f"\x1b[200~{text}\x1b[201~"


def sent(provider: ScriptedProvider) -> list[str]:
    return [request.messages[-1].content for request in provider.requests]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("/etc/hosts is empty", "/etc/hosts is empty"),
        ("// a comment", "// a comment"),
        (" /word", "/word"),
        (" exit", "exit"),
        (pasted("/start: one\r\n/stop: two"), "/start: one\n/stop: two"),
        (pasted("/start: one\n/stop: two") + " and?", "/start: one\n/stop: two and?"),
        (pasted("/help\n\nwhat is this?\n"), "/help\n\nwhat is this?"),
        (pasted("/log " + "x" * 3000 + "\nend"), "/log " + "x" * 3000 + "\nend"),
        (pasted(" /a\nb"), " /a\nb"),
    ],
)
async def test_a_message_may_begin_with_a_slash(
    sit_down: SitDown, provider: ScriptedProvider, typed: str, message: str
) -> None:
    seat = await sit_down()
    seat.type(f"{typed}\r")
    await seat.sees("echo: ")
    assert sent(provider) == [message]


async def test_a_pasted_text_stays_a_message_when_it_waits_and_is_taken_back(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append(["slow", gate, Finished()])
    seat = await sit_down()
    seat.type("one\r")
    await seat.sees("slow")
    seat.type(pasted("/exit\nsecond") + "\r")
    await seat.sees("1 waiting")
    seat.type("\x03")
    await seat.until(lambda: "/exit\nsecond" in seat.shell.frontend.buffer.text)
    seat.type("\r")
    await seat.sees("echo: /exit")
    assert sent(provider)[-1] == "/exit\nsecond"


async def test_a_pasted_line_is_a_command(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    seat.type(pasted("/rename Pasted\n") + "\r")
    await seat.sees("name changed to Pasted")
    assert provider.requests == []


async def test_an_unknown_command_is_in_the_input_again(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("/sesions of 2026\r")
    await seat.sees("There is no command /sesions. Did you mean /sessions? Nothing was sent")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "/sesions of 2026")
    seat.type("\x01 \r")  # to its beginning, and a blank there
    await seat.sees("echo: /sesions of 2026")
    assert sent(provider) == ["/sesions of 2026"]


async def test_what_is_being_typed_is_not_mixed_with_what_comes_back(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append(["slow", gate, Finished()])
    seat = await sit_down()
    seat.type("one\r")
    await seat.sees("slow")
    seat.type("/nothing\rnext dra")
    await seat.sees("1 waiting")
    await seat.sees("› next dra")
    gate.set()
    await seat.sees("There is no command /nothing.")
    seat.type("ft")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "next draft")


async def test_lines_below_a_command_are_neither_welded_to_it_nor_sent(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage, new="Old")
    seat.type(f"/rename New{ALT_ENTER}a question\r")
    await seat.sees("/rename takes one line, and there are more below it.")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "/rename New\na question")
    assert [each.name for each in storage.sessions()] == ["Old"]
    assert provider.requests == []


async def test_some_commands_take_several_lines(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    seat.type(f"/remember one{ALT_ENTER}two\r")
    await seat.sees("Remembered in this session")
    [session] = storage.sessions()
    assert [each.text for each in storage.memories(session.session_id)] == ["one\ntwo"]


@pytest.mark.parametrize("word", ["exit()", "quit()", ":q", "Exit", ":wq"])
async def test_words_that_leave(sit_down: SitDown, provider: ScriptedProvider, word: str) -> None:
    seat = await sit_down()
    seat.type(f"{word}\r")
    await asyncio.wait_for(seat.task, 20)
    assert provider.requests == []


async def test_a_word_that_asks_for_help_is_a_message_and_says_where_help_is(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("help\r")
    await seat.sees("echo: help")
    assert "/help lists the commands" in seat.terminal.text()
    assert sent(provider) == ["help"]
