"""The terminal itself: output in whole frames, input that takes a large paste and types
nothing that the terminal reports.

prompt_toolkit's own classes do the work; here is only what they lack.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import TextIO

from prompt_toolkit.input import Input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output

LONGEST = 4096
"""Characters of an answer; one without an end is not waited for any longer."""

_STRING = rf"(?:\][0-9]+;|P(?:>\||!\||[01][+$]r)|_G)[^\x00-\x1f]{{0,{LONGEST}}}"
"""Answers that are texts, without their end. Alt-], Alt-P and Alt-_ are keys."""

SEQUENCE = re.compile(
    rf"""\x1b(?:
      \[M[ -\xff]{{3}}                # the mouse, as X10 has it
    | \[\[[A-E]                       # function keys of the Linux console
    | \[[0-?]*[ -/]*[@-~]             # control sequences: keys and reports
    | {_STRING}(?:\x07|\x1b\\)
    )""",
    re.VERBOSE,
)

UNFINISHED = re.compile(
    rf"""\x1b(?:
      \[M[ -\xff]{{0,2}}
    | \[\[
    | \[[0-?]*[ -/]*
    | \][0-9]*
    | P(?:[>!]|[01][+$]?)?
    | _
    | {_STRING}\x1b?
    )?\Z""",
    re.VERBOSE,
)


def typed(data: str, keys: Container[str]) -> tuple[str, str]:
    """What of ``data`` was typed, and its end, as far as it may go on as a sequence. Of the
    sequences only those in ``keys`` are typed."""
    if "\x1b" not in data:
        return data, ""
    unfinished = UNFINISHED.search(data)
    end = unfinished.start() if unfinished else len(data)
    whole = SEQUENCE.sub(lambda found: found[0] if found[0] in keys else "", data[:end])
    return whole, data[end:]


def given_up(unfinished: str) -> str:
    """What of such an end was typed when nothing more has come: Esc, or a key with Alt."""
    return unfinished if len(unfinished) <= 2 else ""


PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"

SYNCHRONIZED = ("\x1b[?2026h", "\x1b[?2026l")
"""Terminals that know the mode show what is between at once; others ignore it.
Source: https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036"""

NEWLINE_KEYS = ("\x1b[13;2u", "\x1b[27;2;13~", "\x1b[13;3u", "\x1b[27;3;13~")
"""Shift-Enter and Alt-Enter, as terminals with extended keys send them."""


class FrameOutput(Vt100_Output):
    """An output that can hold back its flushes, so that a frame is one write."""

    _held = False

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Everything written inside leaves in one flush, as one synchronized update."""
        self.flush()
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._buffer:
                self._buffer.insert(0, SYNCHRONIZED[0])
                self._buffer.append(SYNCHRONIZED[1])
            self.flush()

    def erase_down(self) -> None:
        """Erase from here down; the renderer is in the first column whenever it asks.

        Not in one go: tmux moves a screen that is erased from its first cell on into its
        scrollback, where the prompt would be left standing.
        """
        self.write_raw("\x1b[K\x1b[C\x1b[J\x1b[D")

    def flush(self) -> None:
        if not self._held:
            super().flush()


class TerminalParser(Vt100Parser):
    """Takes a paste in linear time: the parent searches all of it again for each chunk. What
    it does not know as a key, such as a report of the terminal, is not typed."""

    def reset(self, request: bool = False) -> None:
        super().reset(request)
        self._chunks: list[str] = []
        self._end = ""
        self._held = ""
        """The beginning of a sequence that has not come whole."""

    def feed(self, data: str) -> None:
        if not self._in_bracketed_paste:
            self._feed_typed(self._held + data)
            return
        # The end mark may be split between two chunks.
        seen = self._end + data
        self._chunks.append(data)
        if PASTE_END not in seen:
            self._end = seen[-len(PASTE_END) + 1 :]
            return
        pasted, _mark, rest = "".join(self._chunks).partition(PASTE_END)
        self._chunks, self._end = [], ""
        self._in_bracketed_paste = False
        self.feed_key_callback(KeyPress(Keys.BracketedPaste, pasted))
        self.feed(rest)

    def _feed_typed(self, data: str) -> None:
        before, mark, pasted = data.partition(PASTE_START)
        text, self._held = typed(before, ANSI_SEQUENCES)
        super().feed(text)
        if mark:
            self._give_up()
            super().feed(mark)
            self.feed(pasted)

    def flush(self) -> None:
        self._give_up()
        super().flush()

    def _give_up(self) -> None:
        held, self._held = self._held, ""
        super().feed(given_up(held))


def patch_parser(source: Input) -> Input:
    """Give an input the linear paste and the newline keys; other inputs stay as they are."""
    for sequence in NEWLINE_KEYS:
        ANSI_SEQUENCES[sequence] = (Keys.Escape, Keys.ControlM)
    parser = getattr(source, "vt100_parser", None)
    if type(parser) is Vt100Parser:
        source.vt100_parser = TerminalParser(parser.feed_key_callback)  # type: ignore[attr-defined]
    return source


def open_input() -> Input:
    """The keyboard."""
    from prompt_toolkit.input.defaults import create_input

    return patch_parser(create_input())


def open_output(stdout: TextIO | None = None) -> Output:
    """The screen. The cursor's position is never asked for: the prompt stands where the
    text ends, so no answer is waited for and none can end up in what is typed."""
    if sys.platform == "win32":
        from prompt_toolkit.output.defaults import create_output

        return create_output(stdout)
    import os

    from prompt_toolkit.output.color_depth import ColorDepth

    depth = ColorDepth.from_env()
    if depth is None and os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        depth = ColorDepth.DEPTH_24_BIT
    output = FrameOutput.from_pty(
        stdout or sys.stdout, term=os.environ.get("TERM"), default_color_depth=depth
    )
    output.enable_cpr = False
    return output
