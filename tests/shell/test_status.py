from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agno_shell.config import Config
from agno_shell.contracts import Line
from agno_shell.conversation.conversation import Conversation
from agno_shell.shell.status import OFFLINE_HINT, OFFLINE_WITH_BASE, Status


class Paper:
    width, queued = 80, 0

    def __init__(self) -> None:
        self.toolbar: Line | None = None
        self.lines: list[Line] = []

    def set_toolbar(self, line: Line) -> None:
        self.toolbar = line

    def print_lines(self, lines: list[Line]) -> None:
        self.lines.extend(lines)


def status_of(conversation: Conversation, paper: Paper, said: list[str]) -> Status:
    presenter: Any = SimpleNamespace(
        notice=lambda text, style="": said.append(text), messages=lambda messages: None
    )
    return Status(conversation, paper, presenter, Config())  # type: ignore[arg-type]


async def test_what_is_typed_before_a_session_is_open_finds_no_toolbar_to_draw(
    make_conversation: Callable[..., Conversation],
) -> None:
    paper, conversation = Paper(), make_conversation()
    status = status_of(conversation, paper, [])
    status.toolbar(busy=False)
    assert paper.toolbar is None
    await conversation.create("Open now")
    status.toolbar(busy=False)
    assert paper.toolbar is not None
    assert paper.toolbar[0][1] == "Open now"


@pytest.mark.parametrize("base", ["", "http://localhost:1/v1"])
async def test_without_a_model_the_greeting_says_how_to_set_one_up(
    make_conversation: Callable[..., Conversation], base: str
) -> None:
    paper, conversation = Paper(), make_conversation(default=None)
    await conversation.create("New")
    await conversation.set_api_base(base)
    said: list[str] = []
    status_of(conversation, paper, said).greet("Welcome.")
    assert said == ["Welcome.", OFFLINE_WITH_BASE if base else OFFLINE_HINT]
    # The address is named only where it is asked.
    assert "http" not in "".join(text for line in paper.lines for _style, text in line)
