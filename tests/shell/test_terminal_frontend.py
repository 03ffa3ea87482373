from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.application.current import set_app
from prompt_toolkit.key_binding.vi_state import InputMode

from agno_shell.events import Finished
from agno_shell.shell.history import InputHistory
from agno_shell.testing.memory_storage import MemoryStorage
from agno_shell.testing.scripted_provider import ScriptedProvider

SitDown = Callable[..., Any]

UP, DOWN = "\x1b[A", "\x1b[B"
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
    await seat.until(lambda: seat.shell.engine.session.name == "Quarterly report")


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
    output = seat.shell.frontend.screen._output
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
    await asyncio.wait_for(seat.task, 20)


async def test_the_toolbar_names_session_model_and_agent(sit_down: SitDown) -> None:
    seat = await sit_down(new="Work", agent="poet")
    await seat.sees("Work · model-x · agent poet")
    seat.type("/model other\r")
    await seat.sees("Work · other · agent poet")


async def test_a_question_wider_than_the_terminal_is_seen(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    storage.set_current(storage.create("A session with a long name, which is not rare").session_id)
    seat = await sit_down(storage)
    seat.type("/delete\r")
    await seat.sees("[y/N]")
    await seat.sees("goes to the trash")
    seat.type("n\r")
    await seat.sees("Nothing was deleted")


async def test_what_is_no_answer_is_said_after_the_question(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    storage = MemoryStorage()
    storage.create("Doomed")
    seat = await sit_down(storage, new="Here")
    seat.type("/delete Doomed\r")
    await seat.sees("[y/N]")
    seat.type("a message typed ahead\r")
    await seat.sees("Nothing was deleted")
    await seat.sees("echo: a message typed ahead")
    assert len(storage.sessions()) == 2


async def test_a_draft_that_was_cleared_is_not_written_to_the_history(
    sit_down: SitDown, tmp_path: Path
) -> None:
    seat = await sit_down(history=InputHistory(tmp_path / "history"))
    seat.type("a passphrase, typed by mistake")
    await seat.sees("by mistake")
    seat.type("\x03")
    await seat.sees_not("by mistake")
    seat.type("said\r")
    await seat.sees("echo: said")
    assert (tmp_path / "history").read_text() == '"said"\n'


async def test_a_message_with_a_large_paste_comes_back_whole(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.extend([["one", Finished()], ["two", Finished()]])
    seat = await sit_down()
    seat.type(PASTE.format("word " * 1000) + "\r")
    await seat.sees("one")
    await seat.until(lambda: len(seat.shell.frontend.buffer._working_lines) > 1)
    seat.type("\x1b[A")
    await seat.sees("› [paste 1:")
    seat.type(" again\r")
    await seat.sees("two")
    assert provider.requests[1].messages[-1].content == "word " * 1000 + " again"


async def test_characters_that_turn_or_hide_are_visible_in_the_input(sit_down: SitDown) -> None:
    seat = await sit_down()
    seat.type(PASTE.format("ab\u202ecd\u200bé"))
    await seat.sees("ab\ufffdcd\ufffdé")
    assert "\u202e" not in seat.terminal.getvalue()
    assert seat.shell.frontend.buffer.text == "ab\u202ecd\u200bé"


async def test_a_tab_in_the_live_line_is_blank(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    provider.scripts.append(["a\tb", asyncio.Event(), Finished()])
    seat = await sit_down()
    seat.type("x\r")
    await seat.sees("a    b")


async def test_escape_acts_at_once_in_vi_mode(sit_down: SitDown) -> None:
    seat = await sit_down(vi=True)
    application = seat.shell.frontend._application
    assert application.timeoutlen <= 0.1
    seat.type("abc\x1b")
    await seat.until(lambda: application.vi_state.input_mode == InputMode.NAVIGATION)


async def test_nothing_is_drawn_while_an_editor_has_the_screen(
    sit_down: SitDown, provider: ScriptedProvider
) -> None:
    gate, done = asyncio.Event(), threading.Event()
    provider.scripts.append([gate, "a line\n", Finished()])
    seat = await sit_down()
    seat.type("x\r")
    await seat.until(lambda: bool(provider.requests))
    application = seat.shell.frontend._application
    with set_app(application):
        editing = run_in_terminal(lambda: done.wait(5), in_executor=True)
    await seat.until(lambda: application._running_in_terminal)
    before = len(seat.terminal.getvalue())
    gate.set()
    await seat.until(lambda: bool(seat.shell.frontend.screen._pending))
    seat.shell.frontend.screen.draw()
    assert seat.terminal.getvalue()[before:] == ""
    done.set()
    await editing
    await seat.sees("a line")


async def test_up_behind_some_text_walks_what_begins_with_it(
    sit_down: SitDown, tmp_path: Path
) -> None:
    history = InputHistory(tmp_path / "history")
    for text in ("/rename One", "what is one?", "/rename Two\nlines", "what is two?", "else"):
        history.append_string(text)
    seat = await sit_down(history=history)
    buffer = seat.shell.frontend.buffer
    # The history is read off the loop.
    await seat.until(lambda: len(buffer._working_lines) > 5)

    async def up_to(text: str, key: str = UP) -> None:
        seat.type(key)
        await seat.until(lambda: buffer.text == text, text)

    seat.type("what")
    await up_to("what is two?")
    await up_to("what is one?")
    seat.type(UP + DOWN)
    await up_to("what", DOWN)  # as it was typed
    seat.type("ever" + UP)
    await seat.until(lambda: buffer.text == "whatever")
    seat.type("\x15")  # nothing is there: all of them
    await up_to("else")
    await up_to("what is two?")
    seat.type("\x03")
    await seat.until(lambda: buffer.text == "" and len(buffer._working_lines) > 5)
    seat.type("/rename ")
    await seat.until(lambda: buffer.complete_state is None)
    await up_to("/rename Two\nlines")
    seat.type(UP)  # to its first line
    await up_to("/rename One")
