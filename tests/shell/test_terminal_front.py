from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agno_shell.events import Finished
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]

PASTE = "\x1b[200~{}\x1b[201~"


async def test_alt_enter_breaks_the_line(sit_down: SitDown, provider: ScriptedProvider) -> None:
    seat = await sit_down()
    seat.type("one\x1b\rtwo\r")
    await seat.sees("echo: one")
    assert provider.requests[0].messages[-1].content == "one\ntwo"


async def test_a_pasted_text_stays_one_message(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type(PASTE.format("first\r\nsecond\rthird") + "\r")
    await seat.sees("third")
    await seat.until(lambda: bool(provider.requests))
    assert provider.requests[0].messages[-1].content == "first\nsecond\nthird"


async def test_a_paste_of_five_megabytes_is_sent_whole(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["ok then", Finished()])
    seat = await sit_down()
    text = "".join(f"line {number}\n" for number in range(450_000)) + "end"
    assert len(text) > 5_000_000

    async def paste() -> None:
        whole = PASTE.format(text)
        for start in range(0, len(whole), 65_536):
            await asyncio.to_thread(seat.type, whole[start : start + 65_536])

    await paste()
    await seat.sees("[paste 1:", seconds=20)
    seat.type(" please\r")
    await seat.sees("ok then", seconds=20)
    assert provider.requests[0].messages[-1].content == text + " please"


async def test_a_completion_menu_opens_for_commands_and_closes_again(sit_down: SitDown) -> None:
    seat = await sit_down()
    seat.type("/se")
    await seat.sees("/sessions")
    seat.type("\x15")
    await seat.sees_not("/sessions")
    seat.type("no command")
    await seat.sees("› no command")


async def test_session_names_complete_fuzzily(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    storage.create("Quarterly report")
    seat = await sit_down(storage, new="Here")
    seat.type("/switch qtrep")
    await seat.sees("Quarterly report")
    seat.type("\t")
    await seat.sees("/switch Quarterly report")
    seat.type("\r\r")
    await seat.sees("Quarterly report (")
    await seat.until(lambda: seat.shell.conversation.session.name == "Quarterly report")


async def test_control_r_searches_what_was_typed(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    seat = await sit_down()
    seat.type("alpha one\r")
    await seat.sees("echo: alpha one")
    seat.type("beta two\r")
    await seat.sees("echo: beta two")
    seat.type("\x12alp")
    await seat.sees("search: alp")
    seat.type("\r\r")
    await seat.until(lambda: len(provider.requests) == 3)
    assert provider.requests[2].messages[-1].content == "alpha one"


async def test_a_question_is_asked_once_and_keeps_the_draft(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    seat = await sit_down(storage, new="Here")
    seat.type("/delete Doomed\r")
    await seat.sees("[y/N]")
    seat.type("n\r")
    await seat.sees("Nothing was deleted")
    assert len(storage.sessions()) == 2
    seat.type("/delete Doomed\r")
    await seat.until(lambda: "[y/N]" in "".join(seat.terminal.screen.display))
    seat.type("y\r")
    await seat.until(lambda: len(storage.sessions()) == 1)


async def test_control_c_answers_a_question_with_no(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    seat = await sit_down(storage, new="Here")
    seat.type("/delete Doomed\r")
    await seat.sees("[y/N]")
    seat.type("\x03")
    seat.type("/info\r")
    await seat.sees("Here")
    assert len(storage.sessions()) == 2


async def test_the_prompt_is_always_there_while_a_reply_streams(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    deltas = [f"word{number} \n" if number % 7 == 0 else f"word{number} " for number in range(300)]
    provider.scripts.append([*deltas, Finished()])
    seat = await sit_down()
    frames: list[bool] = []
    output = seat.shell.front.screen._output
    written = output.stdout.write

    def write(text: str) -> int:
        result: int = written(text)
        frames.append(any(line.startswith("›") for line in seat.terminal.screen.display))
        return result

    output.stdout.write = write
    seat.type("Go\r")
    await seat.sees("word299")
    assert frames
    assert all(frames)
    text = " ".join(seat.terminal.text().split())
    assert " ".join(f"word{number}" for number in range(300)) in text


async def test_the_end_of_the_input_leaves(sit_down: SitDown) -> None:
    seat = await sit_down()
    seat.keyboard.close()
    await asyncio.wait_for(seat.task, 5)


async def test_the_toolbar_names_session_model_and_agent(sit_down: SitDown) -> None:
    seat = await sit_down(new="Work", agent="poet")
    await seat.sees("Work · model-x · agent poet")
    seat.type("/model other\r")
    await seat.sees("Work · other · agent poet")
