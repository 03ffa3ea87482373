from __future__ import annotations

import pytest

from agno_shell.contracts import Line, Renderer, RenderStream
from agno_shell.shell.rendering import GuardedRenderer


class Broken(Renderer, RenderStream):
    """Fails in one method, once the text holds the word ``bad``."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.text = ""

    def _maybe(self, method: str) -> None:
        if method == self.method and "bad" in self.text:
            raise ZeroDivisionError(method)

    def begin(self, width: int) -> RenderStream:
        if self.method == "begin":
            raise ZeroDivisionError("begin")
        return self

    def feed(self, delta: str) -> list[Line]:
        self.text += delta
        self._maybe("feed")
        return [(("bold", delta),)]

    def tail(self) -> list[Line]:
        self._maybe("tail")
        return [(("bold", "tail"),)]

    def finish(self) -> list[Line]:
        self._maybe("finish")
        return []


@pytest.mark.parametrize("method", ["begin", "feed", "finish"])
def test_a_renderer_that_raises_costs_no_text(method: str) -> None:
    told: list[str] = []
    renderer = GuardedRenderer(Broken(method), told.append)
    stream = renderer.begin(80)
    lines = [*stream.feed("good\n"), *stream.feed("bad\nend"), *stream.tail(), *stream.finish()]
    shown = "".join(text for line in lines for _style, text in line)
    assert shown.index("good") < shown.rindex("bad") < shown.rindex("end")
    assert len(told) == 1
    assert "Broken failed (ZeroDivisionError" in told[0]
    renderer.begin(80).feed("bad")
    assert len(told) == 1


def test_a_live_line_that_raises_is_left_out() -> None:
    told: list[str] = []
    stream = GuardedRenderer(Broken("tail"), told.append).begin(80)
    assert stream.feed("bad") == [(("bold", "bad"),)]
    assert stream.tail() == []
    assert len(told) == 1
    assert stream.feed("more") == [(("bold", "more"),)]
