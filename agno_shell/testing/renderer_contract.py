"""What every renderer promises, as tests that a plugin author runs with one subclass.

::

    class TestMyRenderer(RendererContract):
        @pytest.fixture
        def renderer(self):
            return MyRenderer()
"""
# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from types import FrameType

import pytest

from agno_shell.contracts import Line, Renderer

CORPUS = {
    "empty": "",
    "one word": "word",
    "blank lines": "\n\n\nfirst\n\n\n\nsecond\n\n",
    "paragraphs": "A first paragraph of *several* words.\n\nA **second**, with `code`.\nAnd on.",
    "headings": "# Title\nText below it.\n\n## Section ##\n\n###### Deep\n#hashtag\n#",
    "lists": "- one\n- two\n  - nested\n    more of nested\n\n1. first\n2. second\n   - [ ] task\n",
    "quotes": "> said\n> again\n>\n> > deeper\n\nafter",
    "code": "Run this:\n```python\ndef hello():\n    '''Say\n    it.'''\n    return 1\n```\nDone.",
    "open code": "~~~text\nnever closed\n\n\nat all",
    "table": "| Name | Count |\n|---|--:|\n| apples | three |\n| pears | four |\n\nThat is all.",
    "no table": "either | or\nsomething else\n",
    "rule": "above\n\n---\n\nbelow\n***\n",
    "links": "See [the page](https://example.com/path 'title') and <https://example.org> now.",
    "hidden": "<!-- comment --> <i title='tip'>inner</i>\n\n[ref]: https://example.net 'note'",
    "unclosed": "**bold that never ends and `code [link(\n\n_next_ ~~para",
    "scripts": "漢字とかな。Grüße, naïve e\u0301tude, हिन्दी, 👩\u200d💻 done.",
    "windows": "one\r\ntwo\r\n\r\n- three\r\n",
    "long line": "Every word of this sentence comes back. " * 30,
    "long markup": "Some **bold words** and `code` in a [link](https://example.com) here. " * 18,
    "hostile": "\x1b[31mred\x1b[0m \x07bell \x9b2J \u202eback \u200bzero &#27;[1m entity\r over",
}

WORD = re.compile(r"[A-Za-z]{2,}")

MAX_TAIL = 20_000
"""Characters in the unfinished part of a reply, whatever its length: far more than any
renderer needs, far less than a reply can have."""


def render(renderer: Renderer, deltas: Iterable[str], width: int = 80) -> list[Line]:
    """The finished lines of a reply that comes in ``deltas``."""
    stream = renderer.begin(width)
    lines: list[Line] = []
    for delta in deltas:
        lines += stream.feed(delta)
    return lines + stream.finish()


def in_pieces_of(size: int, text: str) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def in_random_pieces(seed: int, text: str) -> list[str]:
    chance = random.Random(seed)  # noqa: S311 - the same pieces in every run
    cuts = sorted(chance.sample(range(len(text) + 1), k=min(len(text), 1 + len(text) // 6)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def text_of(lines: Iterable[Line]) -> str:
    return "\n".join("".join(text for _style, text in line) for line in lines)


def calls_made(work: Callable[[], object]) -> int:
    """How many functions are called by ``work``: a measure that no busy machine changes."""
    count = 0

    def on_event(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


class RendererContract:
    """Override the fixture :meth:`renderer`."""

    @pytest.fixture
    def renderer(self) -> Renderer:
        raise NotImplementedError("return the renderer that is to be tested")

    @pytest.mark.parametrize("width", [0, 24, 80])
    @pytest.mark.parametrize("name", CORPUS)
    def test_every_way_of_splitting_gives_the_same_lines(
        self, renderer: Renderer, name: str, width: int
    ) -> None:
        text = CORPUS[name]
        whole = render(renderer, [text], width)
        for size in (1, 7, 64):
            assert render(renderer, in_pieces_of(size, text), width) == whole
        for seed in range(2):
            assert render(renderer, in_random_pieces(seed, text), width) == whole

    @pytest.mark.parametrize("name", CORPUS)
    def test_what_is_finished_does_not_depend_on_what_comes(
        self, renderer: Renderer, name: str
    ) -> None:
        text = CORPUS[name]
        whole = render(renderer, [text])
        for cut in range(0, len(text), 1 + len(text) // 40):
            finished = renderer.begin(80).feed(text[:cut])
            assert finished == whole[: len(finished)]

    @pytest.mark.parametrize("name", CORPUS)
    def test_looking_at_the_tail_changes_nothing(self, renderer: Renderer, name: str) -> None:
        text = CORPUS[name]
        stream = renderer.begin(80)
        lines: list[Line] = []
        for piece in in_pieces_of(1 + len(text) // 50, text):
            lines += stream.feed(piece)
            assert stream.tail() == stream.tail()
        assert lines + stream.finish() == render(renderer, [text])
        assert text_of(stream.tail()) == ""

    @pytest.mark.parametrize("name", CORPUS)
    def test_lines_are_pairs_of_style_and_text(self, renderer: Renderer, name: str) -> None:
        stream = renderer.begin(80)
        lines = stream.feed(CORPUS[name])
        for line in [*lines, *stream.tail(), *stream.finish()]:
            assert isinstance(line, tuple)
            for style, text in line:
                assert isinstance(style, str)
                assert "\n" not in text

    @pytest.mark.parametrize("width", [0, 40, 80])
    @pytest.mark.parametrize("name", CORPUS)
    def test_no_word_is_lost(self, renderer: Renderer, name: str, width: int) -> None:
        text = CORPUS[name]
        shown = Counter(WORD.findall(text_of(render(renderer, [text], width))))
        assert Counter(WORD.findall(text)) <= shown

    @pytest.mark.parametrize("name", CORPUS)
    def test_no_control_character_reaches_the_terminal(self, renderer: Renderer, name: str) -> None:
        stream = renderer.begin(80)
        lines: list[Line] = []
        for piece in in_pieces_of(5, CORPUS[name]):
            lines += [*stream.feed(piece), *stream.tail()]
        lines += stream.finish()
        acting = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
        assert [line for line in lines if acting.search(text_of([line]))] == []

    def test_an_empty_reply_has_no_lines(self, renderer: Renderer) -> None:
        stream = renderer.begin(80)
        assert stream.feed("") == []
        assert text_of(stream.tail()) == ""
        assert stream.finish() == []

    def test_finishing_twice_adds_nothing(self, renderer: Renderer) -> None:
        stream = renderer.begin(80)
        stream.feed("one\ntwo")
        assert "two" in text_of(stream.finish())
        assert stream.finish() == []

    def test_replies_do_not_share_anything(self, renderer: Renderer) -> None:
        first, second = renderer.begin(80), renderer.begin(80)
        lines = first.feed("```python\nx = '''")
        assert text_of(second.feed("plain\n\n") + second.finish()).strip() == "plain"
        assert "'''" in text_of(lines + first.finish())

    @pytest.mark.parametrize("width", [0, 80])
    @pytest.mark.parametrize("text", ["word and another ", "unbroken"])
    @pytest.mark.parametrize("opening", ["", "```\n", "- ", "| ", "**", "> # "])
    def test_the_tail_of_a_very_long_line_is_bounded(
        self, renderer: Renderer, opening: str, text: str, width: int
    ) -> None:
        stream = renderer.begin(width)
        stream.feed(opening)
        for _ in range(50):
            stream.feed(text * 250)
            assert len(text_of(stream.tail())) <= MAX_TAIL

    @pytest.mark.parametrize("line", ["a paragraph\n\n", "- item\n", "| a | b |\n", "x = 'y'\n"])
    @pytest.mark.parametrize("opening", ["", "```python\n", "a | b\n--|--\n", '```python\n"""\n'])
    def test_the_tail_of_many_lines_is_bounded(
        self, renderer: Renderer, opening: str, line: str
    ) -> None:
        stream = renderer.begin(80)
        stream.feed(opening)
        for _ in range(20):
            stream.feed(line * 50)
        assert len(text_of(stream.tail())) <= MAX_TAIL

    @pytest.mark.parametrize(
        "text", ["A line of *prose*.\n\n", "- an item\n", "words without an end ", "unbroken"]
    )
    def test_a_delta_costs_the_same_at_any_length(self, renderer: Renderer, text: str) -> None:
        stream = renderer.begin(80)

        def more() -> None:
            for _ in range(60):
                stream.feed(text)
                stream.tail()

        more()
        early = calls_made(more)
        stream.feed(text * 3_000)
        late = calls_made(more)
        assert late <= 2 * early + 1_000
