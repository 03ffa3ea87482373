"""What the tests of this renderer share."""

from collections.abc import Callable

import pytest

from agno_shell.builtin.pygments_renderer.stream import PygmentsRenderer
from agno_shell.contracts import Line


@pytest.fixture(scope="session")
def lines_of() -> Callable[..., list[Line]]:
    """Render a whole text: ``lines_of(text, width=80)``."""
    renderer = PygmentsRenderer()

    def render(text: str, width: int = 80) -> list[Line]:
        stream = renderer.begin(width)
        return stream.feed(text) + stream.finish()

    return render


@pytest.fixture(scope="session")
def shown(lines_of: Callable[..., list[Line]]) -> Callable[..., str]:
    """The rendered text without its styles: ``shown(text, width=80)``."""

    def show(text: str, width: int = 80) -> str:
        return "\n".join(
            "".join(text for _style, text in line) for line in lines_of(text, width=width)
        )

    return show


@pytest.fixture(scope="session")
def style_of(lines_of: Callable[..., list[Line]]) -> Callable[..., str]:
    """The style of the fragment that holds ``part``: ``style_of(text, part)``."""

    def find(text: str, part: str) -> str:
        for line in lines_of(text):
            for style, fragment in line:
                if part in fragment:
                    return style
        raise AssertionError(f"{part!r} is not shown")

    return find
