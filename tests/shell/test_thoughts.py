from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agno_shell.shell.live import KEPT, Thoughts


@given(st.lists(st.text(st.sampled_from("ab \n"), max_size=5)))
def test_words_are_counted_however_they_are_split(pieces: list[str]) -> None:
    thinking = Thoughts(lambda: 0.0)
    for piece in pieces:
        thinking.feed(piece)
    words = len("".join(pieces).split())
    assert thinking.extent() == f"0 s · {words} word{'s' * (words != 1)}"


def test_what_is_kept_does_not_grow() -> None:
    thinking = Thoughts(lambda: 0.0)
    for _piece in range(100):
        thinking.feed("word " * 100)
    assert len(thinking._end) == KEPT
    assert thinking.extent() == "0 s · 10,000 words"
    assert all(len(text) <= 40 for line in thinking.lines(40) for _style, text in line)
