"""The person's editor, which here is a script."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.errors import UsageError
from agno_shell.shell.editor import edit, find_editor

SitDown = Callable[..., Any]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a script the editor; temporary files go to a folder of the test's own."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.delenv("VISUAL", raising=False)

    def make(script: str) -> Path:
        path = tmp_path / "my editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("EDITOR", f"'{path}' --wait")
        return path

    return make


async def test_a_text_is_changed(editor: Callable[[str], Path], tmp_path: Path) -> None:
    editor(f'cp "$2" {tmp_path}/before; echo "$1" > {tmp_path}/option; printf "Grüße\\n\\n" > "$2"')
    assert await edit("before", os.environ) == "Grüße\n"
    assert (tmp_path / "before").read_text() == "before\n"
    assert (tmp_path / "option").read_text() == "--wait\n"
    assert list((tmp_path / "temp").iterdir()) == []


async def test_the_file_is_the_persons_own_and_ends_in_md(
    editor: Callable[[str], Path], tmp_path: Path
) -> None:
    editor(f'stat -c "%a %n" "$2" "$(dirname "$2")" > {tmp_path}/modes')
    old = os.umask(0)
    try:
        await edit("x", os.environ)
    finally:
        os.umask(old)
    file, folder = (tmp_path / "modes").read_text().split("\n")[:2]
    assert file.startswith("600 ")
    assert file.endswith(".md")
    assert folder.startswith("700 ")


@pytest.mark.parametrize("script", ["true", 'rm "$2"', 'cat "$2"'])
async def test_what_was_not_saved_is_nothing(editor: Callable[[str], Path], script: str) -> None:
    editor(script)
    assert await edit("text", os.environ) is None


async def test_saving_it_unchanged_is_saving_it(editor: Callable[[str], Path]) -> None:
    editor('cp "$2" "$2.new"; mv "$2.new" "$2"')
    assert await edit("text", os.environ) == "text"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 3", "The editor my editor failed with status 3"),
        ("kill -9 $$", "The editor my editor was ended by signal 9"),
        ('printf "\\377" > "$2"', "is not UTF-8"),
        ('rm "$2"; mkdir "$2"', "cannot be read"),
        ('truncate -s 20M "$2"', "is larger than"),
    ],
)
async def test_what_goes_wrong_is_a_sentence(
    editor: Callable[[str], Path], tmp_path: Path, script: str, sentence: str
) -> None:
    editor(script)
    with pytest.raises(UsageError, match=sentence):
        await edit("text", os.environ)
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize("named", ["no-such-editor", "'unclosed", "/"])
def test_a_missing_editor_is_named_with_its_variable(named: str) -> None:
    with pytest.raises(UsageError, match=r"\$VISUAL is .*no such program"):
        find_editor({"VISUAL": named, "EDITOR": "true", "PATH": os.defpath})


def test_without_a_name_a_usual_one_is_taken_but_not_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nano = tmp_path / "nano"
    nano.write_text("#!/bin/sh\n")
    nano.chmod(0o755)
    assert find_editor({"EDITOR": "  ", "PATH": str(tmp_path)}) == [str(nano)]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="There is no editor"):
        find_editor({"PATH": "."})


async def test_an_editor_ends_with_the_shell(editor: Callable[[str], Path], tmp_path: Path) -> None:
    editor(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    editing = asyncio.create_task(edit("text", os.environ))
    async with asyncio.timeout(20):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.005)
    editing.cancel()
    await asyncio.gather(editing, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


# In a shell -------------------------------------------------------------------------------


async def test_the_message_is_written_in_the_editor(
    editor: Callable[[str], Path], sit_down: SitDown
) -> None:
    editor('printf " and more" >> "$2"')
    seat = await sit_down()
    seat.type("a draft\x18\x05")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "a draft\n and more")
    seat.type("\r")
    await seat.sees("echo: a draft")


async def test_an_editor_that_fails_leaves_the_draft_and_a_sane_terminal(
    editor: Callable[[str], Path], sit_down: SitDown
) -> None:
    editor("exit 1")
    seat = await sit_down()
    seat.type("a draft\x18\x05")
    await seat.sees("failed with status 1; nothing was taken over.")
    seat.type(" more\r")
    await seat.sees("echo: a draft more")


async def test_a_command_edits_a_text_and_ctrl_c_is_the_editors(
    editor: Callable[[str], Path], sit_down: SitDown, register: Callable[..., None], tmp_path: Path
) -> None:
    from agno_shell.contracts import Command

    editor(f'until [ -e {tmp_path}/go ]; do sleep 0.01; done; printf "new" > "$2"')

    async def change(context: Any, text: str) -> None:
        context.ui.print(f"edited {await context.ui.edit(text)!r}")

    register("changer", register_commands=lambda: [Command("change", "Change.", change)])
    seat = await sit_down()
    seat.type("/change old\r")
    await seat.until(lambda: seat.shell.frontend._application._running_in_terminal)
    seat.shell.frontend.interrupt()
    (tmp_path / "go").touch()
    await seat.sees("edited 'new'")
    editor("exit 7")
    seat.type("/change old\r")
    await seat.sees("failed with status 7")
    await seat.sees("edited None")


async def test_text_is_filled_into_the_input_behind_the_draft(sit_down: SitDown) -> None:
    seat = await sit_down()
    seat.shell.context.ui.fill("again")
    await seat.sees("› again")
    seat.shell.context.ui.fill("x" * 5000)
    await seat.sees("[paste 1: 5,000 characters, 1 lines]")
    seat.type("\r")
    await seat.until(lambda: bool(seat.shell.engine.history))
    assert seat.shell.engine.history[0].content == "again\n" + "x" * 5000


async def test_the_terminal_is_given_text_for_its_clipboard(
    sit_down: SitDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    seat = await sit_down()
    assert "OSC 52" in await seat.shell.context.ui.copy("hello")
    assert "\x1b]52;c;aGVsbG8=\x07" in seat.terminal.getvalue()
