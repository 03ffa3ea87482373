"""Taking back, trying again and branching off, as a person does it at a terminal."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.conversation.engine import Engine
from agno_shell.events import Failed, Finished
from agno_shell.testing.memory_storage import MemoryStorage, MemoryStore
from agno_shell.testing.scripted_provider import ScriptedProvider
from agno_shell.testing.turn_events import events_of

SitDown = Callable[..., Any]

ESCAPE, DOWN, UP = "\x1b", "\x1b[B", "\x1b[A"


@pytest.fixture(autouse=True)
def no_editor_and_no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
async def seat(sit_down: SitDown) -> Any:
    """Two questions were asked and answered."""
    made = await sit_down(MemoryStorage())
    for text in ("one", "two"):
        made.type(f"{text}\r")
        await made.sees(f"echo: {text}")
    return made


def path(seat: Any) -> list[str]:
    return [message.content for message in seat.shell.engine.history]


async def stands(seat: Any, *texts: str) -> None:
    """Wait until the conversation is this one."""
    await seat.until(lambda: path(seat) == list(texts), str(texts))


async def test_back_and_forth(seat: Any) -> None:
    seat.type("/undo\r")
    await seat.sees("Taken back: › two")
    await stands(seat, "one", "echo: one")
    seat.type("/redo\r")
    await seat.sees("Brought back: › two")
    await stands(seat, "one", "echo: one", "two", "echo: two")
    seat.type("/redo\r")
    await seat.sees("There is nothing to bring back: nothing follows here.")


async def test_one_empty_line_stands_behind_a_turn_of_a_command(seat: Any) -> None:
    seat.type("/retry\r")
    await seat.until(lambda: not seat.shell.frontend.busy and len(path(seat)) == 4)
    seat.type("three\r")
    await seat.sees("echo: three")
    assert "\n\n\n" not in seat.terminal.text()


async def test_a_second_reply_by_another_model(seat: Any, provider: ScriptedProvider) -> None:
    gate = asyncio.Event()
    provider.scripts.append([gate, "better", Finished()])
    seat.type("/retry --model model-b\r")
    await seat.sees("model-b …")
    gate.set()
    await seat.sees("better")
    await stands(seat, "one", "echo: one", "two", "better")
    # The question is recalled, and not said once more.
    assert seat.terminal.lines().count("› two") == 2


async def test_a_reply_that_was_stopped_goes_on(seat: Any, provider: ScriptedProvider) -> None:
    provider.scripts.append(["The first half", asyncio.Event()])
    seat.type("three\r")
    await seat.sees("The first half")
    seat.type("\x03")
    await seat.sees("stopped")
    provider.scripts.append([" and the second.", Finished()])
    seat.type("/continue\r")
    await seat.sees("… The first half")
    await seat.sees("and the second.")
    seat.type("/continue\r")
    await seat.sees("The last reply is whole. /retry asks for another one.")


async def test_a_question_is_changed_in_the_input_line(seat: Any) -> None:
    seat.type("/edit 1\r")
    await seat.sees("› /edit 1 -- one")
    seat.type("\x7f" * 3 + "uno\r")
    await seat.sees("echo: uno")
    await stands(seat, "uno", "echo: uno")


async def test_files_go_with_a_question_in_other_words(seat: Any, tmp_path: Path) -> None:
    file, other = tmp_path / "notes.txt", tmp_path / "other.txt"
    file.write_text("flour")
    other.write_text("salt")
    engine = seat.shell.engine

    def attached() -> list[tuple[str, int]]:
        return [(each.name, each.size) for each in engine.history[-2].attachments]

    await engine.edit(engine.history[2].id, f"see @{file}")
    assert attached() == [("notes.txt", 5)]
    await engine.edit(engine.history[2].id, f"see @{file} and @{other}")
    assert attached() == [("notes.txt", 5), ("other.txt", 4)]
    file.write_text("more flour")
    other.unlink()
    await engine.edit(engine.history[2].id, f"see @{file}, once more")
    assert attached() == [("other.txt", 4), ("notes.txt", 10)]


async def test_an_edit_that_cannot_be_sent_is_in_the_input_again(seat: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    seat.type(f"/edit 3 -- see @{empty} \r")
    await seat.sees("empty.txt is empty.")
    await seat.until(lambda: seat.shell.frontend.buffer.text == f"/edit 3 -- see @{empty}")
    await stands(seat, "one", "echo: one", "two", "echo: two")


async def test_control_c_leaves_everything_as_it_is(seat: Any, provider: ScriptedProvider) -> None:
    seat.type("/edit\r")
    await seat.sees("› /edit 3 -- two")
    seat.type("\x03three\r")
    await seat.sees("echo: three")
    await stands(seat, "one", "echo: one", "two", "echo: two", "three", "echo: three")


async def test_another_branch_is_chosen_in_the_tree(seat: Any) -> None:
    seat.type("/edit 3 -- zwei\r")
    await seat.sees("echo: zwei")
    seat.type("/tree\r")
    await seat.sees("├─ two  echo: two")
    await seat.sees("* 3 zwei  4 echo: zwei")
    await seat.sees("3/3")
    seat.type(UP + "\r")
    await seat.sees("The conversation stands here now")
    await stands(seat, "one", "echo: one", "two", "echo: two")
    seat.type("/tree\r")
    await seat.sees("* 3 two  4 echo: two")
    seat.type(ESCAPE)
    await seat.until(lambda: seat.terminal.text().count("* 3 two") == 1)
    await stands(seat, "one", "echo: one", "two", "echo: two")


async def test_a_fork_is_opened(seat: Any) -> None:
    first = seat.shell.engine.session
    seat.type("/fork Other --at 2\r")
    await seat.sees(f"/switch {first.session_id[:8]} leads back there.")
    await stands(seat, "one", "echo: one")
    assert seat.shell.engine.session.name == "Other"
    seat.type("three\r")
    await seat.sees("echo: three")
    seat.type(f"/switch {first.session_id[:8]}\r")
    await stands(seat, "one", "echo: one", "two", "echo: two")


async def test_what_is_copied_reaches_the_terminal(seat: Any, provider: ScriptedProvider) -> None:
    provider.scripts.append(["So:\n```sh\nmake\n```\n", Finished()])
    seat.type("how?\r")
    await seat.sees("make")
    seat.type("/copy code\r")
    await seat.sees("Copied 1 line of code (sh) through the terminal")
    encoded = base64.b64encode(b"make").decode()
    assert f"\x1b]52;c;{encoded}\x07" in seat.terminal.getvalue()


async def test_history_shows_the_numbers(seat: Any) -> None:
    seat.type("/history 1\r")
    await seat.sees("3 · you · 20")
    await seat.sees("4 · model-x · 20")


async def test_an_error_of_a_retry_is_one_line_and_the_reply_still_stands(
    seat: Any, provider: ScriptedProvider
) -> None:
    provider.scripts.append([Failed("server", "Broken.")])
    seat.type("/retry\r")
    await seat.sees("Broken.")
    await stands(seat, "one", "echo: one", "two", "echo: two")


async def test_what_a_shell_takes_back_is_no_news_for_it(
    sit_down: SitDown, make_engine: Callable[..., Engine]
) -> None:
    store = MemoryStore()
    seat = await sit_down(MemoryStorage(store))
    seat.type("begin\r")
    await seat.sees("echo: begin")
    seat.type("/undo\r")
    await seat.sees("Taken back: › begin")
    await seat.shell.session_monitor.look()
    elsewhere = make_engine(MemoryStorage(store))
    await elsewhere.open(seat.shell.engine.session.session_id)
    assert elsewhere.history == []
    await events_of(elsewhere.turn("other"))
    await seat.shell.session_monitor.look()
    await seat.sees("2 messages were added to this session elsewhere.")
    seat.type("/redo\r")
    await seat.sees("Brought back: › begin")
    seat.type("more\r")
    await seat.sees("echo: more")
    assert path(seat) == ["begin", "echo: begin", "more", "echo: more"]
    assert len(await seat.shell.engine.messages.tree()) == 6
    assert seat.terminal.text().count("to this session elsewhere") == 1


async def test_a_session_of_which_all_was_taken_back_says_so(sit_down: SitDown) -> None:
    storage = MemoryStorage()
    seat = await sit_down(storage)
    seat.type("begin\r")
    await seat.sees("echo: begin")
    seat.type("/undo\r")
    await seat.sees("Taken back")
    await seat.leaves()
    again = await sit_down(storage)
    await again.sees("Everything that was said here was taken back. /redo brings it back")
