"""What a terminal sends by itself is not typed; keys and pastes are as ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.keys import Keys

from agno_shell.shell.terminal import TerminalParser

Press = tuple[object, str]

REPLIES = {
    "the window has the focus": "\x1b[I",
    "the window has lost it": "\x1b[O",
    "the mouse (SGR)": "\x1b[<0;10;10M",
    "the mouse (X10)": "\x1b[M !\xff",
    "the mouse (urxvt)": "\x1b[32;10;10M",
    "what it is": "\x1b[?62;1;4c",
    "which version": "\x1b[>41;330;0c",
    "where the cursor is": "\x1b[24;80R",
    "whether a mode is set": "\x1b[?2026;2$y",
    "the flags of its keyboard": "\x1b[?0u",
    "a key with its event": "\x1b[97;1:3u",
    "its colour (BEL)": "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
    "its colour (ST)": "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    "its clipboard": "\x1b]52;c;L2RlbGV0ZSAtLXllcw==\x07",
    "its name": "\x1bP>|XTerm(370)\x1b\\",
    "its number": "\x1bP!|00000000\x1b\\",
    "a capability": "\x1bP1+r544e=787465726d\x1b\\",
    "a setting": "\x1bP1$r0m\x1b\\",
    "that it shows pictures": "\x1b_Gi=1;OK\x1b\\",
    "its size": "\x1b[8;24;80t",
    "light or dark": "\x1b[?997;1n",
    "the end of a paste": "\x1b[201~",
}


def parse(*chunks: str, parser: Callable[..., Vt100Parser] = TerminalParser) -> list[Press]:
    """The keys of what comes in these chunks; after the last one nothing comes any more."""
    seen: list[Press] = []
    made = parser(lambda press: seen.append((press.key, press.data)))
    for chunk in chunks:
        made.feed(chunk)
    made.flush()
    return seen


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_report_types_nothing_wherever_it_is_split(reply: str) -> None:
    for cut in range(len(reply) + 1):
        seen = parse("a" + reply[:cut], reply[cut:] + "b")
        assert [data for _key, data in seen] == ["a", "b"]
    assert [data for _key, data in parse(*f"a{reply}b")] == ["a", "b"]
    assert parse(f"{reply}{reply}\x1b[200~x{reply.replace(chr(27), '')}\x1b[201~{reply}")[0][0] == (
        Keys.BracketedPaste
    )


@given(st.lists(st.sampled_from([*ANSI_SEQUENCES, "x", "é", "\r", "\x1b", "\t"])), st.integers(0))
def test_keys_are_what_they_were(keys: list[str], at: int) -> None:
    typed = "".join(key for key in keys if key != "\x1b[200~")
    # Esc before a key is a key with Alt, or two keys; prompt_toolkit says which.
    cut = at % (len(typed) + 1)
    assert parse(typed[:cut], typed[cut:]) == parse(typed, parser=Vt100Parser)


@pytest.mark.parametrize("key", ["\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1bO", "\x1bx"])
def test_esc_and_keys_with_alt_stay_keys(key: str) -> None:
    seen: list[Press] = []
    parser = TerminalParser(lambda press: seen.append((press.key, press.data)))
    parser.feed(key)
    parser.flush()  # as after a moment
    assert seen == parse(key, parser=Vt100Parser)
    parser.feed("hello\r")
    assert "".join(data for _key, data in seen).endswith("hello\r")


def test_a_report_without_an_end_is_dropped_and_what_is_typed_then_is_not() -> None:
    seen: list[Press] = []
    parser = TerminalParser(lambda press: seen.append((press.key, press.data)))
    parser.feed("a\x1b]11;rgb:1e1e/")
    parser.flush()
    parser.feed("typed")
    assert "".join(data for _key, data in seen) == "atyped"


@given(st.text(alphabet="ab\n[I<0;9M~\\\x07é"), st.sampled_from(sorted(REPLIES.values())))
def test_what_is_pasted_is_not_touched(text: str, reply: str) -> None:
    pasted = text + reply.replace("\x1b[201~", "") + text
    assert parse(f"\x1b[200~{pasted}\x1b[201~") == [(Keys.BracketedPaste, pasted)]


async def test_nothing_of_it_gets_into_the_input(sit_down: Callable[..., Any]) -> None:
    seat = await sit_down()
    for reply in REPLIES.values():
        seat.type(f"a{reply}")
    await seat.until(lambda: seat.shell.frontend.buffer.text == "a" * len(REPLIES))
