"""What is sent and how it is summed up, as a person sees it at a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.conversation.request.rules import INTRODUCTION, is_empty
from agno_shell.events import Failed, Finished, TextDelta
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]
AUTO = {"conversation.auto_compact": True}


async def say(seat: Any, *texts: str) -> None:
    for text in texts:
        await asks(seat, text, f"echo: {text}")


async def asks(seat: Any, text: str, answer: str) -> None:
    seat.type(f"{text}\r")
    await seat.until(
        lambda: (
            any(each.content == answer for each in seat.shell.engine.history)
            and not seat.shell.frontend.busy
        ),
        answer,
    )


@pytest.fixture
async def seat(sit_down: SitDown) -> Any:
    made = await sit_down(MemoryStorage())
    await say(made, "one", "two", "three")
    return made


async def test_the_receipt_is_what_the_next_request_holds(
    seat: Any, provider: ScriptedProvider
) -> None:
    control = seat.shell.engine
    path = await control.messages.path()
    seat.type("/remember The deadline is Friday.\r")
    await seat.sees("Remembered in this session as number 1")
    seat.type("/pin 2\r")
    await seat.sees("Message 2 is always sent from now on, with its turn: assistant: echo: one")
    assert seat.shell.engine.session.pinned == (path[1].id,)
    seat.type("/context\r")
    await seat.sees("Nothing of the conversation is left out.")
    assert "The user asked you to remember: - The de" in seat.terminal.text()
    receipt = await control.receipt()
    await say(seat, "four")
    request = provider.requests[-1]
    assert request.messages[:-1] == tuple(row.message for row in receipt.rows)
    assert request.messages[-1].content == "four"
    seat.type("/forget 1\r")
    await seat.sees("Forgotten")
    await say(seat, "five")
    assert provider.requests[-1].messages[0].content == "one"


async def test_a_summary_is_shown_as_it_comes_and_taken_back(
    seat: Any, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.scripts.append(["They counted", gate, " to three.", Finished()])
    seat.type("/compact keep the numbers\r")
    await seat.sees("They counted")
    assert "keep the numbers" in provider.requests[-1].messages[-1].content
    gate.set()
    await seat.sees("They counted to three.")
    await seat.sees("(2 messages with 3 tokens are summed up; the last 2 turns are sent as they")
    await say(seat, "four")
    begins = provider.requests[-1].messages[0].content
    assert begins == f"{INTRODUCTION}\n\nThey counted to three.\n\ntwo"
    seat.type("/context\r")
    await seat.sees("Not sent: 2 messages that are in the summary.")
    seat.type("/compact --undo\r")
    await seat.sees("What the last summary stood for is sent again.")
    await say(seat, "five")
    assert provider.requests[-1].messages[0].content == "one"


async def test_a_summary_that_is_stopped_changes_nothing(
    seat: Any, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["They counted", asyncio.Event()])
    seat.type("/compact\r")
    await seat.sees("They counted")
    seat.type("\x03")
    await seat.sees("(stopped) Nothing has changed: everything is sent as before.")
    assert "/continue" not in seat.terminal.text()
    await say(seat, "four")
    assert [each.role for each in seat.shell.engine.history].count("summary") == 0


async def test_a_summary_that_fails_changes_nothing(seat: Any, provider: ScriptedProvider) -> None:
    provider.scripts.append(["They", Failed("server", "It broke.", "Ask the operator.")])
    seat.type("/compact\r")
    await seat.sees("It broke. Ask the operator. Nothing has changed")
    again = "/continue goes on from there, /retry asks again. Look at the log."
    provider.scripts.append(["They", Failed("server", "It broke off.", again)])
    seat.type("/compact\r")
    await seat.sees("It broke off. Look at the log. /compact tries it again. Nothing has")
    assert "/retry" not in seat.terminal.text()
    assert "/continue" not in seat.terminal.text()
    assert await seat.shell.engine.compact() is not None


async def test_many_requests_are_asked_about_first(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.window = 400
    seat = await sit_down(MemoryStorage())
    for number in range(8):
        provider.scripts.append([f"{number} " * 250, Finished()])
        seat.type(f"ask {number}\r")
        await seat.until(lambda n=number: len(seat.shell.engine.history) == 2 * n + 2)
    before = len(provider.requests)
    seat.type("/compact\r")
    await seat.sees("requests to sum up. Go on?")
    seat.type("n\r")
    await seat.sees("Nothing has changed")
    assert len(provider.requests) == before


async def test_a_full_window_is_summed_up_by_itself(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.window = 2_000
    seat = await sit_down(MemoryStorage(), values=AUTO)
    gate = asyncio.Event()
    for number in range(3):
        provider.scripts.append([f"{number} " * 400, Finished()])
        await asks(seat, f"ask {number}", f"{number} " * 400)
    provider.scripts.extend(
        [[" 3" * 400, Finished()], ["They", gate, " counted.", Finished()], ["new", Finished()]]
    )
    seat.type("ask 3\r")
    await seat.sees("full: the older turns are summed up. Ctrl-C stops it.")
    await seat.sees("They")
    # What is typed meanwhile waits its turn.
    seat.type("and now?\r")
    gate.set()
    await seat.sees("4 messages with")
    await seat.sees("new")
    sent = provider.requests[-1].messages
    assert sent[0].content.endswith("They counted.\n\nask 2")
    assert sent[-1].content == "and now?"
    assert len(sent) == 5
    assert not any(map(is_empty, sent))


async def test_by_itself_it_is_not_tried_for_ever(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.window = 2_000
    seat = await sit_down(MemoryStorage(), values=AUTO)
    for number in range(3):
        provider.scripts.append([f"{number} " * 400, Finished()])
        await asks(seat, f"ask {number}", f"{number} " * 400)
    provider.scripts.extend([[" 3" * 400, Finished()], ["They", asyncio.Event()]])
    seat.type("ask 3\r")
    await seat.sees("They")
    seat.type("\x03")
    await seat.sees("It is not tried again by itself in this session; /compact does it.")
    before = len(provider.requests)
    await say(seat, "four")
    assert len(provider.requests) == before + 1


async def test_it_is_not_done_by_itself_for_a_few_words(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.window = 2_000
    storage = MemoryStorage()
    seat = await sit_down(storage, values=AUTO)
    storage.remember(storage.current() or "", "word " * 1_400)
    await seat.shell.engine.refresh()
    await say(seat, "one", "two", "three", "four")
    assert len(provider.requests) == 4


async def test_it_is_not_done_by_itself_unless_it_is_switched_on(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.window = 100
    seat = await sit_down(MemoryStorage())
    await say(seat, *(f"{number} w w w w w w w w w" for number in range(8)))
    assert len(provider.requests) == 8


async def test_what_another_shell_remembers_goes_along(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    await say(seat, "one")
    storage.remember(storage.current() or "", "Tea, not coffee.")
    await seat.shell.session_monitor.look()
    await say(seat, "two")
    assert "Tea, not coffee." in provider.requests[-1].messages[0].content


async def test_control_c_ends_looking_whether_anything_is_to_be_summed_up(
    sit_down: SitDown, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.window = 60
    seat = await sit_down(MemoryStorage(), values=AUTO)
    await say(seat, "one")
    looking = asyncio.Event()

    async def endless(_model: str, _messages: Any) -> Any:
        looking.set()
        await asyncio.Event().wait()

    class Slow(ScriptedProvider):
        async def stream(self, request: Any) -> Any:
            monkeypatch.setattr(provider, "count_tokens", endless)
            yield TextDelta("two two")
            yield Finished()

    monkeypatch.setattr(provider, "stream", Slow().stream)
    seat.type("two\r")
    await looking.wait()
    assert seat.shell.frontend.busy
    seat.type("\x03")
    await seat.until(lambda: not seat.shell.frontend.busy)
