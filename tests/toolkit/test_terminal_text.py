"""The terminal rule, point by point and over every code point."""

import itertools
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.toolkit.terminal_text import Cleaner, clean, clean_line, count_hidden

BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
JOINERS = {0x200C, 0x200D, 0xFE0E, 0xFE0F}
INVISIBLE = {
    *(0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x200B, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x2060, 0x2066),
    *range(0x206A, 0x2070),
    *range(0xFE00, 0xFE0E),
    *range(0xFFF0, 0xFFFC),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
}

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab \t\n\r\x1b\x07\x7f\x85\x9b\u2028\u2029\u202e\u2066\u061c"),
        st.sampled_from("\u200b\u2060\ufeff\u00ad\u3164\ufe00\U000e0041\u200c\u200d\ufe0e\ufe0f"),
        st.sampled_from("\u0301\u0300\u20dd\u093f\u094d\ud83d\ude00\udb40\udc41\ud800\udfff😀é漢"),
        st.characters(),
    ),
    max_size=60,
)


def expected(code: int) -> str:
    if code in (0x09, 0x0A):
        return chr(code)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x80 <= code < 0xA0 or code in BIDI:
        return f"‹U+{code:04X}›"
    if code in (0x2028, 0x2029):
        return "\n"
    if code in INVISIBLE:
        return "‹hidden 1›"
    if 0xD800 <= code < 0xE000:
        return "\ufffd"
    return chr(code)


def in_pieces(text: str, cuts: list[int]) -> str:
    cleaner = Cleaner()
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [cleaner.feed(text[start:end]) for start, end in itertools.pairwise(places)]
    return "".join(pieces) + cleaner.finish()


@pytest.mark.parametrize("start", range(0, sys.maxunicode + 1, 0x4000))
def test_every_code_point(start: int) -> None:
    codes = range(start, min(start + 0x4000, sys.maxunicode + 1))
    text = "".join(f"{chr(code)}.x" for code in codes)
    assert clean(text).split(".x")[:-1] == [expected(code) for code in codes]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ttwo\nthree", "one\ttwo\nthree"),
        ("a\r\nb\rc\r\r\nd\r", "a\nb␍c␍\nd␍"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("pass\b\b\b\bword\x7f", "pass␈␈␈␈word␡"),
        ("\x9b2J\x85", "‹U+009B›2J‹U+0085›"),
        ("user\u202egnp.exe", "user‹U+202E›gnp.exe"),
        ("in\u200b\u2060\ufeffvisible", "in‹hidden 3›visible"),
        ("\U000e0041\U000e0042", "‹hidden 2›"),
        ("🏳\ufe0f\u200d🌈", "🏳\ufe0f\u200d🌈"),
        ("\u200c\u200d\ufe0f\ufe0ex", "\u200c\u200d‹hidden 2›x"),
        ("e" + "\u0301" * 8, "e" + "\u0301" * 8),
        ("e" + "\u0301" * 11 + "x", "e" + "\u0301" * 8 + "‹hidden 3›x"),
        ("e" + "\u0301\u200d" * 9, "e" + "\u0301\u200d" * 8 + "‹hidden 2›"),
        ("\ud83d\ude00", "😀"),
        ("\udb40\udc41", "‹hidden 1›"),
        ("\ud83d and \ude00", "\ufffd and \ufffd"),
        ("‹hidden 3› ‹U+202E› ␛", "‹hidden 3› ‹U+202E› ␛"),
        ("", ""),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_ordinary_text_of_many_scripts_is_left_alone() -> None:
    text = "“Grüße” — 漢字、かな 한국어 हिन्दी में ไทย עברית العربية 👩\u200d💻 1\ufe0f\u20e3 ≠ ½ ──"
    assert clean(text) == text


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert clean_line(clean_line(text)) == clean_line(text)


@given(HOSTILE, st.lists(st.integers(0, 60), max_size=8))
def test_pieces_add_up_to_the_whole(text: str, cuts: list[int]) -> None:
    assert in_pieces(text, cuts) == clean(text)


@given(HOSTILE)
def test_nothing_that_acts_or_hides_is_left(text: str) -> None:
    shown = clean(text)
    for char in shown:
        code = ord(char)
        assert char in "\t\n" or unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp")
        assert code not in BIDI
        assert code not in INVISIBLE


@given(HOSTILE)
def test_nothing_is_swallowed(text: str) -> None:
    """Every code point that goes is counted by what stands in its place."""
    hidden = sum(int(note.split("›")[0]) for note in clean(text).split("‹hidden ")[1:])
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    joiners_and_marks = sum(
        ord(c) in JOINERS or unicodedata.category(c)[0] == "M"
        for c in joined
        if ord(c) not in INVISIBLE
    )
    kept = sum(ord(c) in JOINERS or unicodedata.category(c)[0] == "M" for c in clean(text))
    assert hidden == sum(ord(c) in INVISIBLE for c in joined) + joiners_and_marks - kept


def test_a_stream_holds_back_as_little_as_it_can() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("word") == "word"
    assert cleaner.feed(" e\u0301") == " e\u0301"
    assert cleaner.feed("x\r") == "x"
    assert cleaner.feed("\ny\ud83d") == "\ny"
    assert cleaner.feed("\ude00\u200b") == "😀"
    assert cleaner.feed("\u200b") == ""
    assert cleaner.feed("z") == "‹hidden 2›z"
    assert cleaner.finish() == ""


def test_a_long_run_is_held_as_a_count() -> None:
    cleaner = Cleaner()
    assert all(cleaner.feed("\u200b") == "" for _ in range(10_000))
    assert cleaner.finish() == "‹hidden 10000›"


def test_a_line_is_one_line() -> None:
    assert clean_line("  one\n\n two\t three\u3000four\u2028 ") == "one two three four"
    assert clean_line("a\x1b[2Jb") == "a␛[2Jb"


@pytest.mark.parametrize(("limit", "shown"), [(3, "ab…"), (4, "abcd"), (1, "…")])
def test_a_line_is_cut_at_its_limit(limit: int, shown: str) -> None:
    assert clean_line("abcd", limit) == shown


def test_a_line_is_at_most_two_hundred_characters() -> None:
    line = clean_line("word " * 1_000)
    assert len(line) <= 200
    assert line.endswith("word…")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("plain\ttext\r\n\f\u2028", 0),
        ("é👩‍👩‍👧 你好 e\u0301\ufe0f", 0),
        ("a\u202eb", 1),
        ("\x1b[2J\x07\x7f\x9b", 4),
        ("\u200b\u200b\U000e0041x\u3164", 4),
    ],
)
def test_hidden_code_points_are_counted(text: str, hidden: int) -> None:
    assert count_hidden(text) == hidden
