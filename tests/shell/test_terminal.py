from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.keys import Keys

from agno_shell.shell.terminal import SYNCHRONIZED, FrameOutput, TerminalParser, patch_parser


def parse(chunks: list[str]) -> list[tuple[object, str]]:
    seen: list[tuple[object, str]] = []
    parser = TerminalParser(lambda press: seen.append((press.key, press.data)))
    for chunk in chunks:
        parser.feed(chunk)
    return seen


@given(st.text(alphabet="ab\n\x1b[201~é"), st.lists(st.integers(0, 60)))
def test_a_paste_is_whole_however_it_is_split(text: str, cuts: list[int]) -> None:
    text = text.replace("\x1b[201~", "")
    whole = f"x\x1b[200~{text}\x1b[201~y"
    points = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    chunks = [whole[start:end] for start, end in pairwise(points)]
    assert parse(chunks) == [("x", "x"), (Keys.BracketedPaste, text), ("y", "y")]


def test_two_pastes_in_one_chunk() -> None:
    seen = parse(["\x1b[200~a\x1b[201~\x1b[200~b\x1b[201~"])
    assert [data for _key, data in seen] == ["a", "b"]


@pytest.mark.parametrize("sequence", ["\x1b[13;2u", "\x1b[27;2;13~"])
def test_shift_enter_breaks_the_line(sequence: str) -> None:
    with create_pipe_input() as source:
        patch_parser(source)
        assert [key for key, _data in parse([sequence])] == [Keys.Escape, Keys.ControlM]


class Written(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.flushes: list[str] = []

    def write(self, text: str) -> int:
        self.flushes.append(text)
        return len(text)


@pytest.fixture
def make_output() -> Callable[[], tuple[FrameOutput, Written]]:
    def make() -> tuple[FrameOutput, Written]:
        sink = Written()
        return FrameOutput(sink, lambda: Size(24, 80), term="xterm"), sink

    return make


def test_a_frame_is_one_write(make_output: Callable[[], tuple[FrameOutput, Written]]) -> None:
    output, sink = make_output()
    with output.frame():
        output.write("one")
        output.flush()
        output.write("two")
        output.flush()
        assert sink.flushes == []
    assert sink.flushes == [f"{SYNCHRONIZED[0]}onetwo{SYNCHRONIZED[1]}"]


def test_an_empty_frame_writes_nothing(
    make_output: Callable[[], tuple[FrameOutput, Written]],
) -> None:
    output, sink = make_output()
    with output.frame():
        pass
    assert sink.flushes == []


def test_a_frame_that_fails_lets_later_output_through(
    make_output: Callable[[], tuple[FrameOutput, Written]],
) -> None:
    output, sink = make_output()
    with pytest.raises(ZeroDivisionError), output.frame():
        raise ZeroDivisionError
    output.write("later")
    output.flush()
    assert sink.flushes == ["later"]


def test_erasing_leaves_nothing_and_does_not_begin_in_the_first_cell(
    make_output: Callable[[], tuple[FrameOutput, Written]],
) -> None:
    output, sink = make_output()
    output.erase_down()
    output.flush()
    (written,) = sink.flushes
    # From the first cell of the screen on, tmux keeps what is erased in its scrollback.
    assert not written.startswith("\x1b[J")
    screen = pyte.Screen(20, 3)
    stream = pyte.Stream(screen)
    stream.feed("above\r\nprompt\r\ntoolbar\x1b[2;1H" + written)
    assert [line.rstrip() for line in screen.display] == ["above", "", ""]
    assert (screen.cursor.x, screen.cursor.y) == (0, 1)
