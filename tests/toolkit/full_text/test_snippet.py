from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.toolkit.full_text import parse

FILLER = "so it went on and on "


def shown(pieces: Any) -> Any:
    return "".join(f"[{text}]" if marked else text for text, marked in pieces)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("cups", "The blue cups.", "The blue [cups]."),
        ("blue", "The\n\n  blue\tcups ", "The [blue] cups"),
        ('"blue cups" the', "The blue\n cups", "[The] [blue cups]"),
        ("你好", "今天你好吗", "今天[你好]吗"),
        ("nothing", "The blue cups", "The blue cups"),
        ("x", "", ""),
    ],
)
def test_a_short_text_is_shown_whole(query: Any, text: str, expected: Any) -> None:
    assert shown(parse(query).snippet(text)) == expected


def test_of_a_long_text_the_words_around_what_was_looked_for_are_shown() -> None:
    pieces = parse("cups").snippet(FILLER * 50 + "the blue cups are gone " + FILLER * 50)
    text = shown(pieces)
    assert text.startswith("… ")
    assert text.endswith(" …")
    assert "the blue [cups] are gone" in text
    assert 100 < len(text) < 180
    around = ["…", "the", "blue", "[cups]", "are", "gone"]
    assert set(text.split()) <= {*FILLER.split(), *around}  # no word is cut


def test_the_stretch_with_the_most_different_words_is_chosen() -> None:
    text = f"cups {FILLER * 20} cups {FILLER * 20} blue cups {FILLER * 20} blue"
    assert "[blue] [cups]" in shown(parse("blue cups").snippet(text))


def test_a_word_that_is_everywhere_does_not_hide_a_rare_one() -> None:
    text = "cup " * 5000 + "needle " + "cup " * 5000
    assert "[needle]" in shown(parse("needle").snippet(text))
    assert "[needle]" in shown(parse("needle cup").snippet(text + "é"))


def test_a_text_without_blanks_is_cut_all_the_same() -> None:
    pieces = parse("needle").snippet("x" * 5000 + ".needle." + "y" * 5000)
    assert "[needle]" in shown(pieces)
    assert len(shown(pieces)) < 200
    pieces = parse("n*").snippet("n" * 100_000)
    assert pieces[0] == ("n" * 160, True)


TEXT = st.text(st.sampled_from("ab cé好.\n"), max_size=300)


@given(TEXT, st.sampled_from(["a", "a*", '"a b"', "a b c", "好", "é"]), st.integers(1, 60))
def test_a_snippet_is_one_line_of_the_text(text: str, query: Any, width: Any) -> None:
    pieces = parse(query).snippet(text, width)
    whole = "".join(piece for piece, _marked in pieces)
    assert all(piece for piece, _marked in pieces)
    assert "\n" not in whole
    assert whole.removeprefix("… ").removesuffix(" …").strip() in " ".join(text.split())
    if parse(query).matches(text):
        assert any(marked for _text, marked in pieces)
