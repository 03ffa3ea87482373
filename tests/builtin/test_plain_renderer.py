"""The plain renderer."""

import pytest

from agno_shell.builtin import plain_renderer
from agno_shell.builtin.plain_renderer import TAIL, PlainRenderer
from agno_shell.contracts import Renderer, RendererOptions
from agno_shell.testing.renderer_contract import RendererContract, render, text_of


class TestContract(RendererContract):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return PlainRenderer()


def test_it_registers_itself() -> None:
    (factory,) = plain_renderer.register_renderers()
    assert factory.name == "plain"
    assert isinstance(factory.open(RendererOptions()), PlainRenderer)


def test_markdown_stays_as_it_is() -> None:
    text = "# Title\n\n\n- **bold**  \n\t`code`\n| a | b |\n|---|---|"
    assert text_of(render(PlainRenderer(), [text], width=10)) == text


def test_nothing_is_styled() -> None:
    lines = render(PlainRenderer(), ["# Title\n\n```python\nimport this\n```\n"])
    assert {style for line in lines for style, _text in line} == {""}


def test_the_tail_is_the_unfinished_line() -> None:
    stream = PlainRenderer().begin(80)
    assert stream.feed("done\nhalf") == [(("", "done"),)]
    assert stream.tail() == [(("", "half"),)]
    stream.feed(" a line")
    assert stream.tail() == [(("", "half a line"),)]
    assert stream.finish() == [(("", "half a line"),)]


@pytest.mark.parametrize("piece", ["x", "x" * 3_000])
def test_the_tail_of_a_long_line_is_its_end(piece: str) -> None:
    stream = PlainRenderer().begin(80)
    for _ in range(5_000 // len(piece)):
        stream.feed(piece)
    stream.feed("end")
    ((_style, text),) = stream.tail()[0]
    assert text == "…" + "x" * (TAIL - 3) + "end"
