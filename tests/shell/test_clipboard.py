"""The clipboard, with programs that write down what they were given."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.errors import UsageError
from agno_shell.shell import clipboard
from agno_shell.shell.clipboard import TERMINAL_BYTES, copy, programs, terminal_sequence

LOCAL = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Makes a program of that name; returns the environment in which only it is found. What
    it reads and its environment are in files beside it."""

    def make(name: str, ending: str = "exit 0") -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(
            f'#!/bin/sh\n/bin/cat > "{tmp_path}/{name}.text"\n'
            f'/usr/bin/env > "{tmp_path}/{name}.env"\n'
            f'echo "$@" > "{tmp_path}/{name}.args"\n{ending}\n'
        )
        path.chmod(0o755)
        return {"PATH": str(folder), "OPENAI_API_KEY": "sk-fake-0000", "HOME": "/home/me"}

    return make


def never(_text: str) -> bool:
    raise AssertionError("the terminal was asked")


async def test_a_program_of_the_desktop_gets_the_text_and_no_key(
    program: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    environ = program("xclip") | {"DISPLAY": ":0"}
    assert await copy("Grüße\n", never, environ) == "with xclip"
    assert (tmp_path / "xclip.text").read_text("utf-8") == "Grüße\n"
    assert (tmp_path / "xclip.args").read_text() == "-selection clipboard\n"
    given = (tmp_path / "xclip.env").read_text()
    assert "DISPLAY=:0" in given
    assert "sk-fake" not in given


async def test_one_that_fails_or_hangs_is_followed_by_the_next(
    program: Callable[..., dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "SECONDS", 1.0)
    program("wl-copy", "exit 1")
    program("xclip", "exec /bin/sleep 60")
    environ = program("xsel") | LOCAL
    assert await copy("x", never, environ) == "with xsel"
    assert (tmp_path / "wl-copy.text").read_text() == "x"


async def test_nothing_is_started_from_the_working_directory(
    program: Callable[..., dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("xclip")
    monkeypatch.chdir(tmp_path / "bin")
    for path in (".", "", "bin:."):
        environ = {"PATH": path, "DISPLAY": ":0"}
        assert "terminal" in await copy("x", lambda text: text == "x", environ)
    assert not (tmp_path / "xclip.text").exists()


async def test_without_any_way_it_is_said_what_would_be_one() -> None:
    with pytest.raises(UsageError, match="no clipboard") as error:
        await copy("x", lambda _text: False, {"PATH": ""})
    assert "xclip" in error.value.hint


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="other programs")
@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, []),
        (LOCAL, ["wl-copy", "xclip", "xsel"]),
        ({"DISPLAY": ":0", "TMUX": "/x"}, ["xclip", "xsel", "tmux"]),
        ({**LOCAL, "SSH_CONNECTION": "1", "TMUX": "/x"}, ["tmux"]),
        ({**LOCAL, "SSH_TTY": "/dev/pts/1"}, []),
        ({"WSL_DISTRO_NAME": "Debian"}, ["clip.exe"]),
    ],
)
def test_who_is_asked(environ: dict[str, str], names: list[str]) -> None:
    assert [os.path.basename(each.argv[0]) for each in programs(environ)] == names


@given(st.text())
def test_the_terminal_gets_nothing_but_base64(text: str) -> None:
    sequence = terminal_sequence(text, {"TERM": "xterm"})
    assert sequence[:7] == "\x1b]52;c;"
    assert sequence[-1] == "\x07"
    data = base64.b64decode(sequence[7:-1], validate=True)
    assert data == text.encode("utf-8", "replace")


def test_tmux_and_screen_hand_the_sequence_on() -> None:
    plain = terminal_sequence("x" * 3000, {})
    tmux = terminal_sequence("x" * 3000, {"TMUX": "/tmp/tmux,1,0", "TERM": "screen"})
    assert tmux == f"\x1bPtmux;\x1b{plain}\x1b\\"
    screen = terminal_sequence("x" * 3000, {"TERM": "screen.xterm-256color"})
    pieces = screen.split("\x1b\\")[:-1]
    assert all(piece.startswith("\x1bP") and len(piece) <= 768 for piece in pieces)
    assert "".join(piece[2:] for piece in pieces) == plain


def test_more_than_terminals_take_is_refused_in_words() -> None:
    terminal_sequence("x" * (TERMINAL_BYTES * 3 // 4), {})
    with pytest.raises(UsageError, match=r"The text has 1\.0 MB; terminals take 75\.0 kB"):
        terminal_sequence("x" * 1_000_000, {})
