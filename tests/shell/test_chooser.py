"""A list in a running shell: ``/pick N`` offers N lines and prints what was picked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agno_shell.contracts import Command
from agno_shell.events import Finished
from agno_shell.shell.chooser import VISIBLE
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]

UP, DOWN, PAGE_DOWN, HOME, END = "\x1b[A", "\x1b[B", "\x1b[6~", "\x1b[H", "\x1b[F"


@pytest.fixture
async def seat(sit_down: SitDown, register: Callable[..., None]) -> Any:
    gate = asyncio.Event()
    gate.set()

    async def pick(context: Any, text: str) -> None:
        number = int(text)
        await gate.wait()
        options = [(("", f"option {n:02}"), ("bold", " \x1b[31mred\tend")) for n in range(number)]
        context.ui.print(f"picked {await context.ui.choose(options)}")

    register("picker", register_commands=lambda: [Command("pick", "Pick.", pick)])
    seated = await sit_down()
    seated.gate = gate
    return seated


def screen(seat: Any) -> str:
    return "\n".join(line.rstrip() for line in seat.terminal.screen.display).rstrip()


async def offers(seat: Any, number: int = 3) -> None:
    seat.type(f"/pick {number}\r")
    await seat.sees("Esc leaves")


def marked(seat: Any) -> list[str]:
    return [line for line in screen(seat).split("\n") if line.startswith("▸")]


async def test_the_first_line_is_marked_and_enter_picks_it(seat: Any) -> None:
    await offers(seat)
    [line] = marked(seat)
    assert line.startswith("▸ 1  option 00")
    assert "2  option 01" in screen(seat)
    seat.type("\r")
    await seat.sees("picked 0")


@pytest.mark.parametrize(
    ("keys", "picked"),
    [
        (DOWN, 1),
        (DOWN * 9, 2),
        (UP, 0),
        (DOWN + DOWN + UP, 1),
        (END, 2),
        (END + HOME, 0),
        ("3", 2),
        ("31", 0),
        ("9", 0),
        ("\x0e\x0e\x10", 1),
    ],
)
async def test_keys_move_the_mark(seat: Any, keys: str, picked: int) -> None:
    await offers(seat)
    seat.type(keys + "\r")
    await seat.sees(f"picked {picked}")


async def test_a_long_list_scrolls_and_numbers_have_two_digits(seat: Any) -> None:
    await offers(seat, 25)
    assert screen(seat).count("option ") == VISIBLE
    seat.type(PAGE_DOWN)
    await seat.sees("▸ 11  option 10")
    assert screen(seat).count("option ") == VISIBLE
    seat.type("24")
    await seat.sees("▸ 24  option 23")
    seat.type("\r")
    await seat.sees("picked 23")


@pytest.mark.parametrize("key", ["\x1b", "\x03", "\x04", "\x07"])
async def test_it_is_left_with_nothing_picked(seat: Any, key: str) -> None:
    await offers(seat)
    seat.type(DOWN + key)
    await seat.sees("picked None")
    seat.type("still here\r")
    await seat.sees("echo: still here")


async def test_the_list_leaves_nothing_behind(seat: Any) -> None:
    await offers(seat, 25)
    seat.type("\r")
    await seat.sees("picked 0")
    await seat.until(lambda: "option" not in seat.terminal.text())
    assert "Esc leaves" not in seat.terminal.text()
    before, prompt, toolbar = screen(seat).rsplit("\n", 2)
    assert prompt == "›"
    assert "model-x" in toolbar
    assert before.rstrip().endswith("picked 0")


async def test_where_nothing_is_printed_the_screen_is_as_before(seat: Any) -> None:
    await seat.until(lambda: "model-x" in screen(seat))
    before = screen(seat)
    options = [(("", f"option {n:02}"),) for n in range(10)]
    task = asyncio.create_task(seat.shell.frontend.choose(options))
    await seat.sees("Esc leaves")
    seat.type("\x1b")
    assert await task is None
    await seat.until(lambda: screen(seat) == before, before)


async def test_no_foreign_byte_acts(seat: Any) -> None:
    await offers(seat)
    assert "option 00 ␛[31mred    end" in screen(seat)
    assert "\x1b[31mred" not in seat.terminal.getvalue()


async def test_who_is_typing_picks_nothing_by_accident(
    seat: Any, provider: ScriptedProvider
) -> None:
    seat.gate.clear()
    seat.type("/pick 3\r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("a mess")
    await seat.sees("› a mess")
    seat.gate.set()
    await seat.sees("Esc leaves")
    assert marked(seat) == []
    seat.type("age\r")
    await seat.sees("picked None")
    await seat.sees("echo: a message")


async def test_enter_says_the_draft_that_was_begun_before_the_list(seat: Any) -> None:
    seat.gate.clear()
    seat.type("/pick 3\r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("a message")
    await seat.sees("› a message")
    seat.gate.set()
    await seat.sees("Esc leaves")
    seat.type("\r")
    await seat.sees("picked None")
    await seat.sees("echo: a message")


async def test_a_draft_survives_a_choice(seat: Any) -> None:
    seat.gate.clear()
    seat.type("/pick 3\r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("a draft")
    await seat.sees("› a draft")
    seat.gate.set()
    await seat.sees("Esc leaves")
    seat.type(DOWN + DOWN + "\r")
    await seat.sees("picked 1")
    assert seat.shell.frontend.buffer.text == "a draft"
    seat.type(", finished\r")
    await seat.sees("echo: a draft, finished")


async def test_words_that_begin_with_a_number_stay_whole(seat: Any) -> None:
    await offers(seat)
    seat.type("2000 cups\r")
    await seat.sees("picked None")
    await seat.sees("echo: 2000 cups")


async def test_a_paste_goes_to_the_input_and_is_not_said(
    seat: Any, provider: ScriptedProvider
) -> None:
    await offers(seat)
    seat.type("\x1b[200~pasted\r\x1b[201~")
    await seat.sees("picked None")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "pasted\n")
    assert provider.requests == []


async def test_what_waits_in_the_queue_goes_on_waiting(
    seat: Any, provider: ScriptedProvider
) -> None:
    seat.gate.clear()
    seat.type("/pick 3\r")
    await seat.until(lambda: seat.shell.work._stop is not None)
    seat.type("said ahead\r")
    await seat.sees("1 waiting")
    seat.gate.set()
    await seat.sees("Esc leaves")
    assert len(marked(seat)) == 1
    assert provider.requests == []
    seat.type("\r")
    await seat.sees("picked 0")
    await seat.sees("echo: said ahead")


async def test_a_reply_can_be_stopped_afterwards(seat: Any, provider: ScriptedProvider) -> None:
    provider.scripts.append(["half", asyncio.Event(), Finished()])
    await offers(seat)
    seat.type("\x03")
    await seat.sees("picked None")
    seat.type("go\r")
    await seat.sees("half")
    seat.type("\x03")
    await seat.sees("stopped")


async def test_a_signal_ends_the_shell_behind_a_list(seat: Any) -> None:
    await offers(seat)
    seat.shell.leaving.must(15)
    assert await asyncio.wait_for(seat.task, 20) == 128 + 15


async def test_a_list_that_no_command_shows_is_closed_by_leaving(seat: Any) -> None:
    task = asyncio.create_task(seat.shell.frontend.choose([(("", "one"),)]))
    await seat.sees("Esc leaves")
    seat.shell.frontend.leave()
    assert await asyncio.wait_for(task, 20) is None
    await asyncio.wait_for(seat.task, 20)


async def test_a_terminal_that_goes_away_ends_the_shell_behind_a_list(seat: Any) -> None:
    await offers(seat)
    seat.keyboard.close()
    await asyncio.wait_for(seat.task, 20)


async def test_nothing_to_choose_from_is_nothing_picked(seat: Any) -> None:
    seat.type("/pick 0\r")
    await seat.sees("picked None")


async def test_a_line_is_cut_where_the_terminal_ends(seat: Any) -> None:
    frontend = seat.shell.frontend
    task = asyncio.create_task(frontend.choose([(("", "wide 漢字 " * 30),), (("", "short"),)]))
    await seat.sees("Esc leaves")
    [line] = marked(seat)
    assert line.endswith("…")
    assert "2  short" in screen(seat)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await seat.sees_not("Esc leaves")
