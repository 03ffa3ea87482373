"""Long lines: where they are cut, and that nobody can tell."""

import pytest

from agno_shell.builtin.pygments_renderer.inline import Inline
from agno_shell.builtin.pygments_renderer.prose import LIMIT, STEP, Prose


@pytest.fixture
def prose() -> Prose:
    return Prose(Inline(), 80, (), ())


def text_of(rows: list) -> str:
    return " ".join("".join(text for _style, text in row).strip() for row in rows)


def test_nothing_comes_before_it_is_needed(prose: Prose) -> None:
    assert prose.feed("word " * (STEP // 5 - 1)) == []
    assert len(prose.feed("word ")) > 4


def test_an_open_construct_is_waited_for(prose: Prose) -> None:
    assert prose.feed("**" + "word " * (STEP // 5)) == []
    rows = prose.feed("end** " + "word " * (STEP // 5))
    assert {style for row in rows for style, _text in row} >= {"bold"}
    assert "**" not in text_of(rows + prose.close())


def test_but_not_for_ever(prose: Prose) -> None:
    text = "`" + "word " * LIMIT
    assert prose.feed(text[: LIMIT - 1]) == []
    rows = prose.feed(text[LIMIT - 1 :]) + prose.close()
    assert text_of(rows) == text.strip()


@pytest.mark.parametrize(
    "opening", ["", "`", "**", "[", "[a](", "~~", "**" + "bold words " * 150 + "end** "]
)
@pytest.mark.parametrize("words", ["some words ", "unbroken", "*a ", "a `b` **c** "])
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(1, marks=pytest.mark.slow),
        37,
        STEP,
        pytest.param(3 * LIMIT, marks=pytest.mark.slow),
    ],
)
def test_the_cut_depends_on_the_text_alone(opening: str, words: str, size: int) -> None:
    text = opening + words * (2 * LIMIT // len(words))
    whole = Prose(Inline(), 60, (), ())
    expected = whole.feed(text) + whole.close()
    pieces = Prose(Inline(), 60, (), ())
    rows = []
    for at in range(0, len(text), size):
        rows += pieces.feed(text[at : at + size])
    assert rows + pieces.close() == expected


def test_a_preview_leaves_it_as_it_is(prose: Prose) -> None:
    prose.feed("some **bold")
    assert prose.copy().close(preview=True) == [(("", "some "), ("bold", "bold"))]
    assert prose.waits()
    prose.feed(" text**")
    assert not prose.waits()
    assert prose.close() == [(("", "some "), ("bold", "bold text"))]
