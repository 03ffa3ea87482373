"""The contract of renderers refuses renderers that break it."""

from __future__ import annotations

from typing import Any

import pytest

from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.testing.renderer_contract import RendererContract
from agno_shell.toolkit.terminal_text import Cleaner, clean


class Sound(RenderStream):
    """A renderer that keeps the contract; the broken ones differ in one thing."""

    def __init__(self) -> None:
        self.cleaner = Cleaner()
        self.pending = ""

    def take(self, text: str) -> list[Line]:
        *whole, last = (self.pending + text).split("\n")
        self.pending = last
        return [(("", line),) for line in whole]

    def feed(self, delta: str) -> list[Line]:
        return self.take(self.cleaner.feed(delta))

    def tail(self) -> list[Line]:
        return [(("", self.pending[-100:]),)] if self.pending else []

    def finish(self) -> list[Line]:
        lines = self.take(self.cleaner.finish() + ("\n" if self.pending else ""))
        return lines + (self.take("\n") if self.pending else [])


class LinePerDelta(Sound):
    def feed(self, delta: str) -> list[Line]:
        return [(("", line),) for line in clean(delta).split("\n") if line]


class HidesComments(Sound):
    def take(self, text: str) -> list[Line]:
        return [line for line in super().take(text) if "<!--" not in line[0][1]]


class LetsEscapesThrough(Sound):
    def feed(self, delta: str) -> list[Line]:
        return self.take(delta)


class EndlessTail(Sound):
    def tail(self) -> list[Line]:
        return [(("", self.pending),)] if self.pending else []


class RendersAllAgain(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def take(self, text: str) -> list[Line]:
        lines = super().take(text)
        self.lines += lines
        self.checked = [clean(line[0][1]) for line in self.lines]
        return lines


class FinishesAgain(Sound):
    def finish(self) -> list[Line]:
        return [(("", self.pending),)] if self.pending else []


class LooksAndSwallows(Sound):
    def tail(self) -> list[Line]:
        tail, self.pending = super().tail(), ""
        return tail


class TakesBack(Sound):
    """Decides about a line by what comes after it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def take(self, text: str) -> list[Line]:
        lines = super().take(text)
        if len(lines) > 2:
            lines[0] = (("bold", lines[0][0][1]),)
        return lines


class RendererOf(Renderer):
    def __init__(self, stream: type[RenderStream]) -> None:
        self.stream = stream

    def begin(self, width: int) -> RenderStream:
        return self.stream()


class SharesItsStream(Renderer):
    def __init__(self) -> None:
        self.stream = Sound()

    def begin(self, width: int) -> RenderStream:
        return self.stream


class TestSoundRenderer(RendererContract):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return RendererOf(Sound)


CONTRACT = RendererContract()


@pytest.mark.parametrize(
    ("renderer", "test", "arguments"),
    [
        (
            RendererOf(LinePerDelta),
            CONTRACT.test_every_way_of_splitting_gives_the_same_lines,
            ("paragraphs", 80),
        ),
        (RendererOf(HidesComments), CONTRACT.test_no_word_is_lost, ("hidden", 80)),
        (
            RendererOf(LetsEscapesThrough),
            CONTRACT.test_no_control_character_reaches_the_terminal,
            ("hostile",),
        ),
        (
            RendererOf(EndlessTail),
            CONTRACT.test_the_tail_of_a_very_long_line_is_bounded,
            ("", "unbroken", 80),
        ),
        (RendererOf(RendersAllAgain), CONTRACT.test_a_delta_costs_the_same_at_any_length, ("a\n",)),
        (RendererOf(FinishesAgain), CONTRACT.test_finishing_twice_adds_nothing, ()),
        (
            RendererOf(LooksAndSwallows),
            CONTRACT.test_looking_at_the_tail_changes_nothing,
            ("paragraphs",),
        ),
        (
            RendererOf(TakesBack),
            CONTRACT.test_what_is_finished_does_not_depend_on_what_comes,
            ("paragraphs",),
        ),
        (SharesItsStream(), CONTRACT.test_replies_do_not_share_anything, ()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_renderer_is_refused(renderer: Any, test: Any, arguments: Any) -> None:
    with pytest.raises(AssertionError):
        test(renderer, *arguments)
