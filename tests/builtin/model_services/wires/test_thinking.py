"""Thoughts between tags are told from the text, wherever the pieces are split."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.builtin.model_services.wires.thinking import ThinkTags
from agno_shell.events import ReasoningDelta, TextDelta


def told_apart(pieces: list[str]) -> tuple[str, str]:
    """Thoughts and text."""
    tags = ThinkTags()
    found = [event for piece in pieces for event in tags.feed(piece)]
    found += tags.end()
    thoughts = "".join(event.text for event in found if isinstance(event, ReasoningDelta))
    return thoughts, "".join(event.text for event in found if isinstance(event, TextDelta))


CASES = [
    ("<think>Why?</think>\n\nBecause.", ("Why?", "Because.")),
    ("\n <think>\nA < b </ c</think>Yes", ("A < b </ c", "Yes")),
    ("<think></think>Hi", ("", "Hi")),
    ("Plain <think>text</think>", ("", "Plain <think>text</think>")),
    ("<thinking>no tag of ours", ("", "<thinking>no tag of ours")),
    ("<think>never closed </thin", ("never closed </thin", "")),
    ("<thi", ("", "<thi")),
    ("  indented", ("", "  indented")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_thoughts_and_text(text: str, expected: tuple[str, str]) -> None:
    assert told_apart([text]) == expected
    assert told_apart(list(text)) == expected
    for at in range(len(text) + 1):
        assert told_apart([text[:at], text[at:]]) == expected


@given(st.text(alphabet="<>/think \n", max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_every_split_gives_the_same(text: str, places: list[int]) -> None:
    cuts = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    pieces = [text[a:b] for a, b in pairwise(cuts)]
    assert told_apart(pieces) == told_apart([text])
